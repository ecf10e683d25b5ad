"""Incidents and questions of one customer, private to it (P2, P5)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.db import Base, HasId, words
from portal.errors import mark
from portal.releases.models import Issue, Product, Release


class TicketKind(StrEnum):
    INCIDENT = "incident"
    QUESTION = "question"


class TicketState(StrEnum):
    NEW = "new"
    OPEN = "open"
    WAITING_FOR_CUSTOMER = "waiting-for-customer"
    WAITING_FOR_RELEASE = "waiting-for-release"
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


class TicketEventKind(StrEnum):
    OPENED = "opened"
    MESSAGE = "message"
    NOTE = "note"
    STATE = "state"
    LINKED = "linked"


TICKET_KIND_TITLES = {TicketKind.INCIDENT: mark("Incident"), TicketKind.QUESTION: mark("Question")}
TICKET_STATE_TITLES = {
    TicketState.NEW: mark("New"),
    TicketState.OPEN: mark("Open"),
    TicketState.WAITING_FOR_CUSTOMER: mark("Waiting for you"),
    TicketState.WAITING_FOR_RELEASE: mark("Waiting for a release"),
    TicketState.RESOLVED: mark("Resolved"),
    TicketState.CLOSED: mark("Closed"),
}
TICKET_SEVERITY_TITLES = {
    TicketSeverity.CRITICAL: mark("Critical: service is down"),
    TicketSeverity.MAJOR: mark("Major: service is degraded"),
    TicketSeverity.MINOR: mark("Minor"),
}


class Ticket(HasId, Base):
    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_tickets_organisation_created", "organisation_id", "created_at"),
        Index("ix_tickets_state_created", "state", "created_at"),
    )

    number: Mapped[int]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[TicketKind] = mapped_column(words(TicketKind))
    channel: Mapped[TicketChannel] = mapped_column(words(TicketChannel))
    severity: Mapped[TicketSeverity] = mapped_column(words(TicketSeverity))
    state: Mapped[TicketState] = mapped_column(words(TicketState), default=TicketState.NEW)
    title: Mapped[str] = mapped_column(String(200))
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id"))
    installed_version: Mapped[str | None] = mapped_column(String(100))
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    product: Mapped[Product | None] = relationship(lazy="raise")
    opener: Mapped[Person | None] = relationship(lazy="raise")
    events: Mapped[list["TicketEvent"]] = relationship(
        lazy="raise", back_populates="ticket", order_by="TicketEvent.sequence"
    )
    issues: Mapped[list[Issue]] = relationship(lazy="raise", secondary="ticket_issues")
    releases: Mapped[list[Release]] = relationship(lazy="raise", secondary="ticket_releases")


class TicketEvent(HasId, Base):
    """One entry of the thread. A `note` is internal: never shown to the customer."""

    __tablename__ = "ticket_events"
    __table_args__ = (UniqueConstraint("ticket_id", "sequence"),)

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    sequence: Mapped[int]
    kind: Mapped[TicketEventKind] = mapped_column(words(TicketEventKind))
    at: Mapped[datetime]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    person_name: Mapped[str] = mapped_column(String(200))
    by_staff: Mapped[bool]
    body: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[str] = mapped_column(String(300), default="")

    ticket: Mapped[Ticket] = relationship(lazy="raise", back_populates="events")


class TicketIssue(Base):
    __tablename__ = "ticket_issues"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True, index=True)


class TicketRelease(Base):
    __tablename__ = "ticket_releases"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True, index=True)
