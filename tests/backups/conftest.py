"""Two customers with a device each, the support centre, and what programs of theirs send."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from portal.accounts.models import Organisation, Person
from portal.accounts.tokens import NewToken, create_token
from portal.actors import Actor, Via
from portal.inventory.models import Device
from portal.permissions import OrganisationKind, Role, Scope, permissions_of
from portal.releases.models import Product
from tests.factories import make_device, make_organisation, make_person, make_product
from tests.portals import START, Browser, Portal

ROLES = {
    "alpha": Role.CUSTOMER_ENGINEER,
    "beta": Role.CUSTOMER_MANAGER,
    "tsc": Role.TSC_ENGINEER,
    "administrator": Role.ADMINISTRATOR,
}


@dataclass
class World:
    portal: Portal
    homes: dict[str, Organisation]
    people: dict[str, Person]
    actors: dict[str, Actor]
    product: Product
    devices: dict[str, Device]

    def of(self, who: str) -> Browser:
        return self.portal.signed_in(self.people[who].email)

    def token(self, who: str, *scopes: Scope) -> str:
        with self.portal.sessions.begin() as session:
            new = NewToken("script", frozenset(scopes or {Scope.BACKUPS}), timedelta(days=3))
            person = session.merge(self.people[who])
            return create_token(session, person, new, by=self.actors[who], at=self.portal.clock())[1]

    def program(self, who: str, *scopes: Scope) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(who, *scopes)}"}

    def address(self, who: str, name: str = "") -> str:
        return f"/api/v1/devices/{self.devices[who].id}/backups" + (f"/{name}" if name else "")


def build(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        homes = {
            "alpha": make_organisation(session, name="Alpha Telecom", code="ALPHA"),
            "beta": make_organisation(session, name="Beta Net", code="BETA"),
            "tsc": make_organisation(session, OrganisationKind.SUPPORT),
            "administrator": make_organisation(session, OrganisationKind.VENDOR),
        }
        people = {who: make_person(session, homes[who], role) for who, role in ROLES.items()}
        actors = {
            who: Actor(Via.SESSION, p.name, p.id, homes[who].id, homes[who].kind, frozenset({ROLES[who]}),
                       permissions_of([ROLES[who]]))
            for who, p in people.items()
        }  # fmt: skip
        product = make_product(session, code="core", name="Core Router")
        devices = {who: make_device(session, homes[who], product, installed_version="4.9") for who in ("alpha", "beta")}
    assert portal.clock() >= START
    return World(portal, homes, people, actors, product, devices)


@pytest.fixture
def world(portal: Portal) -> World:
    return build(portal)
