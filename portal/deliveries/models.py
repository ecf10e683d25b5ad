"""The ledger of every handing-over: one table for all channels, one chain of events for each delivery."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.authority.models import AuthorizedPerson
from portal.db import Base, HasId, words
from portal.deliveries.errors import DeliveryStopped, MovesWithUpdate, StepOutOfOrder
from portal.deliveries.spans import merged
from portal.deliveries.states import (
    CLOSED_STATES,
    HELD_STATES,
    TRANSITIONS,
    WHILE_STOPPED,
    Channel,
    DeliveryState,
    EventKind,
)
from portal.object_keys import HOLDS_OBJECT_KEYS
from portal.releases.models import Artifact, Release
from portal.web.byte_ranges import Span


class Delivery(HasId, Base):
    """One handing-over to one customer by one channel. `decision` is the entitlement with its basis, kept for ever.

    A download holds one artifact; `open_key` names the running download of a person and artifact, so that the ranges
    of one download, four at a time or resumed tomorrow, are one delivery.

    Every other channel begins with a request and has a `number` (`D-000017`) that people read to each other. One
    request for several releases is several deliveries with the same `request_id`. `recipient` is the authorized
    person as it was at the request: {name, email, phone, language}; `destination` {label, lines, country, phone} of
    the address book, for what travels. `since` is when the state was entered, `due_at` when it is overdue, `stopped_at`
    when an incident stopped it.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("open_key"),
        UniqueConstraint("number"),
        Index("ix_deliveries_state_due", "state", "due_at"),
        Index("ix_deliveries_request", "request_id"),
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
    number: Mapped[str | None] = mapped_column(String(20))
    request_id: Mapped[UUID | None]
    recipient_id: Mapped[UUID | None] = mapped_column(ForeignKey("authorized_persons.id"), index=True)
    recipient: Mapped[dict[str, Any] | None]
    destination: Mapped[dict[str, Any] | None]
    wanted_by: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(2000), default="")
    since: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("deliveries.id"))

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    release: Mapped[Release] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise")
    authorized_person: Mapped[AuthorizedPerson | None] = relationship(lazy="raise")
    replaces: Mapped["Delivery | None"] = relationship(lazy="raise", remote_side="Delivery.id")
    items: Mapped[list["DeliveryItem"]] = relationship(lazy="raise", back_populates="delivery")
    events: Mapped[list["DeliveryEvent"]] = relationship(
        lazy="raise", back_populates="delivery", order_by="DeliveryEvent.sequence"
    )

    @property
    def is_held(self) -> bool:
        return self.state in HELD_STATES

    @property
    def is_closed(self) -> bool:
        return self.state in CLOSED_STATES

    def require_on_its_own(self) -> None:
        """Raises MovesWithUpdate for a remote installation."""
        if self.channel is Channel.REMOTE_INSTALLATION:
            raise MovesWithUpdate(number=self.number or "")

    def may_become(self, state: DeliveryState) -> bool:
        return state in TRANSITIONS[self.channel].get(self.state, ())

    def transferred(self, at: datetime) -> None:
        """All bytes have left; a later download is another delivery."""
        self._become(DeliveryState.DELIVERED)
        self.delivered_at, self.open_key = at, None

    def acknowledge(self, at: datetime) -> None:
        """The customer has checked what it received."""
        self._become(DeliveryState.ACKNOWLEDGED)
        self.delivered_at, self.acknowledged_at, self.open_key = self.delivered_at or at, at, None

    def require_step(self, state: DeliveryState) -> None:
        """Raises StepOutOfOrder unless the state may follow, DeliveryStopped while an incident is open."""
        if not self.may_become(state):
            raise StepOutOfOrder(state=self.state.value, wanted=state.value)
        if self.stopped_at is not None and state not in WHILE_STOPPED:
            raise DeliveryStopped(number=self.number or "")

    def become(self, state: DeliveryState, at: datetime) -> None:
        """Enter a state that may follow; the ledger calls it with the proof. Raises StepOutOfOrder, DeliveryStopped."""
        self.require_step(state)
        self.state = state
        self.since = at
        if state in HELD_STATES:
            self.delivered_at = self.delivered_at or at
        if state is DeliveryState.ACKNOWLEDGED:
            self.acknowledged_at = at

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
    evidence: Mapped[dict[str, Any]] = mapped_column(info=HOLDS_OBJECT_KEYS)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    delivery: Mapped[Delivery] = relationship(lazy="raise", back_populates="events")


class DeliveryAddress(HasId, Base):
    """One address of a customer's address book, where a courier goes. `lines` are five at most."""

    __tablename__ = "delivery_addresses"
    __table_args__ = (Index("ix_delivery_addresses_organisation", "organisation_id"),)

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    label: Mapped[str] = mapped_column(String(100))
    lines: Mapped[list[str]]
    country: Mapped[str] = mapped_column(String(2))
    phone: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class DeliveryPolicy(Base):
    """What a customer lets the portal do: attach small files to letters; and asks of it: a witness at a hand-over."""

    __tablename__ = "delivery_policies"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    may_attach: Mapped[bool] = mapped_column(default=False)
    wants_witness: Mapped[bool] = mapped_column(default=False)
