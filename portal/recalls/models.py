"""One recall for each withdrawn release, and everybody who holds it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.db import Base, HasId, words
from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel
from portal.errors import mark
from portal.releases.models import Release


class Answer(StrEnum):
    REMOVED = "removed"
    KEPT = "kept"


ANSWER_TITLES = {
    Answer.REMOVED: mark("Removed"),
    Answer.KEPT: mark("Kept, with a reason"),
}


class Recall(HasId, Base):
    """What follows the withdrawal of one release (DESIGN 3.1: until 100 %)."""

    __tablename__ = "recalls"
    __table_args__ = (UniqueConstraint("release_id"),)

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    opened_at: Mapped[datetime]

    release: Mapped[Release] = relationship(lazy="raise")
    holdings: Mapped[list["Holding"]] = relationship(lazy="raise", back_populates="recall")


class Holding(HasId, Base):
    """A place where the release is: what one person downloaded, or what one delivery handed over.

    `key` says which (`download:<person>` or `delivery:<id>`); `delivery_id` is the newest of them. `place` is where it
    went and `medium` on what. `told_at` and `told_how` are set when the holder was told through the channel it came by.
    The last answer counts; each is an entry of the delivery.
    """

    __tablename__ = "recall_holdings"
    __table_args__ = (
        UniqueConstraint("recall_id", "key"),
        Index("ix_recall_holdings_organisation", "organisation_id"),
    )

    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recalls.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    key: Mapped[str] = mapped_column(String(60))
    channel: Mapped[Channel] = mapped_column(words(Channel))
    holder_name: Mapped[str] = mapped_column(String(200))
    holder_email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(8))
    place: Mapped[str] = mapped_column(String(600))
    medium: Mapped[str] = mapped_column(String(200))
    told_at: Mapped[datetime | None]
    told_how: Mapped[str] = mapped_column(String(300), default="")
    reminded_at: Mapped[datetime | None]
    answer: Mapped[Answer | None] = mapped_column(words(Answer))
    answer_reason: Mapped[str] = mapped_column(String(1000), default="")
    answered_at: Mapped[datetime | None]
    answered_name: Mapped[str] = mapped_column(String(200), default="")

    recall: Mapped[Recall] = relationship(lazy="raise", back_populates="holdings")
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    delivery: Mapped[Delivery] = relationship(lazy="raise")

    @property
    def is_mailed(self) -> bool:
        """Told by e-mail, by itself; the other channels are told by somebody who notes it."""
        return self.channel in (Channel.DOWNLOAD, Channel.EMAIL)
