"""The outbox: one message per event and recipient."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, HasId


class OutgoingMail(HasId, Base):
    """`headers` stand beside or instead of the usual ones.

    `secret_until`: the text holds a secret. It is forgotten when it was sent, and never sent after that instant.
    """

    __tablename__ = "outgoing_mail"
    __table_args__ = (UniqueConstraint("key"),)

    key: Mapped[str] = mapped_column(String(200))
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    secret_until: Mapped[datetime | None]


class OutgoingText(HasId, Base):
    """A text message to a telephone, kept and sent as letters are."""

    __tablename__ = "outgoing_texts"
    __table_args__ = (UniqueConstraint("key"),)

    key: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    secret_until: Mapped[datetime | None]
