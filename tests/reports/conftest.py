"""Two customers at two ends of the calendar, the support centre, and tickets, releases and devices with their past."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation, Person
from portal.actors import Actor, Via
from portal.entitlements.models import Contract, ContractLine
from portal.inventory.models import ChangeKind, Device, DeviceChange, HowKnown
from portal.permissions import OrganisationKind, Role, permissions_of
from portal.releases.models import ALL_LEVELS, Level, Product, Release, ReleaseState
from portal.releases.versions import Version
from portal.tickets.models import (
    Ticket,
    TicketChannel,
    TicketEvent,
    TicketEventKind,
    TicketKind,
    TicketSeverity,
    TicketState,
)
from tests.factories import make_organisation, make_person, make_product
from tests.portals import START, Browser, Portal

ROLES = {
    "alpha": Role.CUSTOMER_ENGINEER,
    "alpha manager": Role.CUSTOMER_MANAGER,
    "beta": Role.CUSTOMER_MANAGER,
    "tsc": Role.TSC_ENGINEER,
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class World:
    portal: Portal
    alpha: Organisation
    beta: Organisation
    people: dict[str, Person]
    actors: dict[str, Actor]
    core: Product
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    def of(self, who: str) -> Browser:
        return self.portal.signed_in(self.people[who].email)

    def ticket(self, session: Session, who: str, opened: str, **facts: object) -> Ticket:
        """A ticket as its past left it: `answer` minutes after the opening by a human, `receipt` by no human, `closed`
        minutes after the opening; the rest are columns."""
        at, number = utc(opened), next(self.numbers)
        answer, receipt, closed = (facts.pop(name, None) for name in ("answer", "receipt", "closed"))
        title = facts.pop("title", f"Ticket {number}")
        given = {"kind": TicketKind.INCIDENT, "channel": TicketChannel.TELEPHONE, "severity": TicketSeverity.MAJOR,
                 "state": TicketState.CLOSED if closed is not None else TicketState.NEW, **facts}  # fmt: skip
        ticket = Ticket(number=number, organisation_id=getattr(self, who).id, title=title, search_text=title.lower(),
                        created_at=at, **given)  # fmt: skip
        session.add(ticket)
        past = [(0, TicketEventKind.OPENED, False, False, "")]
        past += [(receipt, TicketEventKind.MESSAGE, True, True, "")] if receipt is not None else []
        past += [(answer, TicketEventKind.MESSAGE, True, False, "")] if answer is not None else []
        past += [(closed, TicketEventKind.STATE, True, False, "closed")] if closed is not None else []
        session.flush()
        for place, (minutes, kind, by_staff, is_automatic, detail) in enumerate(past, 1):
            at = ticket.created_at + timedelta(minutes=minutes)
            session.add(TicketEvent(ticket_id=ticket.id, sequence=place, kind=kind, by_staff=by_staff, detail=detail,
                                    is_automatic=is_automatic, at=at, person_name="x"))  # fmt: skip
        session.flush()
        return ticket

    def release(self, session: Session, version: str, published: str, **facts: object) -> Release:
        at = utc(published)
        given = {"level": Level.PATCH, "state": ReleaseState.PUBLISHED, "published_at": at, "open_from": at,
                 "counter": next(self.numbers), **facts}  # fmt: skip
        release = Release(product_id=self.core.id, version=version, created_at=at, **given,
                          version_key=Version.parse(version, self.core.scheme).key)  # fmt: skip
        session.add(release)
        session.flush()
        return release

    def device(self, session: Session, who: str, *past: tuple[str, str], removed: bool = False) -> UUID:
        """A device with its history: (day, version) in their order; the first is when it came on record."""
        version = past[-1][1]
        device = Device(
            organisation_id=getattr(self, who).id, product_id=self.core.id, serial=f"SN-{next(self.numbers)}",
            installed_version=version or None, since=utc(past[-1][0]), removed_at=START if removed else None,
            installed_key=Version.parse(version, self.core.scheme).key if version else None,
        )  # fmt: skip
        session.add(device)
        session.flush()
        before = ""
        for place, (day, after) in enumerate(past, 1):
            kind = ChangeKind.VERSION if place > 1 else ChangeKind.ADDED
            session.add(DeviceChange(device_id=device.id, at=utc(day), place=place, kind=kind, before=before,
                                     after=after, how_known=HowKnown.REPORTED, by_name="x"))  # fmt: skip
            before = after
        session.flush()
        return device.id

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The statements that the database is asked meanwhile."""
        asked: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            if statement.lstrip().upper().startswith("SELECT"):
                asked.append(statement)

        engine = self.portal.resources.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def world(portal: Portal) -> World:
    """Alpha's contract counts days in Kiritimati (UTC+14), Beta's in Berlin; Beta itself is at home in Honolulu."""
    with portal.sessions.begin() as session:
        support = make_organisation(session, OrganisationKind.SUPPORT)
        alpha = make_organisation(session, name="Alpha Telecom", code="ALPHA", language="ru")
        beta = make_organisation(session, name="Beta Net", code="BETA", time_zone="Pacific/Honolulu")
        homes = {"alpha": alpha, "alpha manager": alpha, "beta": beta, "tsc": support}
        people = {who: make_person(session, homes[who], role) for who, role in ROLES.items()}
        actors = {
            who: Actor(Via.SESSION, person.name, person.id, homes[who].id, homes[who].kind, frozenset({ROLES[who]}),
                       permissions_of([ROLES[who]]))
            for who, person in people.items()
        }  # fmt: skip
        core = make_product(session, code="core", name="Core Router")
        for home, zone, last in ((alpha, "Pacific/Kiritimati", date(2026, 12, 31)),
                                 (beta, "Europe/Berlin", date(2026, 4, 30))):  # fmt: skip
            contract = Contract(organisation_id=home.id, number=f"C-{home.code}", created_at=utc("2025-12-01"))
            contract.set_term(date(2026, 1, 1), last, zone)
            contract.lines = [ContractLine(product_id=core.id, levels=ALL_LEVELS)]
            session.add(contract)
    return World(portal, alpha, beta, people, actors, core)
