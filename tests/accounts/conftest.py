"""A small world of people: the vendor's administrator and auditor, two customers with a manager and an engineer each."""

import re
from dataclasses import dataclass

import pytest

from portal.accounts.models import Organisation, Person
from portal.permissions import OrganisationKind, Role
from tests.factories import make_organisation, make_person
from tests.portals import Portal


@dataclass(frozen=True)
class World:
    portal: Portal
    vendor: Organisation
    alpha: Organisation
    beta: Organisation
    people: dict[str, Person]

    def of(self, who: str):
        """The signed-in browser of one of `people`."""
        return self.portal.signed_in(self.people[who].email)

    def fresh(self, who: str) -> Person:
        with self.portal.sessions() as session:
            return session.get_one(Person, self.people[who].id)


@pytest.fixture
def world(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR, name="Vendor")
        alpha = make_organisation(session, name="Alpha", code="ALPHA", time_zone="Europe/Moscow")
        beta = make_organisation(session, name="Beta", code="BETA")
        people = {
            "admin": make_person(session, vendor, Role.ADMINISTRATOR, name="Ada Admin"),
            "auditor": make_person(session, vendor, Role.AUDITOR, name="Olga Auditor"),
            "publisher": make_person(session, vendor, Role.PUBLISHER, name="Pavel Publisher"),
            "alpha-manager": make_person(session, alpha, Role.CUSTOMER_MANAGER, name="Anton Alpha"),
            "alpha-engineer": make_person(session, alpha, Role.CUSTOMER_ENGINEER, name="Anna Alpha"),
            "beta-manager": make_person(session, beta, Role.CUSTOMER_MANAGER, name="Boris Beta"),
            "beta-engineer": make_person(session, beta, Role.CUSTOMER_ENGINEER, name="Bella Beta"),
        }
    return World(portal, vendor, alpha, beta, people)


def link_in(text: str) -> str:
    """The path of the one-time link that a page or a letter shows."""
    found = re.search(r"https?://[^/\s\"]+(/(?:invitation|reset)/[\w-]+)", text)
    assert found, text
    return found.group(1)
