"""Which customer was told what of a release, and when: once each."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, words


class Occasion(StrEnum):
    PUBLISHED = "published"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class ReleaseNotice(Base):
    """A customer's people were written to about a release. `number` is that of the corrected notes, else 0."""

    __tablename__ = "release_notices"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True, index=True)
    occasion: Mapped[Occasion] = mapped_column(words(Occasion), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, default=0)
    told_at: Mapped[datetime]
    people: Mapped[int]
