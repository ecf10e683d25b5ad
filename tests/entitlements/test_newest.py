"""Both ways to the newest releases give what `takeable` gives, newest first."""

from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.entitlements import newest
from portal.entitlements.newest import newest_takeable
from portal.entitlements.rules import takeable
from portal.releases.models import Release
from tests.entitlements.worlds import Worlds

NOBODY_HAS_FEW = -1


@pytest.mark.parametrize("few", [newest.FEW, NOBODY_HAS_FEW])
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_both_ways_lead_to_the_same_list(engine, monkeypatch, few, limit):
    monkeypatch.setattr(newest, "FEW", few)
    found = 0
    for number in range(3):
        batch = Worlds(Random(number)).fill(40)
        with Session(engine) as session:
            batch.insert(session)
            for world in batch.worlds:
                at = world.instants[0]
                allowed = select(Release).where(Release.id.in_(takeable(world.customer, at)))
                expected = session.scalars(allowed.order_by(Release.published_at.desc(), Release.id).limit(limit)).all()
                assert newest_takeable(session, world.customer, at, limit=limit) == expected, world
                found += len(expected)
            session.rollback()
    assert found > 20


def test_releases_held_back_from_the_customer_do_not_shorten_the_list(engine):
    """More of the newest are closed to the customer than are looked at first."""
    batch = Worlds(Random(3)).fill(40)
    with Session(engine) as session:
        batch.insert(session)
        for world in batch.worlds:
            at = world.instants[0]
            allowed = set(session.scalars(takeable(world.customer, at)))
            one = newest_takeable(session, world.customer, at, limit=1)
            assert bool(one) == bool(allowed), world
        session.rollback()
