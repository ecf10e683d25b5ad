"""The ledger of every handing-over. Channel download is the first; the others join the same table."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.db import Base, HasId, words
from portal.deliveries.errors import StepOutOfOrder
from portal.deliveries.spans import merged
from portal.errors import mark
from portal.releases.models import Artifact, Release
from portal.web.byte_ranges import Span


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
    DeliveryState.APPROVED: mark("Delivery approved"),
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


CHANNEL_TITLES = {
    Channel.DOWNLOAD: mark("By download"),
    Channel.EMAIL: mark("E-mail"),
    Channel.COURIER: mark("Courier"),
    Channel.HAND_OVER: mark("Hand-over in person"),
    Channel.REMOTE_INSTALLATION: mark("Remote installation"),
}

_S = DeliveryState
_PREPARING = {
    _S.REQUESTED: {_S.APPROVED, _S.CANCELLED},
    _S.APPROVED: {_S.PREPARED, _S.CANCELLED},
    _S.FAILED: {_S.PREPARED, _S.CANCELLED},
}
TRANSITIONS: dict[Channel, dict[DeliveryState, set[DeliveryState]]] = {
    # The decision approves and the link prepares: a download begins issued. Who shows the right digest has received
    # the bytes, even where another server sent them and the portal could not see it.
    Channel.DOWNLOAD: {_S.DISPATCHED: {_S.DELIVERED, _S.ACKNOWLEDGED}, _S.DELIVERED: {_S.ACKNOWLEDGED}},
    Channel.EMAIL: _PREPARING
    | {
        _S.PREPARED: {_S.DISPATCHED, _S.CANCELLED},
        _S.DISPATCHED: {_S.DELIVERED, _S.ACKNOWLEDGED, _S.FAILED, _S.CANCELLED},
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.REFUSED},
    },
    Channel.COURIER: _PREPARING
    | {
        _S.PREPARED: {_S.DISPATCHED, _S.CANCELLED, _S.FAILED},
        _S.DISPATCHED: {_S.DELIVERED, _S.LOST, _S.REFUSED, _S.RETURNED},
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.REFUSED, _S.RETURNED},
        _S.LOST: {_S.DELIVERED, _S.RETURNED},  # what was lost may turn up
        _S.REFUSED: {_S.RETURNED},
    },
    Channel.HAND_OVER: _PREPARING
    | {
        _S.PREPARED: {_S.DELIVERED, _S.REFUSED, _S.CANCELLED},
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.RETURNED},
    },
    Channel.REMOTE_INSTALLATION: _PREPARING
    | {
        _S.PREPARED: {_S.DELIVERED, _S.FAILED, _S.CANCELLED},
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.FAILED},
    },
}
"""Which state may follow which, channel by channel (DESIGN 3.3)."""

FIRST_STATES = dict.fromkeys(Channel, _S.REQUESTED) | {Channel.DOWNLOAD: _S.DISPATCHED}
HELD_STATES = (_S.DELIVERED, _S.ACKNOWLEDGED)
"""The customer has the bytes."""


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
        Index("ix_deliveries_created", "created_at"),
    )

    channel: Mapped[Channel] = mapped_column(words(Channel))
    state: Mapped[DeliveryState] = mapped_column(words(DeliveryState))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    person_name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    decision: Mapped[dict[str, Any]]
    open_key: Mapped[str | None] = mapped_column(String(80))

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    release: Mapped[Release] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise")
    items: Mapped[list["DeliveryItem"]] = relationship(lazy="raise", back_populates="delivery")
    events: Mapped[list["DeliveryEvent"]] = relationship(
        lazy="raise", back_populates="delivery", order_by="DeliveryEvent.sequence"
    )

    @property
    def is_held(self) -> bool:
        return self.state in HELD_STATES

    def may_become(self, state: DeliveryState) -> bool:
        return state in TRANSITIONS[self.channel].get(self.state, ())

    def transferred(self, at: datetime) -> None:
        """All bytes have left; a later download is another delivery."""
        self._become(_S.DELIVERED)
        self.delivered_at, self.open_key = at, None

    def acknowledge(self, at: datetime) -> None:
        """The customer has checked what it received."""
        self._become(_S.ACKNOWLEDGED)
        self.delivered_at, self.acknowledged_at, self.open_key = self.delivered_at or at, at, None

    def _become(self, state: DeliveryState) -> None:
        if not self.may_become(state):
            raise StepOutOfOrder(state=self.state.value, wanted=state.value)
        self.state = state


class DeliveryItem(Base):
    """One artifact of a delivery.

    `sent`: `ranges` are the merged [first, end) byte ranges that left the portal, `requests` how many asked,
    `unseen` whether another server sent bytes that the portal could not count, `last_at` when bytes last left.
    """

    __tablename__ = "delivery_items"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    artifact_id: Mapped[UUID] = mapped_column(ForeignKey("artifacts.id"), primary_key=True, index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    sent: Mapped[dict[str, Any]] = mapped_column(default=lambda: {"ranges": [], "requests": 0})

    delivery: Mapped[Delivery] = relationship(lazy="raise", back_populates="items")
    artifact: Mapped[Artifact] = relationship(lazy="raise")

    @property
    def ranges(self) -> list[Span]:
        return [Span(start, end) for start, end in self.sent["ranges"]]

    @property
    def sent_bytes(self) -> int:
        return sum(span.length for span in self.ranges)

    @property
    def is_unseen(self) -> bool:
        return bool(self.sent.get("unseen"))

    def note_request(self, *, is_seen: bool) -> None:
        self.sent = self.sent | {
            "requests": self.sent["requests"] + 1,
            "unseen": self.is_unseen or not is_seen,
        }

    def note_sent(self, span: Span, at: datetime) -> None:
        ranges = [[s.start, s.end] for s in merged([*self.ranges, span])]
        self.sent = self.sent | {"ranges": ranges, "last_at": at.isoformat()}

    @property
    def is_complete(self) -> bool:
        return self.sent_bytes == self.size_bytes


class EventKind(StrEnum):
    GRANTED = "granted"
    RESUMED = "resumed"
    TRANSFERRED = "transferred"
    DIGEST_DIFFERS = "digest-differs"
    CONFIRMED = "confirmed"


EVENT_TITLES = {
    EventKind.GRANTED: mark("Issued"),
    EventKind.RESUMED: mark("Connected again"),
    EventKind.TRANSFERRED: mark("All bytes have left the portal"),
    EventKind.DIGEST_DIFFERS: mark("The recipient reported another digest"),
    EventKind.CONFIRMED: mark("The recipient confirmed the digest"),
}


class DeliveryEvent(HasId, Base):
    """One change, who made it, when, with what evidence, and the hash of the one before."""

    __tablename__ = "delivery_events"
    __table_args__ = (UniqueConstraint("delivery_id", "sequence"),)

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    sequence: Mapped[int]
    kind: Mapped[EventKind] = mapped_column(words(EventKind))
    at: Mapped[datetime]
    person_id: Mapped[UUID | None]
    person_name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    evidence: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    delivery: Mapped[Delivery] = relationship(lazy="raise", back_populates="events")
