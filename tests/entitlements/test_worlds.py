"""The decision against its twin in SQL and against an oracle, on generated worlds."""

from collections import Counter
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from portal.db import Instant
from portal.entitlements.decision import Basis, RefusalCode
from portal.entitlements.rules import decide, takeable
from portal.entitlements.visibility import visible
from portal.releases.models import Release
from tests.entitlements import oracle
from tests.entitlements.worlds import Worlds

WORLDS_IN_A_BATCH = {"sqlite": 200, "postgresql": 50}
BATCHES = {"sqlite": 50, "postgresql": 20}
LEAST = {"sqlite": 10_000, "postgresql": 1_000}

# Built once, with places for the customer and the instant: building them anew would take most of the test's time.
ASKED = bindparam("customer", type_=Release.id.type), bindparam("at", type_=Instant())
TAKEABLE, VISIBLE = takeable(*ASKED), visible(*ASKED)


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
        batch = Worlds(Random(number)).fill(WORLDS_IN_A_BATCH[dialect])
        with Session(engine) as session:
            batch.insert(session)
            worlds.append(len(batch.worlds))
            for world in batch.worlds:
                seen.update(check(session, batch, world))
            session.rollback()

    agree()
    assert sum(worlds) >= LEAST[dialect]
    powers = {"authority-missing", "authority-expired", "authority-out-of-scope", "authority-unconfirmed"}
    reserved = {"agreement-required", *powers}
    assert set(seen) == {*map(str, Basis), *map(str, RefusalCode)} - reserved, f"not every outcome was met: {seen}"


def check(session, batch, world):
    releases = {release.id: release for release in session.query(Release)}
    product_of = {release.id: release.product for release in batch.releases}
    for at in world.instants:
        asked = {"customer": world.customer, "at": at}
        may_take = set(session.scalars(TAKEABLE, asked))
        may_know = set(session.scalars(VISIBLE, asked))
        for release in batch.releases:
            decision = decide(session, organisation_id=world.customer, release=releases[release.id], at=at)
            expected = oracle.answer(world, release, at)
            assert decision.code == expected, (world, release, at)
            assert decision.is_granted == (release.id in may_take), (world, release, at)
            assert oracle.may_know(world, release, product_of, at) == (release.id in may_know), (world, release, at)
            assert release.id in may_know or not decision.is_granted
            yield decision.code
