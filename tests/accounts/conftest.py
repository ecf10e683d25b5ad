"""A small world of people: the vendor's, and two customers with a manager and an engineer each."""

import re
import threading
from dataclasses import dataclass

import pytest
from sqlalchemy.event import listen, remove

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

    def press(self, by: str, on: str, button: str, **fields: object):
        """The answer when `by` presses a button on the page of the person `on`."""
        page = f"/people/{self.people[on].id}"
        return self.of(by).submit(f"{page}/{button}", page="/account", **fields)

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


@pytest.fixture
def counting(portal: Portal):
    """counting(browser, page) → how many SELECTs the page costs."""

    def count(browser, page: str) -> int:
        statements = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            statements.append(statement)

        listen(portal.resources.engine, "before_cursor_execute", note)
        assert browser.get(page).status_code == 200
        remove(portal.resources.engine, "before_cursor_execute", note)
        return len([statement for statement in statements if "SELECT" in statement])

    return count


def run_at_once(calls):
    """The outcomes of these calls, begun at the same instant in threads of their own."""
    start, outcomes = threading.Barrier(len(calls)), []

    def run(call):
        start.wait()
        outcomes.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
