"""A record of nine events by two people, and hands that change it past the triggers."""

from contextlib import contextmanager

import pytest
from sqlalchemy import text

from portal.actors import Actor, Via
from portal.audit.service import Tag, record
from tests.portals import START

ANNA = Actor(Via.SESSION, name="Anna", address="192.0.2.7")


@contextmanager
def past_the_triggers(engine):
    """A connection of somebody who owns the database itself."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_events_no_{verb}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


def fill(sessions, count: int = 9) -> None:
    for number in range(1, count + 1):
        with sessions.begin() as session:
            record(session, Tag.SIGN_IN, by=ANNA, at=START, named=f"event {number}", number=number)


@pytest.fixture
def filled(portal):
    """A portal whose record holds nine events."""
    fill(portal.sessions)
    return portal
