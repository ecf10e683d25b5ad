"""The decision against its twin in SQL and against an oracle, on generated worlds."""

from collections import Counter
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from portal.entitlements.decision import Basis, RefusalCode
from portal.entitlements.lists import decide_many
from portal.entitlements.rules import decide, takeable
from portal.entitlements.visibility import visible
from portal.releases.models import Release
from tests.entitlements import oracle
from tests.entitlements.worlds import Worlds

WORLDS_IN_A_BATCH = 500
BATCHES = {"sqlite": 20, "postgresql": 2}
LEAST = {"sqlite": 10_000, "postgresql": 1_000}


def test_decision_twin_and_oracle_agree_on_every_generated_world(engine):
    """Every customer, release and instant of every world: `decide`, `takeable`, `visible` and the oracle."""
    dialect, seen, worlds = engine.dialect.name, Counter(), []

    @settings(
        max_examples=BATCHES[dialect],
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a batch is drawn from one number; the failing world is named by its assertion
        suppress_health_check=list(HealthCheck),
    )
    @given(number=st.integers(min_value=0, max_value=2**64))
    def agree(number):
        batch = Worlds(Random(number)).fill(WORLDS_IN_A_BATCH)
        with Session(engine) as session:
            batch.insert(session)
            worlds.append(len(batch.worlds))
            for world in batch.worlds:
                seen.update(check(session, batch, world))
            session.rollback()

    agree()
    assert sum(worlds) >= LEAST[dialect]
    reserved = {"agreement-required", "authority-missing", "authority-expired", "authority-out-of-scope"}
    assert set(seen) == {*map(str, Basis), *map(str, RefusalCode)} - reserved, f"not every outcome was met: {seen}"


def check(session, batch, world):
    releases = {release.id: release for release in session.query(Release)}
    product_of = {release.id: release.product for release in batch.releases}
    for at in world.instants:
        may_take = set(session.scalars(takeable(world.customer, at)))
        many = decide_many(session, organisation_id=world.customer, releases=list(releases.values()), at=at)
        may_know = set(session.scalars(visible(world.customer, at)))
        for release in batch.releases:
            decision = decide(session, organisation_id=world.customer, release=releases[release.id], at=at)
            assert many[release.id] == decision, (world, release, at)
            expected = oracle.answer(world, release, at)
            assert decision.code == expected, (world, release, at)
            assert decision.is_granted == (release.id in may_take), (world, release, at)
            assert oracle.may_know(world, release, product_of, at) == (release.id in may_know), (world, release, at)
            assert release.id in may_know or not decision.is_granted
            yield decision.code
