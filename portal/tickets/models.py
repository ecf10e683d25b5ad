"""Incidents and questions of one customer, private to it (P2, P5)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.db import Base, HasId, words
from portal.errors import mark
from portal.releases.models import Issue, Product, Release
from portal.tickets.errors import StepNotPossible, TicketClosed
from portal.tickets.numbers import as_written


class TicketKind(StrEnum):
    INCIDENT = "incident"
    QUESTION = "question"


class TicketState(StrEnum):
    NEW = "new"
    OPEN = "open"
    WAITING_FOR_CUSTOMER = "waiting-for-customer"
    WAITING_FOR_RELEASE = "waiting-for-release"
    FIX_AVAILABLE = "fix-available"
    """A release cures it; the customer tries that and says whether it works."""
    RESOLVED = "resolved"
    CLOSED = "closed"


class TicketChannel(StrEnum):
    TELEPHONE = "telephone"
    WEB = "web"
    EMAIL = "email"
    API = "api"


class TicketSeverity(StrEnum):
    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


class Degree(StrEnum):
    """How much, and how soon."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class TicketEventKind(StrEnum):
    OPENED = "opened"
    MESSAGE = "message"
    NOTE = "note"
    STATE = "state"
    LINKED = "linked"
    SESSION = "session"
    """Remote access: the customer's consent and its end, a session's begin, and its record when it has ended."""
    ASSIGNED = "assigned"
    """An engineer took the ticket (`detail`: who), or gave it back (empty)."""
    ASSESSED = "assessed"
    """The support centre looked at how bad it is and what it is about; `detail` as `severities` reads it."""


def severities(detail: str) -> tuple[TicketSeverity, TicketSeverity]:
    """Before and after, of an event that the ticket was assessed; both are the same where only the rest changed."""
    before, after = detail.split()
    return TicketSeverity(before), TicketSeverity(after)


class Step(StrEnum):
    """A change of state that somebody asks for; answers change the state by themselves."""

    WAIT_FOR_CUSTOMER = "wait-for-customer"
    WAIT_FOR_RELEASE = "wait-for-release"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"


INTERNAL_KINDS = frozenset({TicketEventKind.NOTE, TicketEventKind.LINKED, TicketEventKind.ASSIGNED})
"""Never the customer's to see: notes, links, which may name an issue or a release that it may not know of, and who of
the support centre works on it."""

_S = TicketState
TRANSITIONS: dict[Step, dict[TicketState, TicketState]] = {
    Step.WAIT_FOR_CUSTOMER: dict.fromkeys((_S.OPEN, _S.WAITING_FOR_RELEASE), _S.WAITING_FOR_CUSTOMER),
    Step.WAIT_FOR_RELEASE: dict.fromkeys((_S.OPEN, _S.WAITING_FOR_CUSTOMER), _S.WAITING_FOR_RELEASE),
    Step.RESOLVE: dict.fromkeys((_S.OPEN, _S.WAITING_FOR_CUSTOMER, _S.WAITING_FOR_RELEASE), _S.RESOLVED),
    Step.CLOSE: dict.fromkeys((state for state in _S if state is not _S.CLOSED), _S.CLOSED),
    Step.REOPEN: dict.fromkeys((_S.FIX_AVAILABLE, _S.RESOLVED, _S.CLOSED), _S.OPEN),
}
AFTER_STAFF_ANSWER = {_S.NEW: _S.OPEN}
AFTER_CUSTOMER_ANSWER = dict.fromkeys((_S.WAITING_FOR_CUSTOMER, _S.FIX_AVAILABLE, _S.RESOLVED), _S.OPEN)

TICKET_KIND_TITLES = {TicketKind.INCIDENT: mark("Incident"), TicketKind.QUESTION: mark("Question")}
TICKET_STATE_TITLES = {
    TicketState.NEW: mark("New"),
    TicketState.OPEN: mark("Open"),
    TicketState.WAITING_FOR_CUSTOMER: mark("Waiting for the customer"),
    TicketState.WAITING_FOR_RELEASE: mark("Waiting for a release"),
    TicketState.FIX_AVAILABLE: mark("Fix available"),
    TicketState.RESOLVED: mark("Resolved"),
    TicketState.CLOSED: mark("Closed"),
}
TICKET_STATE_TITLES_FOR_CUSTOMER = {**TICKET_STATE_TITLES, TicketState.WAITING_FOR_CUSTOMER: mark("Waiting for you")}
TICKET_SEVERITY_TITLES = {
    TicketSeverity.CRITICAL: mark("Critical: service is down"),
    TicketSeverity.MAJOR: mark("Major: service is degraded"),
    TicketSeverity.MINOR: mark("Minor: service is not affected"),
}
TICKET_CHANNEL_TITLES = {
    TicketChannel.TELEPHONE: mark("Telephone"),
    TicketChannel.WEB: mark("Web"),
    TicketChannel.EMAIL: mark("E-mail"),
    TicketChannel.API: mark("API"),
}
STEP_TITLES = {
    Step.WAIT_FOR_CUSTOMER: mark("Wait for the customer"),
    Step.WAIT_FOR_RELEASE: mark("Wait for a release"),
    Step.RESOLVE: mark("Resolve"),
    Step.CLOSE: mark("Close"),
    Step.REOPEN: mark("Reopen"),
}


class TicketCounter(Base):
    """The last ticket number given out: one row, locked from the taking of a number to the end of the transaction."""

    __tablename__ = "ticket_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class DeskVersion(Base):
    """How often the engineers' board changed: one row, raised in the last moment of each commit that changes it."""

    __tablename__ = "desk_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class Ticket(HasId, Base):
    """`search_text` is the title as a search compares it: databases differ in what they call lower case.

    `answered_at` (first human answer), `last_answer_at`, `due_at` (the soonest end of a promise that runs) and
    `watch_at` (the next warning or call for help) are kept by `standing.keep` beside the events that they follow from,
    so that a board finds ten thousand tickets' order by an index. What is shown is computed from the events.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_tickets_created", "created_at"),
        Index("ix_tickets_organisation_created", "organisation_id", "created_at"),
        Index("ix_tickets_organisation_number", "organisation_id", "number"),
        Index("ix_tickets_state_created", "state", "created_at"),
        Index("ix_tickets_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_tickets_watch", "watch_at", postgresql_where=text("watch_at IS NOT NULL")),
        Index("ix_tickets_assigned", "assigned_to", "state", postgresql_where=text("assigned_to IS NOT NULL")),
        Index(
            "ix_tickets_search_text",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
    )

    number: Mapped[int]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[TicketKind] = mapped_column(words(TicketKind))
    channel: Mapped[TicketChannel] = mapped_column(words(TicketChannel))
    severity: Mapped[TicketSeverity] = mapped_column(words(TicketSeverity))
    state: Mapped[TicketState] = mapped_column(words(TicketState), default=TicketState.NEW)
    title: Mapped[str] = mapped_column(String(200))
    search_text: Mapped[str] = mapped_column(Text)
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id"), index=True)
    installed_version: Mapped[str | None] = mapped_column(String(100))
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id"))
    caller: Mapped[str] = mapped_column(String(200), default="")
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id"))
    impact: Mapped[Degree | None] = mapped_column(words(Degree))
    urgency: Mapped[Degree | None] = mapped_column(words(Degree))
    severity_reason: Mapped[str] = mapped_column(String(500), default="")
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"))
    created_at: Mapped[datetime]
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]
    last_answer_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    watch_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    product: Mapped[Product | None] = relationship(lazy="raise")
    opener: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[opened_by])
    assignee: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[assigned_to])
    events: Mapped[list["TicketEvent"]] = relationship(
        lazy="raise", back_populates="ticket", order_by="TicketEvent.sequence"
    )
    issues: Mapped[list[Issue]] = relationship(lazy="raise", secondary="ticket_issues", viewonly=True)
    releases: Mapped[list[Release]] = relationship(lazy="raise", secondary="ticket_releases", viewonly=True)

    def __str__(self) -> str:
        return as_written(self.number)

    def take(self, step: Step) -> None:
        """Change the state as the table allows. Raises StepNotPossible."""
        if self.state not in TRANSITIONS[step]:
            raise StepNotPossible(number=str(self), state=TICKET_STATE_TITLES[self.state])
        self.state = TRANSITIONS[step][self.state]

    def answered_by_staff(self) -> None:
        self._answered(AFTER_STAFF_ANSWER)

    def answered_by_customer(self) -> None:
        self._answered(AFTER_CUSTOMER_ANSWER)

    def _answered(self, after: dict[TicketState, TicketState]) -> None:
        if self.state is TicketState.CLOSED:
            raise TicketClosed(number=str(self))
        self.state = after.get(self.state, self.state)


class TicketEvent(HasId, Base):
    """One entry of the thread, only ever appended. `submission` is the sender's own word for this one sending.

    `is_automatic`: no human wrote it (a receipt, "fixed in …"); it stops no clock.
    """

    __tablename__ = "ticket_events"
    __table_args__ = (UniqueConstraint("ticket_id", "sequence"), UniqueConstraint("person_id", "submission"))

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    sequence: Mapped[int]
    kind: Mapped[TicketEventKind] = mapped_column(words(TicketEventKind))
    at: Mapped[datetime]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    person_name: Mapped[str] = mapped_column(String(200))
    by_staff: Mapped[bool]
    body: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[str] = mapped_column(String(300), default="")
    is_automatic: Mapped[bool] = mapped_column(default=False)
    submission: Mapped[str | None] = mapped_column(String(80))

    ticket: Mapped[Ticket] = relationship(lazy="raise", back_populates="events")


class ServiceProgramme(HasId, Base):
    """A service programme as data: `terms` as `programmes.to_terms` writes them. Contracts name it."""

    __tablename__ = "service_programmes"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(100))
    terms: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]


class TicketAlarm(HasId, Base):
    """That somebody was warned or called for one promise of a ticket; each rung once for each time that it is due.

    `rung` is `warning`, or the number of the ladder's rung. `due_at` is the promise's end as it was then; `at` when it
    was told, `told` to how many people.
    """

    __tablename__ = "ticket_alarms"
    __table_args__ = (UniqueConstraint("ticket_id", "measure", "rung", "due_at"),)

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    measure: Mapped[str] = mapped_column(String(40))
    rung: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime]
    at: Mapped[datetime]
    told: Mapped[int] = mapped_column(default=0)


class TicketIssue(Base):
    """The ticket is caused by the issue."""

    __tablename__ = "ticket_issues"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True, index=True)


class TicketRelease(Base):
    """The release answers the ticket, whether or not an issue stands between."""

    __tablename__ = "ticket_releases"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True, index=True)


class TicketFix(Base):
    """That the ticket's customer was told of a release that cures it, and, if so, that it was withdrawn; once each."""

    __tablename__ = "ticket_fixes"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True, index=True)
    told_at: Mapped[datetime]
    taken_back_at: Mapped[datetime | None]

    release: Mapped[Release] = relationship(lazy="raise")
