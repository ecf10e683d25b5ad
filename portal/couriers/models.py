"""Media that hold kits, what was written on them, how they travel, and what went wrong on the way."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.couriers.errors import IncidentClosed, MediumMoveOutOfOrder
from portal.couriers.states import (
    MEDIUM_MOVES,
    IncidentKind,
    IncidentOutcome,
    MediumKind,
    MediumOwner,
    MediumState,
    WritingOutcome,
)
from portal.db import Base, HasId, words
from portal.deliveries.models import Delivery
from portal.object_keys import HOLDS_OBJECT_KEYS


class Medium(HasId, Base):
    """A thing that holds a kit. `serial_key` is the serial without case, spaces and dashes: the same medium twice is
    the same whoever types it. `organisation` is the customer where the medium is the customer's own.
    """

    __tablename__ = "media"
    __table_args__ = (
        UniqueConstraint("serial_key"),
        CheckConstraint("(owner = 'customer') = (organisation_id IS NOT NULL)", name="customers_have_names"),
        Index("ix_media_state", "state"),
    )

    kind: Mapped[MediumKind] = mapped_column(words(MediumKind))
    serial: Mapped[str] = mapped_column(String(100))
    serial_key: Mapped[str] = mapped_column(String(100))
    capacity_bytes: Mapped[int] = mapped_column(BigInteger)
    owner: Mapped[MediumOwner] = mapped_column(words(MediumOwner))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    state: Mapped[MediumState] = mapped_column(words(MediumState), default=MediumState.IN_STOCK)
    note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    organisation: Mapped[Organisation | None] = relationship(lazy="raise")
    moves: Mapped[list["MediumMove"]] = relationship(
        lazy="raise", back_populates="medium", order_by="MediumMove.number"
    )

    def move(self, state: MediumState, at: datetime) -> None:
        """Raises MediumMoveOutOfOrder."""
        if state not in MEDIUM_MOVES[self.state]:
            raise MediumMoveOutOfOrder(serial=self.serial, state=self.state.value, wanted=state.value)
        self.state, self.changed_at = state, at


class MediumMove(HasId, Base):
    """One change of a medium's state. `proof` is {text, file: {key, name, size_bytes, sha256}} or None."""

    __tablename__ = "medium_moves"
    __table_args__ = (UniqueConstraint("medium_id", "number"),)

    medium_id: Mapped[UUID] = mapped_column(ForeignKey("media.id"))
    number: Mapped[int]
    state: Mapped[MediumState] = mapped_column(words(MediumState))
    delivery_id: Mapped[UUID | None] = mapped_column(ForeignKey("deliveries.id"), index=True)
    reason: Mapped[str] = mapped_column(String(1000), default="")
    proof: Mapped[dict[str, Any] | None] = mapped_column(info=HOLDS_OBJECT_KEYS)
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))

    medium: Mapped[Medium] = relationship(lazy="raise", back_populates="moves")
    delivery: Mapped[Delivery | None] = relationship(lazy="raise")


class MediumWriting(HasId, Base):
    """One attempt to write a delivery's kit on a medium, and what reading back said."""

    __tablename__ = "medium_writings"
    __table_args__ = (Index("ix_medium_writings_medium", "medium_id"),)

    medium_id: Mapped[UUID] = mapped_column(ForeignKey("media.id"))
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), index=True)
    kit_name: Mapped[str] = mapped_column(String(255))
    kit_sha256: Mapped[str] = mapped_column(String(64))
    kit_size_bytes: Mapped[int] = mapped_column(BigInteger)
    read_back_sha256: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[WritingOutcome] = mapped_column(words(WritingOutcome))
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))

    medium: Mapped[Medium] = relationship(lazy="raise")
    delivery: Mapped[Delivery] = relationship(lazy="raise")


class Carrier(HasId, Base):
    """Who takes parcels along. `tracking_url` is an https address with {tracking} in it, or empty."""

    __tablename__ = "carriers"
    __table_args__ = (UniqueConstraint("name_key"),)

    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    tracking_url: Mapped[str] = mapped_column(String(500), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Consignment(HasId, Base):
    """One written medium on its way for one delivery.

    While it is open, `open_medium_id` and `open_delivery_id` hold both: a medium serves one delivery at a time, whoever
    asks first. A bag or seal goes out once (`seal_key`). `secret_hash` and `code_hash` (SHA-256, hex) are of what the
    QR and the slip carry; neither is kept. `signature` is {key, sha256, size_bytes, drawn}; `seen` what the recipient
    typed: {serial, seal, digest}.
    """

    __tablename__ = "consignments"
    __table_args__ = (
        UniqueConstraint("open_medium_id"),
        UniqueConstraint("open_delivery_id"),
        UniqueConstraint("secret_hash"),
        UniqueConstraint("seal_key"),
        Index("ix_consignments_delivery", "delivery_id"),
        Index("ix_consignments_medium", "medium_id"),
        Index("ix_consignments_handed_over", "handed_over_at"),
    )

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    medium_id: Mapped[UUID] = mapped_column(ForeignKey("media.id"))
    open_medium_id: Mapped[UUID | None]
    open_delivery_id: Mapped[UUID | None]
    writing_id: Mapped[UUID] = mapped_column(ForeignKey("medium_writings.id"))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    seal: Mapped[str] = mapped_column(String(100), default="")
    seal_key: Mapped[str | None] = mapped_column(String(100))
    packed_at: Mapped[datetime | None]
    packed_by: Mapped[str] = mapped_column(String(200), default="")
    carrier_id: Mapped[UUID | None] = mapped_column(ForeignKey("carriers.id"))
    tracking: Mapped[str] = mapped_column(String(100), default="")
    handed_over_at: Mapped[datetime | None]
    secret_hash: Mapped[str] = mapped_column(String(64))
    code_hash: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    reminders: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime | None]
    received_by: Mapped[str] = mapped_column(String(200), default="")
    signature: Mapped[dict[str, Any] | None] = mapped_column(info=HOLDS_OBJECT_KEYS)
    seen: Mapped[dict[str, Any] | None]

    delivery: Mapped[Delivery] = relationship(lazy="raise")
    medium: Mapped[Medium] = relationship(lazy="raise")
    writing: Mapped[MediumWriting] = relationship(lazy="raise")
    carrier: Mapped[Carrier | None] = relationship(lazy="raise")

    @property
    def is_packed(self) -> bool:
        return bool(self.seal and self.carrier_id)

    def close(self, at: datetime) -> None:
        """The medium is free for another delivery as far as this one goes, and this one for another medium."""
        self.closed_at, self.open_medium_id, self.open_delivery_id = self.closed_at or at, None, None


class Incident(HasId, Base):
    """A difference between what was sent and what arrived. `seen` is {serial, seal, digest} as the recipient typed."""

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_delivery", "delivery_id"), Index("ix_incidents_closed", "closed_at"))

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    consignment_id: Mapped[UUID | None] = mapped_column(ForeignKey("consignments.id"))
    kind: Mapped[IncidentKind] = mapped_column(words(IncidentKind))
    text: Mapped[str] = mapped_column(String(2000))
    seen: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(String(200))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(String(200), default="")
    outcome: Mapped[IncidentOutcome | None] = mapped_column(words(IncidentOutcome))
    outcome_text: Mapped[str] = mapped_column(String(2000), default="")

    delivery: Mapped[Delivery] = relationship(lazy="raise")

    def close(self, outcome: IncidentOutcome, text: str, by_name: str, at: datetime) -> None:
        """Raises IncidentClosed."""
        if self.closed_at is not None:
            raise IncidentClosed
        self.outcome, self.outcome_text, self.closed_by, self.closed_at = outcome, text, by_name, at
