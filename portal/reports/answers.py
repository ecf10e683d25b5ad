"""First answers in time (P3): each ticket with its own clock, and what they come to.

No time is computed here: every line carries the reading that board and ticket page show. A ticket belongs to the month
in which it was opened, by the calendar of the contract that ran then, and so to one month only.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, load_only

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.errors import NotFound, mark
from portal.permissions import OrganisationKind
from portal.reports.errors import TooManyTickets
from portal.reports.months import Month, Months
from portal.tickets.clock import Reading, Standing
from portal.tickets.models import Ticket, TicketChannel, TicketSeverity
from portal.tickets.programmes import Measure
from portal.tickets.timing import clocks_of, terms_of

MOST_TICKETS = 50_000
Key = TypeVar("Key")


class Outcome(StrEnum):
    """What became of the promise of a first answer."""

    KEPT = "kept"
    LATE = "late"
    WAITING = "waiting"
    NONE = "none"


OUTCOME_TITLES = {
    Outcome.KEPT: mark("On time"),
    Outcome.LATE: mark("Late"),
    Outcome.WAITING: mark("Not answered yet"),
    Outcome.NONE: mark("Nothing promised"),
}
OUTCOME_KINDS = {Outcome.KEPT: "good", Outcome.LATE: "bad", Outcome.WAITING: "info", Outcome.NONE: "calm"}
_COLUMNS = (
    Ticket.number, Ticket.organisation_id, Ticket.product_id, Ticket.channel, Ticket.severity, Ticket.title,
    Ticket.created_at, Ticket.answered_at,
)  # fmt: skip
_OUTCOMES = {Standing.KEPT: Outcome.KEPT, Standing.BROKEN: Outcome.LATE, Standing.OVERDUE: Outcome.LATE}


@dataclass(frozen=True)
class Wanted:
    """Which tickets a report is about; None narrows nothing."""

    months: Months
    organisation_id: UUID | None = None
    channel: TicketChannel | None = None
    severity: TicketSeverity | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Line:
    """One ticket and its customer behind a number. `reading` is the promise of a first answer; None: none is made
    (it was closed unanswered, or its programme promises nothing for its channel and severity)."""

    ticket: Ticket
    organisation: Organisation
    month: Month
    time_zone: str
    reading: Reading | None

    @property
    def outcome(self) -> Outcome:
        return _OUTCOMES.get(self.reading.standing, Outcome.WAITING) if self.reading else Outcome.NONE

    @property
    def answered_at(self) -> datetime | None:
        return self.reading.stopped_at if self.reading else self.ticket.answered_at

    @property
    def left(self) -> timedelta | None:
        """By how much it was kept; negative: by how much it was missed."""
        return self.reading.left if self.reading else None


@dataclass(frozen=True)
class Figures:
    asked: int = 0
    kept: int = 0
    late: int = 0
    waiting: int = 0
    none: int = 0

    @property
    def permille(self) -> int | None:
        """The share answered in time, of those that are decided, rounded down: 1000 only where none was late."""
        decided = self.kept + self.late
        return 1000 * self.kept // decided if decided else None


def lines(session: Session, wanted: Wanted, *, visible_to: Actor, at: datetime) -> list[Line]:
    """Every ticket that is meant, in the order of opening; a customer's own alone.

    Seven statements, however many tickets. Raises NotFound for another customer's, TooManyTickets.
    """
    rows = _meant(wanted, visible_to)
    ids = rows.with_only_columns(Ticket.id)
    if (session.scalar(select(func.count()).select_from(ids.limit(MOST_TICKETS + 1).subquery())) or 0) > MOST_TICKETS:
        raise TooManyTickets(limit=MOST_TICKETS)
    needed = load_only(*_COLUMNS, raiseload=True)
    tickets = session.scalars(rows.options(needed).order_by(Ticket.created_at, Ticket.number)).all()
    homes = select(Organisation).where(Organisation.id.in_({ticket.organisation_id for ticket in tickets}))
    organisations = {home.id: home for home in session.scalars(homes)}
    terms = terms_of(session, tickets)
    programmes = {ticket_id: one.programme for ticket_id, one in terms.items()}
    clocks = clocks_of(session, tickets, at=at, programmes=programmes, ids=ids, measures=(Measure.RESPONSE,))
    found = []
    for ticket in tickets:
        contract, home = terms[ticket.id].contract, organisations[ticket.organisation_id]
        zone = contract.time_zone if contract else home.time_zone
        month = Month.of(ticket.created_at, zone)
        line = Line(ticket, home, month, zone, clocks[ticket.id].get(Measure.RESPONSE))
        if month in wanted.months and wanted.outcome in (None, line.outcome):
            found.append(line)
    return found


def figures(found: Iterable[Line]) -> Figures:
    counts = Counter(line.outcome for line in found)
    return Figures(
        counts.total(), counts[Outcome.KEPT], counts[Outcome.LATE], counts[Outcome.WAITING], counts[Outcome.NONE]
    )


def grouped(found: Sequence[Line], key: Callable[[Line], Key]) -> dict[Key, Figures]:
    """The figures of each group, in the order in which the groups first occur."""
    groups: dict[Key, list[Line]] = {}
    for line in found:
        groups.setdefault(key(line), []).append(line)
    return {name: figures(some) for name, some in groups.items()}


def organisation_of(wanted_id: UUID | None, visible_to: Actor) -> UUID | None:
    """Whose figures: a customer's are its own whatever it asks. Raises NotFound for another's."""
    if visible_to.is_staff:
        return wanted_id
    if not visible_to.is_customer or visible_to.organisation_id is None:
        raise NotFound
    if wanted_id not in (None, visible_to.organisation_id):
        raise NotFound
    return visible_to.organisation_id


def customers(session: Session, *, visible_to: Actor) -> Sequence[Organisation]:
    """Customers to choose from; a customer has no choice."""
    if not visible_to.is_staff:
        return ()
    rows = select(Organisation).where(Organisation.kind == OrganisationKind.CUSTOMER).order_by(Organisation.name)
    return session.scalars(rows).all()


def _meant(wanted: Wanted, visible_to: Actor) -> Select[Ticket]:
    """By an index of the time of opening, a day more than any zone's month on either side."""
    organisation_id = organisation_of(wanted.organisation_id, visible_to)
    months = wanted.months
    rows = select(Ticket).where(Ticket.created_at >= months.earliest, Ticket.created_at < months.latest)
    if organisation_id:
        rows = rows.where(Ticket.organisation_id == organisation_id)
    if wanted.channel:
        rows = rows.where(Ticket.channel == wanted.channel)
    if wanted.severity:
        rows = rows.where(Ticket.severity == wanted.severity)
    return rows
