"""The append-only, hash-chained record of what was done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.actors import Via
from portal.db import Base, words


class AuditEvent(Base):
    """One change of state or one refusal. Rows bear names beside ids: they outlive what they speak of."""

    __tablename__ = "audit_events"

    sequence: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True,
                                          autoincrement=False)  # fmt: skip
    at: Mapped[datetime] = mapped_column(index=True)
    tag: Mapped[str] = mapped_column(String(60), index=True)
    via: Mapped[Via] = mapped_column(words(Via))
    person_id: Mapped[UUID | None] = mapped_column(index=True)
    person_name: Mapped[str] = mapped_column(String(200))
    organisation_id: Mapped[UUID | None] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(80), index=True)
    subject_name: Mapped[str] = mapped_column(String(300))
    facts: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last link of the chain: one row, locked while the next links are added."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(Text)
