"""Monthly statements, frozen once they are issued."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.db import Base, HasId
from portal.object_keys import NAMES_OBJECT


class Statement(HasId, Base):
    """What a customer was told of a month (`2026-02`, in `time_zone`), once and for all: rows are never changed.

    `object_key` names the signed archive, of `size_bytes` with this `sha256`; `key_id` is the key that signed it.
    `asked`, `kept` and `late` are its first answers, for lists.
    """

    __tablename__ = "statements"
    __table_args__ = (
        UniqueConstraint("organisation_id", "month"),
        Index("ix_statements_month", "month"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    month: Mapped[str] = mapped_column(String(7))
    time_zone: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    issued_at: Mapped[datetime]
    asked: Mapped[int]
    kept: Mapped[int]
    late: Mapped[int]
    key_id: Mapped[str] = mapped_column(String(64))
    object_key: Mapped[str] = mapped_column(String(200), info=NAMES_OBJECT)
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))

    organisation: Mapped[Organisation] = relationship(lazy="raise")


@event.listens_for(Statement, "before_update")
@event.listens_for(Statement, "before_delete")
def _never(*_row: object) -> None:
    raise TypeError("a statement that was issued is never changed")
