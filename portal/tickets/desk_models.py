"""Who calls and writes, and what comes with a ticket: contacts, participants, files, mail, opinions.

Below `models.py`: nothing there needs these, and they need its tickets.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.db import Base, HasId, words
from portal.errors import mark
from portal.object_keys import NAMES_OBJECT
from portal.tickets.models import Ticket


class Contact(HasId, Base):
    """Somebody at a customer's who calls or writes, with a sign-in (`person_id`) or without.

    `phones` are as they were written; `phone_digits` are their digits, each number between spaces; `search_text` is
    the name as a search compares it. `email` is in lower case, "" where there is none.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_is_lower"),
        Index("ix_contacts_email", "email"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(200))
    search_text: Mapped[str] = mapped_column(Text)
    phones: Mapped[list[str]]
    phone_digits: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(String(254), default="")
    role: Mapped[str] = mapped_column(String(200), default="")
    is_night_contact: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(8), default="en")
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="raise")


class TicketParticipant(HasId, Base):
    """Somebody of the ticket's customer who gets what the support centre answers, besides who opened it."""

    __tablename__ = "ticket_participants"
    __table_args__ = (
        CheckConstraint("(contact_id IS NULL) <> (person_id IS NULL)", name="contact_or_person"),
        UniqueConstraint("ticket_id", "contact_id"),
        UniqueConstraint("ticket_id", "person_id"),
    )

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[datetime]

    contact: Mapped[Contact | None] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise")


class TicketFile(HasId, Base):
    """A file beside a ticket. `is_internal`: for the support centre alone. The server never opens it.

    `event_id` is the entry of the thread that it came with, where it came with one.
    """

    __tablename__ = "ticket_files"
    __table_args__ = (Index("ix_ticket_files_ticket_created", "ticket_id", "created_at"),)

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    event_id: Mapped[UUID | None] = mapped_column(ForeignKey("ticket_events.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    person_name: Mapped[str] = mapped_column(String(200))
    by_staff: Mapped[bool]
    is_internal: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(200), info=NAMES_OBJECT)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]


class TicketOpinion(HasId, Base):
    """What the customer thought of it after the end, once: 1 (bad) to 5 (good), and words."""

    __tablename__ = "ticket_opinions"
    __table_args__ = (UniqueConstraint("ticket_id"), CheckConstraint("score BETWEEN 1 AND 5", name="one_to_five"))

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    score: Mapped[int]
    words: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class MailState(StrEnum):
    POSTED = "posted"
    HELD = "held"
    DISCARDED = "discarded"


class Hold(StrEnum):
    """Why a message waits for somebody to look at it."""

    UNKNOWN_SENDER = "unknown-sender"
    SEVERAL_CUSTOMERS = "several-customers"
    FORGED_ADDRESS = "forged-address"
    AUTHENTICATION_FAILED = "authentication-failed"
    TOO_MANY = "too-many"
    TICKET_CLOSED = "ticket-closed"


HOLD_TITLES = {
    Hold.UNKNOWN_SENDER: mark("The sender is nobody's contact"),
    Hold.SEVERAL_CUSTOMERS: mark("The sender may be somebody of several customers"),
    Hold.FORGED_ADDRESS: mark("The reply address was not made for this sender"),
    Hold.AUTHENTICATION_FAILED: mark("The mail server says that the sender is not genuine"),
    Hold.TOO_MANY: mark("More messages in an hour than people write"),
    Hold.TICKET_CLOSED: mark("The ticket is closed"),
}


class TicketMail(HasId, Base):
    """A message that came in, once: `identity` is the digest of its Message-ID, or of its bytes where it has none.

    `sender` and `subject` are its claims. `key` is where the message lies in the store, whole.
    """

    __tablename__ = "ticket_mails"
    __table_args__ = (
        UniqueConstraint("identity"),
        Index("ix_ticket_mails_state_received", "state", "received_at"),
        Index("ix_ticket_mails_sender_received", "sender", "received_at"),
    )

    identity: Mapped[str] = mapped_column(String(64))
    state: Mapped[MailState] = mapped_column(words(MailState))
    hold: Mapped[Hold | None] = mapped_column(words(Hold))
    sender: Mapped[str] = mapped_column(String(254))
    sender_name: Mapped[str] = mapped_column(String(200), default="")
    subject: Mapped[str] = mapped_column(String(300))
    key: Mapped[str] = mapped_column(String(200), info=NAMES_OBJECT)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    received_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    ticket: Mapped[Ticket | None] = relationship(lazy="raise")
