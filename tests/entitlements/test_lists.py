"""Decisions of a whole list are those of its releases one by one, in as many statements however long the list."""

from random import Random

from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.entitlements.lists import decide_many
from portal.entitlements.rules import decide
from portal.releases.models import Release
from tests.entitlements.worlds import Worlds

STATEMENTS = 8


def test_a_list_is_decided_as_its_releases_are(engine) -> None:
    batch = Worlds(Random(20)).fill(60)
    compared = 0
    with Session(engine) as session:
        batch.insert(session)
        releases = session.query(Release).all()
        for world in batch.worlds:
            for at in world.instants:
                together = decide_many(session, organisation_id=world.customer, releases=releases, at=at)
                for release in releases:
                    alone = decide(session, organisation_id=world.customer, release=release, at=at)
                    assert together[release.id].to_json() == alone.to_json(), (world, release.version, at)
                    compared += 1
        session.rollback()
    assert compared >= 300


def test_the_length_of_the_list_costs_no_statement(engine) -> None:
    batch = Worlds(Random(7)).fill(3)
    with Session(engine) as session:
        batch.insert(session)
        session.flush()
        releases, world = session.query(Release).all(), batch.worlds[0]
        for some in (releases[:1], releases):
            sent = []
            event.listen(engine, "before_cursor_execute", lambda *a, sent=sent: sent.append(a[2]))
            decide_many(session, organisation_id=world.customer, releases=some, at=world.instants[0])
            assert 0 < len(sent) <= STATEMENTS
        session.rollback()
