"""What was sent by e-mail for a delivery: messages, the links in them, and what came back."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, HasId, words
from portal.deliveries.models import Delivery
from portal.deliveries.states import BY_ATTACHMENT
from portal.errors import mark


class MailLink(HasId, Base):
    """One link given out for a delivery.

    The secret in its address is made of `seed` and the portal's own key each time it is needed, and is kept nowhere:
    `secret_hash` is its SHA-256, hex. `session_marker` stands in the cookies of those who showed the right code;
    another one ends them all. `opened_count` is how often the right code was shown. `kit_ranges` are the merged
    [first, end) ranges of the kit's archive that left.
    """

    __tablename__ = "mail_links"
    __table_args__ = (UniqueConstraint("secret_hash"), Index("ix_mail_links_delivery", "delivery_id"))

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    seed: Mapped[bytes] = mapped_column(LargeBinary(32))
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    session_marker: Mapped[str] = mapped_column(String(32))
    code_sent_at: Mapped[datetime | None]
    code_confirmed_at: Mapped[datetime | None]
    opened_count: Mapped[int] = mapped_column(default=0)
    last_opened_at: Mapped[datetime | None]
    kit_ranges: Mapped[list[Any]] = mapped_column(JSON, default=list)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    withdrawn_by_name: Mapped[str] = mapped_column(String(200), default="")
    withdrawn_because: Mapped[str] = mapped_column(String(500), default="")

    delivery: Mapped[Delivery] = relationship(lazy="raise")

    def is_open(self, at: datetime) -> bool:
        return self.withdrawn_at is None and at < self.expires_at

    def withdraw(self, reason: str, by: UUID | None, by_name: str, at: datetime) -> None:
        self.withdrawn_at, self.withdrawn_because, self.withdrawn_by, self.withdrawn_by_name = at, reason, by, by_name


class MessageKind(StrEnum):
    """What a message carries: a link to the files, the files themselves, or a word that a link ends soon."""

    LINK = "link"
    ATTACHMENT = BY_ATTACHMENT
    REMINDER = "reminder"


class MessageState(StrEnum):
    """Where a message stands. The mail server's word that it took it is not the recipient's that it came."""

    WAITING = "waiting"
    SENT = "sent"
    DELAYED = "delayed"
    ARRIVED = "arrived"
    BOUNCED = "bounced"
    STOPPED = "stopped"


MESSAGE_KIND_TITLES = {
    MessageKind.LINK: mark("Message with a link"),
    MessageKind.ATTACHMENT: mark("Message with the files"),
    MessageKind.REMINDER: mark("Reminder"),
}
MESSAGE_STATE_TITLES = {
    MessageState.WAITING: mark("Waits to be sent"),
    MessageState.SENT: mark("Taken by the mail server"),
    MessageState.DELAYED: mark("Delayed on its way"),
    MessageState.ARRIVED: mark("Reached the recipient's mail server"),
    MessageState.BOUNCED: mark("Came back"),
    MessageState.STOPPED: mark("Not sent"),
}
MESSAGE_STATE_BADGES = {
    MessageState.WAITING: "info",
    MessageState.SENT: "info",
    MessageState.DELAYED: "warn",
    MessageState.ARRIVED: "good",
    MessageState.BOUNCED: "bad",
    MessageState.STOPPED: "calm",
}


REPORT_TITLES = {
    "failed": mark("came back"),
    "delayed": mark("is delayed"),
    "delivered": mark("was put into the mailbox"),
    "relayed": mark("was passed on to another server"),
    "expanded": mark("was passed on to several mailboxes"),
}
"""What a mail server said of a message, by RFC 3464's words."""


class MailMessage(HasId, Base):
    """One message of a delivery, from the order to send it until what came back.

    `ordered_by` is {person_id, name, address} of whoever had it sent. `waiting_since` is when the mail server first
    did not take it; `last_error` why it was not sent. `reports` are what servers said of it since, each
    {action, status, diagnostic, reported_by, report_id, at}.
    """

    __tablename__ = "mail_messages"
    __table_args__ = (UniqueConstraint("message_id"), Index("ix_mail_messages_delivery", "delivery_id", "created_at"))

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    link_id: Mapped[UUID] = mapped_column(ForeignKey("mail_links.id"), index=True)
    kind: Mapped[MessageKind] = mapped_column(words(MessageKind))
    state: Mapped[MessageState] = mapped_column(words(MessageState), default=MessageState.WAITING)
    message_id: Mapped[str] = mapped_column(String(200))
    recipient: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]
    ordered_by: Mapped[dict[str, Any]]
    sent_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(500), default="")
    reports: Mapped[list[Any]] = mapped_column(JSON, default=list)

    delivery: Mapped[Delivery] = relationship(lazy="raise")
    link: Mapped[MailLink] = relationship(lazy="raise")

    @property
    def is_waiting(self) -> bool:
        return self.state is MessageState.WAITING

    @property
    def carries_files(self) -> bool:
        return self.kind is MessageKind.ATTACHMENT
