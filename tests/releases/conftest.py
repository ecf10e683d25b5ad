"""People of the vendor, and a portal that listens on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from werkzeug.serving import make_server

from portal.accounts import service, tokens
from portal.accounts.models import Person
from portal.accounts.tokens import NewToken
from portal.actors import Actor, Via
from portal.permissions import OrganisationKind, Role, Scope
from tests.factories import make_organisation, make_person
from tests.portals import START, Portal


@dataclass(frozen=True)
class Vendor:
    """One person of each role that works on releases."""

    publisher: Person
    approver: Person
    administrator: Person
    token: str
    """The publisher's, for uploads."""

    @property
    def by(self) -> Actor:
        return acting(self.publisher)

    @property
    def second(self) -> Actor:
        return acting(self.approver)


def acting(person: Person) -> Actor:
    return service.actor_of(person, via=Via.SESSION, address="127.0.0.1")


@pytest.fixture
def vendor(portal: Portal) -> Vendor:
    return make_vendor(portal)


def make_vendor(portal: Portal) -> Vendor:
    with portal.sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR)
        people = [make_person(session, vendor, role) for role in (Role.PUBLISHER, Role.APPROVER, Role.ADMINISTRATOR)]
        wanted = NewToken("uploads", frozenset({Scope.RELEASES_UPLOAD}), timedelta(days=30))
        _row, token = tokens.create_token(session, people[0], wanted, by=acting(people[0]), at=START)
    publisher, approver, administrator = people
    return Vendor(publisher, approver, administrator, token)


@contextmanager
def listening(portal: Portal) -> Iterator[str]:
    """The address of the portal on a real socket."""
    server = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
