"""What the ledger learns when a kit was written on a medium and read back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.authority.rules import Need
from portal.couriers import media, slips
from portal.couriers.errors import NotACourierDelivery
from portal.couriers.media import Change
from portal.couriers.models import Consignment, Medium, MediumWriting
from portal.couriers.queries import open_consignment
from portal.couriers.states import MediumState, WritingOutcome
from portal.deliveries import ledger
from portal.deliveries.deciding import require_standing
from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel, DeliveryState, EventKind


@dataclass(frozen=True)
class Written:
    """One writing: digests are SHA-256, hex; `read_back_sha256` empty when it was broken off."""

    medium_id: UUID
    kit_name: str
    kit_sha256: str
    kit_size_bytes: int
    read_back_sha256: str

    @property
    def outcome(self) -> WritingOutcome:
        if not self.read_back_sha256:
            return WritingOutcome.FAILED
        return WritingOutcome.RIGHT if self.read_back_sha256 == self.kit_sha256 else WritingOutcome.DIFFERS

    def evidence(self, medium: Medium) -> dict[str, Any]:
        return {
            "medium_serial": medium.serial,
            "medium_kind": medium.kind.value,
            "file": self.kit_name,
            "size_bytes": self.kit_size_bytes,
            "sha256": self.kit_sha256,
            "read_back_sha256": self.read_back_sha256,
        }


def require_writable(session: Session, delivery: Delivery, medium: Medium, *, at: datetime) -> dict[str, Any]:
    """That a kit for this delivery may be written on this medium now; the decision, as events keep it.

    Raises NotACourierDelivery, StepOutOfOrder, DeliveryStopped, NotEntitled, NotAuthorized, MediumNotFree,
    MediumOfAnother.
    """
    if delivery.channel is not Channel.COURIER:
        raise NotACourierDelivery(number=delivery.number or "")
    delivery.require_step(DeliveryState.PREPARED)
    media.require_free(session, medium, delivery)
    return require_standing(session, delivery, need=Need.RECEIVE, at=at)


def record(session: Session, delivery_id: UUID, written: Written, *, secret_key: str, by: Actor,
           at: datetime) -> Consignment | None:  # fmt: skip
    """Keep what reading back said. Only a right one prepares the delivery and opens a consignment; otherwise None.

    Raises as require_writable: another clerk may have been faster.
    """
    delivery = ledger.locked(session, delivery_id)
    medium = media.locked(session, written.medium_id)
    _settle_former(session, delivery, by=by, at=at)
    media.settle(session, medium, by=by, at=at)
    decision = require_writable(session, delivery, medium, at=at)
    row = _row(delivery.id, written, by=by, at=at)
    session.add(row)
    evidence = written.evidence(medium)
    if written.outcome is not WritingOutcome.RIGHT:
        ledger.note(session, delivery, EventKind.MEDIUM_DIFFERS, evidence, by=by, at=at)
        return None
    ledger.note(session, delivery, EventKind.MEDIUM_WRITTEN, evidence, by=by, at=at)
    ledger.step(session, delivery, DeliveryState.PREPARED, evidence | decision, by=by, at=at)
    media.move(session, medium, MediumState.WRITTEN, Change(delivery_id=delivery.id), by=by, at=at)
    session.flush()  # the writing stands before what refers to it
    consignment = _consignment(row, secret_key, at)
    session.add(consignment)
    session.flush()  # of two clerks with one medium the second meets the constraint here, not at the commit
    return consignment


def _row(delivery_id: UUID, written: Written, *, by: Actor, at: datetime) -> MediumWriting:
    return MediumWriting(
        id=uuid4(),
        medium_id=written.medium_id,
        delivery_id=delivery_id,
        kit_name=written.kit_name,
        kit_sha256=written.kit_sha256,
        kit_size_bytes=written.kit_size_bytes,
        read_back_sha256=written.read_back_sha256,
        outcome=written.outcome,
        at=at,
        by_name=by.name,
    )


def _consignment(row: MediumWriting, secret_key: str, at: datetime) -> Consignment:
    consignment_id = uuid4()
    return Consignment(
        id=consignment_id,
        delivery_id=row.delivery_id,
        medium_id=row.medium_id,
        open_medium_id=row.medium_id,
        open_delivery_id=row.delivery_id,
        writing_id=row.id,
        created_at=at,
        secret_hash=slips.digest(slips.secret_of(consignment_id, secret_key)),
        code_hash=slips.digest(slips.typed(slips.code_of(consignment_id, secret_key))),
    )


def set_aside(session: Session, delivery_id: UUID, reason: str, *, by: Actor, at: datetime) -> None:
    """The written medium is not sent after all: the delivery has failed and may be prepared anew.

    Raises StepOutOfOrder, NothingConsigned.
    """
    delivery = ledger.locked(session, delivery_id)
    ledger.step(session, delivery, DeliveryState.FAILED, {"reason": reason}, by=by, at=at)
    consignment = open_consignment(session, delivery.id)
    medium = media.locked(session, consignment.medium_id)
    consignment.close(at)
    media.move(session, medium, MediumState.IN_STOCK, Change(reason, delivery.id), by=by, at=at)


def _settle_former(session: Session, delivery: Delivery, *, by: Actor, at: datetime) -> None:
    """A medium that was written before the delivery failed is free again."""
    rows = select(Consignment.medium_id).where(Consignment.open_delivery_id == delivery.id)
    medium_id = session.scalar(rows)
    if medium_id is not None:
        media.settle(session, media.locked(session, medium_id), by=by, at=at)
