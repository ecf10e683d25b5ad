"""The ledger of every handing-over. Channel download is the first; the others join the same table."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.db import Base, HasId, words
from portal.errors import mark
from portal.releases.models import Artifact, Release


class Channel(StrEnum):
    DOWNLOAD = "download"
    EMAIL = "email"
    COURIER = "courier"
    HAND_OVER = "hand-over"
    REMOTE_INSTALLATION = "remote-installation"


class DeliveryState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    PREPARED = "prepared"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"
    REFUSED = "refused"
    RETURNED = "returned"


DELIVERY_STATE_TITLES = {
    DeliveryState.REQUESTED: mark("Requested"),
    DeliveryState.APPROVED: mark("Approved"),
    DeliveryState.PREPARED: mark("Prepared"),
    DeliveryState.DISPATCHED: mark("Issued"),
    DeliveryState.DELIVERED: mark("Transferred in full"),
    DeliveryState.ACKNOWLEDGED: mark("Receipt confirmed"),
    DeliveryState.CANCELLED: mark("Cancelled"),
    DeliveryState.FAILED: mark("Failed"),
    DeliveryState.LOST: mark("Lost"),
    DeliveryState.REFUSED: mark("Refused by the recipient"),
    DeliveryState.RETURNED: mark("Returned"),
}


class Delivery(HasId, Base):
    """One handing-over to one customer by one channel. `decision` is the entitlement with its basis, kept for ever.

    A download holds one artifact; `open_key` names the running download of a person and artifact, so that the ranges
    of one download, four at a time or resumed tomorrow, are one delivery.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("open_key"),
        Index("ix_deliveries_organisation_created", "organisation_id", "created_at"),
        Index("ix_deliveries_release", "release_id"),
    )

    channel: Mapped[Channel] = mapped_column(words(Channel))
    state: Mapped[DeliveryState] = mapped_column(words(DeliveryState))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    person_name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    decision: Mapped[dict[str, Any]]
    open_key: Mapped[str | None] = mapped_column(String(80))

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    release: Mapped[Release] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise")
    items: Mapped[list["DeliveryItem"]] = relationship(lazy="raise", back_populates="delivery")
    events: Mapped[list["DeliveryEvent"]] = relationship(
        lazy="raise", back_populates="delivery", order_by="DeliveryEvent.sequence"
    )


class DeliveryItem(Base):
    """One artifact of a delivery; `sent_ranges` are the merged [first, end) byte ranges that left the portal."""

    __tablename__ = "delivery_items"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    artifact_id: Mapped[UUID] = mapped_column(ForeignKey("artifacts.id"), primary_key=True, index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    sent: Mapped[dict[str, Any]] = mapped_column(default=lambda: {"ranges": []})

    delivery: Mapped[Delivery] = relationship(lazy="raise", back_populates="items")
    artifact: Mapped[Artifact] = relationship(lazy="raise")


class DeliveryEvent(HasId, Base):
    """One change, who made it, when, with what evidence, and the hash of the one before."""

    __tablename__ = "delivery_events"
    __table_args__ = (UniqueConstraint("delivery_id", "sequence"),)

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    sequence: Mapped[int]
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    person_id: Mapped[UUID | None]
    person_name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    evidence: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    delivery: Mapped[Delivery] = relationship(lazy="raise", back_populates="events")
