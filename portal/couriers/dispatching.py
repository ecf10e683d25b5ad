"""From the written medium to the carrier's door and the recipient's: packed, handed over, brought."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.authority.rules import Need
from portal.couriers import media, queries
from portal.couriers.errors import NotPacked, SealUsed
from portal.couriers.media import Change, Proof, key_of
from portal.couriers.models import Carrier, Consignment
from portal.couriers.states import MediumState
from portal.deliveries import ledger
from portal.deliveries.deciding import require_standing
from portal.deliveries.errors import StepOutOfOrder
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from portal.jobs import service as jobs
from portal.texts import one_line

MAX_SEAL_CHARS = 100
MAX_TRACKING_CHARS = 100
ONE_MINUTE_PARTS = {"second": 0, "microsecond": 0}


@dataclass(frozen=True)
class Packing:
    """The bag or seal that is put on, and who takes the parcel along."""

    seal: str
    carrier: Carrier


@dataclass(frozen=True)
class HandingOver:
    """To the carrier: its tracking number, and when."""

    tracking: str
    happened_at: datetime


def pack(session: Session, delivery_id: UUID, packing: Packing, *, by: Actor, at: datetime) -> Consignment:
    """Say which seal and carrier a prepared parcel goes with; the papers name them. May be said again before dispatch.

    Raises StepOutOfOrder, DeliveryStopped, NothingConsigned, SealUsed, and the errors of portal.texts.
    """
    delivery = ledger.locked(session, delivery_id)
    delivery.require_step(DeliveryState.DISPATCHED)
    consignment = queries.open_consignment(session, delivery.id)
    seal = one_line(packing.seal, limit=MAX_SEAL_CHARS)
    key = key_of(seal) or seal
    used = session.scalar(select(Consignment.id).where(Consignment.seal_key == key, Consignment.id != consignment.id))
    if used is not None:
        raise SealUsed(seal=seal)
    consignment.seal, consignment.seal_key = seal, key
    consignment.carrier_id, consignment.carrier = packing.carrier.id, packing.carrier
    consignment.packed_at, consignment.packed_by = at, by.name
    return consignment


def dispatch(session: Session, delivery_id: UUID, handing: HandingOver, *, by: Actor, at: datetime) -> Consignment:
    """The parcel is with the carrier; contract and authority are asked anew.

    Raises StepOutOfOrder, DeliveryStopped, NothingConsigned, NotPacked, NotEntitled, NotAuthorized, TimeInFuture,
    TimeBeforeLastStep, and the errors of portal.texts.
    """
    delivery = ledger.locked(session, delivery_id)
    delivery.require_step(DeliveryState.DISPATCHED)
    consignment = queries.open_consignment(session, delivery.id)
    if not consignment.is_packed or consignment.carrier is None:
        raise NotPacked
    tracking = one_line(handing.tracking, limit=MAX_TRACKING_CHARS)
    medium = media.locked(session, consignment.medium_id)
    happened_at = not_before(handing.happened_at, delivery)
    proof = {
        "medium_serial": medium.serial,
        "seal": consignment.seal,
        "carrier": consignment.carrier.name,
        "tracking": tracking,
        "sha256": consignment.writing.kit_sha256,
        ledger.HAPPENED: happened_at,
    }
    standing = require_standing(session, delivery, need=Need.RECEIVE, at=at)
    ledger.step(session, delivery, DeliveryState.DISPATCHED, proof | standing, by=by, at=at)
    consignment.tracking, consignment.handed_over_at = tracking, happened_at
    media.move(session, medium, MediumState.IN_TRANSIT, Change(delivery_id=delivery.id), by=by, at=at)
    jobs.enqueue(session, "couriers.left", at=at, key=f"couriers.left:{consignment.id}", delivery_id=str(delivery.id))
    return consignment


def delivered(session: Session, delivery_id: UUID, happened_at: datetime, proof: Proof, *, by: Actor,
              at: datetime) -> None:  # fmt: skip
    """The carrier says that the parcel was brought, and shows it; what was lost may turn up so.

    Raises StepOutOfOrder, DeliveryStopped, NothingConsigned, NoProof, TimeInFuture, TimeBeforeLastStep.
    """
    delivery = ledger.locked(session, delivery_id)
    if delivery.state is DeliveryState.DELIVERED:
        raise StepOutOfOrder(state=delivery.state.value, wanted=DeliveryState.DELIVERED.value)
    evidence = {ledger.HAPPENED: not_before(happened_at, delivery), "proof": proof.require()}
    ledger.step(session, delivery, DeliveryState.DELIVERED, evidence, by=by, at=at)
    consignment = queries.open_consignment(session, delivery.id)
    arrive(session, consignment, by=by, at=at)


def arrive(session: Session, consignment: Consignment, *, by: Actor, at: datetime) -> None:
    """The medium is with the customer, if it was not said so before."""
    medium = media.locked(session, consignment.medium_id)
    if medium.state is not MediumState.AT_CUSTOMER:
        media.move(session, medium, MediumState.AT_CUSTOMER, Change(delivery_id=consignment.delivery_id), by=by, at=at)


def not_before(happened_at: datetime, delivery: Delivery) -> datetime:
    """People give minutes: within the minute of the step before it, it happened right after that step."""
    since = delivery.since
    if since is not None and happened_at < since and happened_at >= since.replace(**ONE_MINUTE_PARTS):  # type: ignore[arg-type]
        return since
    return happened_at
