"""When a parcel does not arrive as it should: lost, refused, come back, destroyed, sent once more."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.actors import Actor
from portal.authority.models import AuthorizedPerson
from portal.couriers import dispatching, media, queries
from portal.couriers.errors import AlreadyReplaced, NotReplaceable
from portal.couriers.media import Change, Proof
from portal.couriers.models import Consignment, Medium
from portal.couriers.states import MediumState
from portal.deliveries import ledger, requests
from portal.deliveries.models import Delivery, DeliveryAddress, DeliveryItem
from portal.deliveries.requests import NewRequest, Wanted
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.errors import NotFound
from portal.releases.models import Release
from portal.texts import lines

MAX_REASON_CHARS = 500
_S = DeliveryState
REPLACEABLE = (_S.LOST, _S.REFUSED, _S.RETURNED)


@dataclass(frozen=True)
class Trouble:
    """What happened, when, and what proves it."""

    reason: str
    happened_at: datetime
    proof: Proof


def lost(session: Session, delivery_id: UUID, trouble: Trouble, *, by: Actor, at: datetime) -> None:
    """The carrier has lost it. Its papers stay good: it may turn up. Raises StepOutOfOrder, NoProof, TimeInFuture…"""
    _enter(session, delivery_id, _S.LOST, MediumState.LOST, trouble, by=by, at=at)


def refused(session: Session, delivery_id: UUID, trouble: Trouble, *, by: Actor, at: datetime) -> None:
    """The recipient did not take it, or gave it back; the medium is on its way home. Raises as `lost`."""
    _enter(session, delivery_id, _S.REFUSED, None, trouble, by=by, at=at)


def returned(session: Session, delivery_id: UUID, trouble: Trouble, *, by: Actor, at: datetime) -> None:
    """The medium is back; the delivery is over. Raises as `lost`."""
    consignment = _enter(session, delivery_id, _S.RETURNED, MediumState.RETURNED, trouble, by=by, at=at)
    consignment.close(at)


def _enter(  # noqa: PLR0913 - a delivery, where it and its medium go, and why
    session: Session, delivery_id: UUID, state: DeliveryState, medium_state: MediumState | None, trouble: Trouble, *,
    by: Actor, at: datetime,
) -> Consignment:  # fmt: skip
    delivery = ledger.locked(session, delivery_id)
    delivery.require_step(state)
    consignment = queries.open_consignment(session, delivery.id)
    medium = media.locked(session, consignment.medium_id)
    reason, shown = lines(trouble.reason, limit=MAX_REASON_CHARS), trouble.proof.require()
    evidence = {
        "reason": reason,
        "proof": shown,
        "medium_serial": medium.serial,
        ledger.HAPPENED: dispatching.not_before(trouble.happened_at, delivery),
    }
    ledger.step(session, delivery, state, evidence, by=by, at=at)
    if medium_state is not None and medium.state is not medium_state:
        media.move(session, medium, medium_state, Change(reason, delivery.id, shown), by=by, at=at)
    return consignment


def destroyed(session: Session, medium_id: UUID, reason: str, proof: Proof, *, by: Actor, at: datetime) -> Medium:
    """The medium is no more; the delivery that it was written for last knows it.

    Raises NotFound, NoProof, MediumMoveOutOfOrder, MediumNotFree while it is in a parcel that is going well.
    """
    before = session.get(Medium, medium_id)
    if before is None:
        raise NotFound
    rows = select(Consignment).where(Consignment.medium_id == medium_id).order_by(Consignment.created_at.desc())
    consignment = session.scalar(rows.limit(1))
    delivery = ledger.locked(session, consignment.delivery_id) if consignment else None
    medium = media.locked(session, medium_id)
    media.settle(session, medium, by=by, at=at)
    reason = lines(reason, limit=MAX_REASON_CHARS)
    change = Change(reason, delivery.id if delivery else None, proof.require())
    if consignment is not None and consignment.open_medium_id is not None and delivery is not None:
        media.require_in_trouble(medium, delivery)
        consignment.close(at)
    media.move(session, medium, MediumState.DESTROYED, change, by=by, at=at)
    if delivery is not None:
        evidence = {"reason": reason, "proof": change.proof, "medium_serial": medium.serial}
        ledger.note(session, delivery, EventKind.MEDIUM_DESTROYED, evidence, by=by, at=at)
    return medium


def may_be_replaced(delivery: Delivery) -> bool:
    return delivery.state in REPLACEABLE or (
        delivery.stopped_at is not None and delivery.state in (_S.DISPATCHED, _S.DELIVERED)
    )


def replace(session: Session, delivery_id: UUID, address: DeliveryAddress, *, by: Actor, at: datetime) -> Delivery:
    """The same files once more to the same person under a new number, to be approved as any other request.

    The decision on contract and authority is taken anew. Raises NotReplaceable, AlreadyReplaced, NotEntitled,
    NotAuthorized, and what `requests.request` raises.
    """
    old = ledger.locked(session, delivery_id)
    if old.channel is not Channel.COURIER or not may_be_replaced(old):
        raise NotReplaceable(number=old.number)
    for other in queries.replacements(session, old.id):
        if other.state is not _S.CANCELLED:
            raise AlreadyReplaced(number=old.number, by=other.number)
    [new] = requests.request(session, _once_more(session, old, address), by=by, at=at)
    ledger.note(session, old, EventKind.REPLACED, {"replaced_by": new.number}, by=by, at=at)
    ledger.note(session, new, EventKind.REPLACED, {"replaces": old.number}, by=by, at=at)
    return new


def _once_more(session: Session, old: Delivery, address: DeliveryAddress) -> NewRequest:
    release = session.scalars(
        select(Release)
        .where(Release.id == old.release_id)
        .options(joinedload(Release.product), selectinload(Release.artifacts))
        .execution_options(populate_existing=True)
    ).one()
    rows = select(AuthorizedPerson).where(AuthorizedPerson.id == old.recipient_id)
    recipient = session.scalar(rows)
    if recipient is None:
        raise NotFound
    chosen = session.scalars(select(DeliveryItem.artifact_id).where(DeliveryItem.delivery_id == old.id))
    return NewRequest(
        organisation=old.organisation,
        wanted=(Wanted(release, frozenset(chosen)),),
        channel=Channel.COURIER,
        recipient=recipient,
        address=address,
        note=old.note,
        replaces=old,
    )
