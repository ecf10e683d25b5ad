"""A small world around tickets: two customers, the support centre, products with releases and issues."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation, Person
from portal.actors import Actor, Via
from portal.entitlements.models import Contract, ContractLine
from portal.permissions import OrganisationKind, Role, permissions_of
from portal.releases.models import (
    ALL_LEVELS,
    Issue,
    IssueRelation,
    IssueText,
    Level,
    Product,
    Release,
    ReleaseIssue,
    ReleaseState,
    Severity,
)
from portal.releases.versions import Version
from portal.tickets import queries, service
from portal.tickets.models import Ticket
from tests.factories import make_organisation, make_person, make_product, make_ticket
from tests.portals import START, Browser, Portal


@dataclass
class World:
    portal: Portal
    alpha: Organisation
    beta: Organisation
    people: dict[str, Person]
    actors: dict[str, Actor]
    core: Product
    secret: Product
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def of(self, who: str) -> Browser:
        return self.portal.signed_in(self.people[who].email)

    def begin(self):
        return self.portal.sessions.begin()

    def open(self, who: str = "alpha", **facts: object) -> str:
        """A ticket opened by this customer's engineer; its number as people write it."""
        with self.begin() as session:
            return str(make_ticket(session, session.merge(getattr(self, who)), self.actors[who], **facts))

    def ticket(self, session: Session, number: str) -> Ticket:
        return queries.get(session, number, visible_to=self.actors["tsc"])

    def answer(self, number: str, who: str = "tsc", body: str = "We look into it.") -> None:
        with self.begin() as session:
            service.answer(session, self.ticket(session, number), body, by=self.actors[who], at=self.portal.clock())

    def state(self, number: str) -> str:
        with self.portal.sessions() as session:
            return self.ticket(session, number).state.value

    def release(self, version: str, product: Product | None = None, **facts: object) -> Release:
        """A published release, open to everybody, unless the facts say otherwise."""
        product = product or self.core
        given = {"level": Level.PATCH, "state": ReleaseState.PUBLISHED, "published_at": START - timedelta(days=5),
                 "open_from": START - timedelta(days=5), "counter": next(self.numbers), **facts}  # fmt: skip
        with self.begin() as session:
            release = Release(product_id=product.id, version=version, created_at=START,
                              version_key=Version.parse(version, product.scheme).key, **given)  # fmt: skip
            session.add(release)
        return release

    def issue(
        self, public_id: str, *fixed_in: Release, product: Product | None = None, is_public: bool = True
    ) -> Issue:
        with self.begin() as session:
            issue = Issue(product_id=(product or self.core).id, public_id=public_id, severity=Severity.HIGH,
                          is_public=is_public, created_at=START,
                          texts=[IssueText(language="en", title=f"Trouble called {public_id}")])  # fmt: skip
            session.add(issue)
            session.flush()
            session.add_all(
                ReleaseIssue(release_id=release.id, issue_id=issue.id, relation=IssueRelation.FIXED)
                for release in fixed_in
            )
        return issue

    def link(self, number: str, issue: Issue | None = None, release: Release | None = None) -> None:
        with self.begin() as session:
            ticket, by = self.ticket(session, number), self.actors["tsc"]
            if issue:
                service.link_issue(session, ticket, session.merge(issue), by=by, at=START)
            if release:
                found = session.get_one(Release, release.id, options=[])
                session.refresh(found, ["product"])
                service.link_release(session, ticket, found, by=by, at=START)

    def contract(self, product: Product, *, levels: Level = ALL_LEVELS, first: date = date(2026, 1, 1),
                 last: date = date(2026, 12, 31), number: str = "17-204") -> None:  # fmt: skip
        """A contract of Alpha for the product."""
        with self.begin() as session:
            contract = Contract(organisation_id=self.alpha.id, number=number, created_at=START)
            contract.set_term(first, last, "UTC")
            contract.lines = [ContractLine(product_id=product.id, levels=levels)]
            session.add(contract)

    @contextmanager
    def statements(self, *verbs: str) -> Iterator[list[str]]:
        """The statements of these verbs that the database is asked meanwhile; SELECT when none is named."""
        asked: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            if statement.lstrip().upper().startswith(verbs or ("SELECT",)):
                asked.append(statement)

        engine = self.portal.resources.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            event.remove(engine, "before_cursor_execute", note)


ROLES = {
    "alpha": Role.CUSTOMER_ENGINEER,
    "alpha2": Role.CUSTOMER_MANAGER,
    "beta": Role.CUSTOMER_ENGINEER,
    "tsc": Role.TSC_ENGINEER,
    "tsc2": Role.TSC_ENGINEER,
    "dispatcher": Role.DISPATCHER,
    "publisher": Role.PUBLISHER,
    "admin": Role.ADMINISTRATOR,
}


@pytest.fixture
def world(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR)
        support = make_organisation(session, OrganisationKind.SUPPORT)
        alpha = make_organisation(session, name="Alpha Telecom", code="ALPHA")
        beta = make_organisation(session, name="Beta Net", code="BETA")
        homes = {"alpha": alpha, "alpha2": alpha, "beta": beta, "tsc": support, "tsc2": support, "dispatcher": support,
                 "publisher": vendor, "admin": vendor}  # fmt: skip
        people = {who: make_person(session, homes[who], role, name=f"Person of {who}") for who, role in ROLES.items()}
        actors = {
            who: Actor(
                Via.SESSION, person.name, person.id, homes[who].id, homes[who].kind, frozenset({ROLES[who]}),
                permissions_of([ROLES[who]]),
            )
            for who, person in people.items()
        }  # fmt: skip
        core = make_product(session, code="core", name="Core Router")
        secret = make_product(session, code="secret", name="Secret Switch", is_listed=False)
    return World(portal, alpha, beta, people, actors, core, secret)
