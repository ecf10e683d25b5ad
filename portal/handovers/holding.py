"""The deliveries of an act, held locked: of two clerks who hand the same one over, one waits, and is told who won."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.authority.models import AuthorizedPerson, PowerOfAttorney
from portal.authority.rules import Need
from portal.deliveries import ledger
from portal.deliveries.deciding import require_authority, require_standing
from portal.deliveries.errors import DeliveryStopped
from portal.deliveries.models import Delivery, DeliveryItem
from portal.deliveries.states import Channel, DeliveryState
from portal.documents.act import ActKind
from portal.entitlements.decision import minute
from portal.errors import NotFound
from portal.handovers.errors import (
    AlreadyHandedOver,
    InAnotherAct,
    MediumBackAlready,
    NotForHandOver,
    NothingChosen,
    NotPrepared,
    NotReturnable,
    SeveralRecipients,
)
from portal.handovers.models import Act, ActItem, ActState
from portal.texts import folded

MOST_DELIVERIES = 50
RETURNABLE = (Channel.HAND_OVER, Channel.COURIER)
"""By these channels a customer gets a thing that it can give back."""


def held(session: Session, delivery_ids: Iterable[UUID]) -> list[Delivery]:
    """The deliveries, whole and locked, in the order of their numbers. Raises NothingChosen, NotFound.

    Rows are locked in one order, so that two clerks with the same deliveries wait for each other once, not for ever.
    """
    ids = sorted(set(delivery_ids))
    if not ids:
        raise NothingChosen
    if len(ids) > MOST_DELIVERIES:
        raise NotFound
    locked = [ledger.locked(session, delivery_id) for delivery_id in ids]
    items = select(Delivery).where(Delivery.id.in_(ids)).options(
        selectinload(Delivery.items).joinedload(DeliveryItem.artifact),
        joinedload(Delivery.authorized_person),
    )  # fmt: skip
    session.scalars(items).all()
    return sorted(locked, key=lambda one: one.number or "")


def recipient_of(deliveries: Sequence[Delivery]) -> AuthorizedPerson:
    """The one person that all of them go to. Raises SeveralRecipients; NotFound for a delivery to nobody by name."""
    if len({delivery.recipient_id for delivery in deliveries}) > 1:
        raise SeveralRecipients
    person = deliveries[0].authorized_person
    if person is None:
        raise NotFound
    return person


def require_free(session: Session, deliveries: Sequence[Delivery], *, kind: ActKind, act: Act | None = None) -> None:
    """Each of them can be handed over (or its media returned) now, and stands in no other open act.

    Raises InAnotherAct and AlreadyHandedOver with who and when; NotForHandOver, NotPrepared, NotReturnable,
    DeliveryStopped.
    """
    others = _acts_of(session, deliveries, kind, act)
    for delivery in deliveries:
        own = [other for other in others if any(item.delivery_id == delivery.id for item in other.items)]
        number = delivery.number or ""
        for other in own:
            if other.is_open:
                raise InAnotherAct(act_id=other.id, number=number, act=other.number, who=other.handed_by_name,
                                   since=minute(other.opened_at))  # fmt: skip
        if kind is ActKind.RETURN:
            _require_returnable(delivery)
        else:
            _require_prepared(delivery, own)


def standing(session: Session, deliveries: Sequence[Delivery], *, kind: ActKind, at: datetime) -> dict[UUID, Any]:
    """The decision on each delivery, taken anew: {delivery id: {"decision", "authority", "authority_to_receive"}}.

    Who receives has to hold the power to receive and the power to sign. Giving a medium back needs the power to sign
    alone: a contract that has ended must not keep a medium from coming home. Raises NotEntitled, NotAuthorized.
    """
    answers = {}
    for delivery in deliveries:
        if kind is ActKind.RETURN:
            answers[delivery.id] = {
                "authority": require_authority(session, delivery, delivery.release, need=Need.SIGN, at=at)
            }
            continue
        received = require_standing(session, delivery, need=Need.RECEIVE, at=at)
        signed = require_authority(session, delivery, delivery.release, need=Need.SIGN, at=at)
        answers[delivery.id] = {
            "decision": received["decision"],
            "authority": signed,
            "authority_to_receive": received["authority"],
        }
    return answers


def powers_behind(session: Session, answers: dict[UUID, Any]) -> list[dict[str, Any]]:
    """Each power of attorney that the answers lean on, as it stands now; the powers to sign first."""
    ids = [UUID(one["authority"]["power_id"]) for one in answers.values()]
    ids += [UUID(one["authority_to_receive"]["power_id"]) for one in answers.values() if "authority_to_receive" in one]
    rows = {row.id: row for row in session.scalars(select(PowerOfAttorney).where(PowerOfAttorney.id.in_(ids)))}
    return [
        {
            "id": str(power.id),
            "number": power.number,
            "issued_on": power.issued_on.isoformat(),
            "issued_by": power.issued_by,
            "valid_until": power.valid_until.isoformat(),
        }
        for power in (rows[power_id] for power_id in dict.fromkeys(ids))
    ]


def require_not_back(session: Session, deliveries: Sequence[Delivery], media: Mapping[str, Sequence[str]]) -> None:
    """None of the media came back by an act before. Raises MediumBackAlready."""
    for delivery in deliveries:
        rows = (
            select(Act)
            .join(Act.items)
            .where(ActItem.delivery_id == delivery.id, Act.kind == ActKind.RETURN, Act.state == ActState.SIGNED)
            .options(selectinload(Act.items))
        )
        for act in session.scalars(rows):
            back = {folded(serial) for item in act.items for serial in item.medium_serials}
            for serial in media.get(delivery.number or "", ()):
                if folded(serial) in back:
                    raise MediumBackAlready(serial=serial, number=delivery.number or "", act=act.number)


def _acts_of(session: Session, deliveries: Sequence[Delivery], kind: ActKind, act: Act | None) -> Sequence[Act]:
    own = select(ActItem.act_id).where(ActItem.delivery_id.in_([one.id for one in deliveries]))
    rows = (
        select(Act)
        .where(Act.id.in_(own), Act.state.in_((ActState.OPEN, ActState.SIGNED)), Act.kind == kind)
        .options(selectinload(Act.items))
        .order_by(Act.opened_at.desc())
    )
    if act is not None:
        rows = rows.where(Act.id != act.id)
    return session.scalars(rows.execution_options(populate_existing=True)).all()


def _require_prepared(delivery: Delivery, acts: Sequence[Act]) -> None:
    number = delivery.number or ""
    if delivery.channel is not Channel.HAND_OVER:
        raise NotForHandOver(number=number)
    if delivery.is_held and acts:
        raise AlreadyHandedOver(number=number, act=acts[0].number, who=acts[0].closed_by_name,
                                since=minute(acts[0].signed_at or acts[0].opened_at))  # fmt: skip
    if delivery.stopped_at is not None:
        raise DeliveryStopped(number=number)
    if delivery.state is not DeliveryState.PREPARED:
        raise NotPrepared(number=number, state=delivery.state.value)


def _require_returnable(delivery: Delivery) -> None:
    if delivery.channel not in RETURNABLE or not delivery.is_held:
        raise NotReturnable(number=delivery.number or "")
