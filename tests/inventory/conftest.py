"""Two customers, the support centre, a listed and an unlisted product."""

from dataclasses import dataclass

import pytest

from portal.accounts.models import Organisation, Person
from portal.actors import Actor, Via
from portal.permissions import OrganisationKind, Role, permissions_of
from portal.releases.models import Product
from tests.factories import make_organisation, make_person, make_product
from tests.portals import Browser, Portal

ROLES = {
    "alpha": Role.CUSTOMER_ENGINEER,
    "beta": Role.CUSTOMER_MANAGER,
    "tsc": Role.TSC_ENGINEER,
    "publisher": Role.PUBLISHER,
}


@dataclass
class World:
    portal: Portal
    homes: dict[str, Organisation]
    people: dict[str, Person]
    actors: dict[str, Actor]
    core: Product
    secret: Product

    def of(self, who: str) -> Browser:
        return self.portal.signed_in(self.people[who].email)


@pytest.fixture
def world(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        homes = {
            "alpha": make_organisation(session, name="Alpha Telecom", code="ALPHA"),
            "beta": make_organisation(session, name="Beta Net", code="BETA"),
            "tsc": make_organisation(session, OrganisationKind.SUPPORT),
            "publisher": make_organisation(session, OrganisationKind.VENDOR),
        }
        people = {who: make_person(session, homes[who], role) for who, role in ROLES.items()}
        actors = {
            who: Actor(Via.SESSION, p.name, p.id, homes[who].id, homes[who].kind, frozenset({ROLES[who]}),
                       permissions_of([ROLES[who]]))
            for who, p in people.items()
        }  # fmt: skip
        core = make_product(session, code="core", name="Core Router")
        secret = make_product(session, code="secret", name="Secret Switch", is_listed=False)
    return World(portal, homes, people, actors, core, secret)
