"""The register of media: each is on record before it is written, and every change of its state is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.couriers.errors import (
    MediumNotFree,
    MediumOfAnother,
    NoProof,
    OwnerMissing,
    SerialTaken,
    UnknownMedium,
)
from portal.couriers.models import Consignment, Medium, MediumMove
from portal.couriers.states import NEEDS_PROOF, MediumKind, MediumOwner, MediumState
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from portal.errors import NotFound, WrongState
from portal.permissions import OrganisationKind
from portal.texts import lines, one_line

MAX_SERIAL_CHARS = 100
MAX_NOTE_CHARS = 1000
MAX_REASON_CHARS = 1000
GREATEST_CAPACITY = 2**53
OVER = (DeliveryState.CANCELLED, DeliveryState.FAILED)
"""A delivery in one of these has no use for the medium that was written for it."""


@dataclass(frozen=True)
class MediumFacts:
    """A medium to be put on record; `customer` where it is a customer's own."""

    kind: MediumKind
    serial: str
    capacity_bytes: int
    customer: Organisation | None = None
    note: str = ""


@dataclass(frozen=True)
class Proof:
    """What shows that something happened: words, or a file that the store holds, or both.

    `file` is {key, name, size_bytes, sha256, content_type}.
    """

    text: str = ""
    file: dict[str, Any] | None = None

    def require(self) -> dict[str, Any]:
        """As events and moves keep it. Raises NoProof, and the errors of portal.texts."""
        text = lines(self.text, limit=MAX_REASON_CHARS, required=False)
        if not text and not self.file:
            raise NoProof
        return {"text": text} | ({"file": self.file} if self.file else {})


@dataclass(frozen=True)
class Change:
    """Why a medium's state changes, in which delivery, and what proves it."""

    reason: str = ""
    delivery_id: UUID | None = None
    proof: dict[str, Any] | None = None


def key_of(serial: str) -> str:
    """A serial or seal number as it is compared: without case, spaces, dashes and other signs."""
    return "".join(sign for sign in serial.casefold() if sign.isalnum())


def add(session: Session, facts: MediumFacts, *, by: Actor, at: datetime) -> Medium:
    """A medium in stock. Raises SerialTaken, OwnerMissing, and the errors of portal.texts."""
    serial = one_line(facts.serial, limit=MAX_SERIAL_CHARS)
    key = key_of(serial) or serial
    if facts.customer is not None and facts.customer.kind is not OrganisationKind.CUSTOMER:
        raise OwnerMissing
    if session.scalar(select(Medium.id).where(Medium.serial_key == key)):
        raise SerialTaken(serial=serial)
    medium = Medium(
        kind=facts.kind,
        serial=serial,
        serial_key=key,
        capacity_bytes=min(facts.capacity_bytes, GREATEST_CAPACITY),
        owner=MediumOwner.CUSTOMER if facts.customer else MediumOwner.VENDOR,
        organisation_id=facts.customer.id if facts.customer else None,
        state=MediumState.IN_STOCK,
        note=lines(facts.note, limit=MAX_NOTE_CHARS, required=False),
        created_at=at,
        changed_at=at,
    )
    session.add(medium)
    session.flush()  # the first move needs the id
    session.add(MediumMove(medium_id=medium.id, number=1, state=medium.state, at=at, by_name=by.name))
    audit.record(session, Tag.MEDIUM_ADD, by=by, at=at, subject=medium, named=serial, kind=medium.kind.value)
    return medium


def locked(session: Session, medium_id: UUID) -> Medium:
    """The medium as it is now, its row held until the transaction ends. Raises NotFound."""
    rows = select(Medium).where(Medium.id == medium_id).with_for_update().execution_options(populate_existing=True)
    medium = session.scalar(rows)
    if medium is None:
        raise NotFound
    return medium


def by_serial(session: Session, serial: str) -> Medium:
    """The medium of this serial, however it is typed. Raises UnknownMedium."""
    found = session.scalar(select(Medium).where(Medium.serial_key == (key_of(serial) or serial)))
    if found is None:
        raise UnknownMedium(serial=serial[:MAX_SERIAL_CHARS])
    return found


def settle(session: Session, medium: Medium, *, by: Actor, at: datetime) -> None:
    """Free a medium, whose row the caller holds locked, that was written for what was cancelled or failed since."""
    rows = select(Consignment).where(Consignment.open_medium_id == medium.id).options(joinedload(Consignment.delivery))
    consignment = session.scalar(rows)
    if consignment is None or consignment.delivery.state not in OVER:
        return
    consignment.close(at)
    session.flush()  # whoever asks next whether it is taken must not find it
    if medium.state is MediumState.WRITTEN:
        move(session, medium, MediumState.IN_STOCK, Change(delivery_id=consignment.delivery_id), by=by, at=at)


def require_in_trouble(medium: Medium, delivery: Delivery) -> None:
    """That nobody waits for the medium to be used: its delivery was lost, refused or stopped. Raises MediumNotFree."""
    if delivery.state not in (DeliveryState.LOST, DeliveryState.REFUSED) and delivery.stopped_at is None:
        raise MediumNotFree(serial=medium.serial, state=medium.state.value)


def require_free(session: Session, medium: Medium, delivery: Delivery) -> None:
    """Raises MediumOfAnother when it is another customer's, MediumNotFree when it is not in stock or taken already."""
    if medium.owner is MediumOwner.CUSTOMER and medium.organisation_id != delivery.organisation_id:
        raise MediumOfAnother(serial=medium.serial)
    is_taken = session.scalar(select(Consignment.id).where(Consignment.open_medium_id == medium.id))
    if medium.state is not MediumState.IN_STOCK or is_taken:
        raise MediumNotFree(serial=medium.serial, state=medium.state.value)


def move(session: Session, medium: Medium, state: MediumState, change: Change, *, by: Actor,
         at: datetime) -> None:  # fmt: skip
    """Move a medium, whose row the caller holds locked, and keep why. Raises MediumMoveOutOfOrder, NoProof."""
    if state in NEEDS_PROOF and not change.proof:
        raise NoProof
    medium.move(state, at)
    last = session.scalar(select(func.max(MediumMove.number)).where(MediumMove.medium_id == medium.id)) or 0
    session.add(
        MediumMove(
            medium_id=medium.id,
            number=last + 1,
            state=state,
            delivery_id=change.delivery_id,
            reason=lines(change.reason, limit=MAX_REASON_CHARS, required=False),
            proof=change.proof,
            at=at,
            by_name=by.name,
        )
    )
    session.flush()  # the next move of this transaction counts this one
    audit.record(session, Tag.MEDIUM_STATE, by=by, at=at, subject=medium, named=medium.serial, state=state.value)


BY_HAND = (MediumState.IN_STOCK, MediumState.RETURNED, MediumState.LOST)
"""Where a clerk may put a medium that no delivery is using."""


def change_state(session: Session, medium_id: UUID, state: MediumState, *, change: Change, by: Actor,
                 at: datetime) -> Medium:  # fmt: skip
    """A clerk's own change of a medium that no open consignment holds; those move with their delivery.

    Raises MediumNotFree, MediumMoveOutOfOrder, NoProof, WrongState.
    """
    medium = locked(session, medium_id)
    settle(session, medium, by=by, at=at)
    if state not in BY_HAND:
        raise WrongState
    if medium.state is state is MediumState.IN_STOCK:
        return medium  # settled just now: what it was written for is cancelled
    if session.scalar(select(Consignment.id).where(Consignment.open_medium_id == medium.id)):
        raise MediumNotFree(serial=medium.serial, state=medium.state.value)
    move(session, medium, state, change, by=by, at=at)
    return medium
