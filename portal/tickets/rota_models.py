"""Who is on duty at the support centre, and what one shift leaves to the next (P1)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Person
from portal.db import Base, HasId, words
from portal.errors import mark


class DutyRole(StrEnum):
    ON_DUTY = "on-duty"
    SHIFT_LEAD = "shift-lead"


DUTY_ROLE_TITLES = {DutyRole.ON_DUTY: mark("On duty"), DutyRole.SHIFT_LEAD: mark("Shift lead")}


class DutyShift(HasId, Base):
    """[starts_at, ends_at) of one person. `phone` is where text messages reach them then; empty: by letter only."""

    __tablename__ = "duty_shifts"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_duty_shifts_ends_starts", "ends_at", "starts_at"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    role: Mapped[DutyRole] = mapped_column(words(DutyRole))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    phone: Mapped[str] = mapped_column(String(40), default="")

    person: Mapped[Person] = relationship(lazy="raise")


class ShiftNote(HasId, Base):
    """What a shift hands over in words (Markdown): on top of the board until somebody of the next one has read it."""

    __tablename__ = "shift_notes"
    __table_args__ = (Index("ix_shift_notes_read_at", "read_at"),)

    at: Mapped[datetime]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    person_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    read_at: Mapped[datetime | None]
    read_by_name: Mapped[str | None] = mapped_column(String(200))
