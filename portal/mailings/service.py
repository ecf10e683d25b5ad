"""The verbs of the channel e-mail: prepare, dispatch, withdraw a link, renew it, remind.

A delivery is dispatched when the mail server has taken its message, not when somebody asked for it: until then it is
prepared, and its message waits (`portal.mailings.sending`).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.actors import PORTAL_JOB, Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.authority.rules import Need
from portal.config import Config
from portal.deliveries import ledger
from portal.deliveries.deciding import require_standing
from portal.deliveries.models import Delivery, DeliveryItem, DeliveryPolicy
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.errors import Forbidden
from portal.jobs import service as jobs
from portal.kits.models import KitRecord
from portal.mailer import message_id
from portal.mailings import links
from portal.mailings.agreeing import missing_agreements
from portal.mailings.errors import NoOpenLink, NotByMail, NothingToRenew, NotSigned
from portal.mailings.models import MailLink, MailMessage, MessageKind, MessageState
from portal.permissions import Permission
from portal.releases import queries as releases
from portal.texts import one_line

MAX_REASON_CHARS = 500
CLOSED = (DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.REFUSED)
"""No link of the delivery opens in these, whatever its own days."""
RENEWABLE = (DeliveryState.DISPATCHED, DeliveryState.DELIVERED)


@dataclass(frozen=True)
class Order:
    """Which message, by whom it was ordered and when."""

    kind: MessageKind
    config: Config
    by: Actor
    at: datetime


def prepare(session: Session, delivery_id: UUID, *, by: Actor, at: datetime) -> Delivery:
    """Say which files go, with the digest of their kit if there is one, else of their signed checksums.

    Raises NotByMail, NotSigned, and what the ledger raises.
    """
    _require_dispatcher(by)
    delivery = _mailed(session, delivery_id)
    delivery.require_step(DeliveryState.PREPARED)
    signed = releases.publication(session, delivery.release_id)
    if signed is None:
        raise NotSigned(number=delivery.number)
    kit = kit_of(session, delivery)
    proof: dict[str, Any] = {
        "sha256": kit.sha256 if kit else hashlib.sha256(signed.sums.encode()).hexdigest(),
        "of": kit.file_name if kit else "SHA256SUMS",
        "files": [
            {"name": item.artifact.name, "sha256": item.sha256, "size_bytes": item.size_bytes}
            for item in items_of(session, delivery.id)
        ],
    }
    _withdraw_open(session, delivery, "replaced", by=by, at=at)  # nothing that waits goes to a former recipient
    ledger.step(session, delivery, DeliveryState.PREPARED, proof, by=by, at=at)
    return delivery


def order_kit(session: Session, delivery_id: UUID, *, by: Actor, at: datetime) -> None:
    """Have one archive made of the files, with all that verifies them without a network; before it is prepared.

    Raises Forbidden, NotByMail, StepOutOfOrder.
    """
    _require_dispatcher(by)
    delivery = _mailed(session, delivery_id)
    delivery.require_step(DeliveryState.PREPARED)
    if kit_of(session, delivery) is None:
        jobs.enqueue(session, "mailings.kit", at=at, key=f"mailings.kit:{delivery.id}:{at.isoformat()}",
                     delivery_id=str(delivery.id))  # fmt: skip


def dispatch(session: Session, delivery_id: UUID, *, config: Config, by: Actor, at: datetime) -> MailMessage:
    """Order the message; it is sent after this transaction. Ordered twice, it is one message.

    Raises Forbidden, NotByMail, NotEntitled, NotAuthorized, StepOutOfOrder, DeliveryStopped.
    """
    _require_dispatcher(by)
    delivery = _mailed(session, delivery_id)
    waiting = _waiting(session, delivery.id)
    if waiting is not None:
        return waiting
    delivery.require_step(DeliveryState.DISPATCHED)
    require_standing(session, delivery, need=Need.RECEIVE, at=at)
    kind = MessageKind.ATTACHMENT if _may_attach(session, delivery, config, at) else MessageKind.LINK
    _withdraw_open(session, delivery, "replaced", by=by, at=at)
    return _order(session, delivery, _linked(session, delivery, config, at), Order(kind, config, by, at))


def renew(session: Session, delivery_id: UUID, *, config: Config, by: Actor, at: datetime) -> MailMessage:
    """Another link in another message; the former one ends at once. Asked twice, it is one message.

    Raises Forbidden, NotByMail, NothingToRenew, NotEntitled, NotAuthorized.
    """
    _require_dispatcher(by)
    delivery = _mailed(session, delivery_id)
    waiting = _waiting(session, delivery.id)
    if waiting is not None:
        return waiting
    if delivery.state not in RENEWABLE or delivery.stopped_at is not None:
        raise NothingToRenew(number=delivery.number)
    require_standing(session, delivery, need=Need.RECEIVE, at=at)
    _withdraw_open(session, delivery, "replaced", by=by, at=at)
    link = _linked(session, delivery, config, at)
    return _order(session, delivery, link, Order(MessageKind.LINK, config, by, at))


def withdraw(session: Session, delivery_id: UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Nothing can be taken by the link from now on: by the dispatcher, or by the customer's manager for its own.

    Raises Forbidden, NotByMail, NoOpenLink, and the errors of portal.texts for the reason.
    """
    reason = one_line(reason, limit=MAX_REASON_CHARS)
    delivery = _mailed(session, delivery_id)
    if not may_withdraw(delivery, by):
        raise Forbidden(permission=Permission.DELIVERIES_DISPATCH)
    if not _withdraw_open(session, delivery, reason, by=by, at=at):
        raise NoOpenLink(number=delivery.number)


def may_withdraw(delivery: Delivery, by: Actor) -> bool:
    is_its_manager = by.may(Permission.AUTHORITY_MANAGE) and by.organisation_id == delivery.organisation_id
    return by.may(Permission.DELIVERIES_DISPATCH) or is_its_manager


def remind(session: Session, link: MailLink, *, config: Config, at: datetime) -> MailMessage | None:
    """A word to the recipient that the link ends soon, unless it has been taken or told already."""
    delivery = ledger.locked(session, link.delivery_id)
    reminded = select(MailMessage.id).where(MailMessage.link_id == link.id, MailMessage.kind == MessageKind.REMINDER)
    if delivery.state is not DeliveryState.DISPATCHED or not link.is_open(at) or session.scalar(reminded):
        return None
    return _order(session, delivery, link, Order(MessageKind.REMINDER, config, PORTAL_JOB, at))


def items_of(session: Session, delivery_id: UUID) -> list[DeliveryItem]:
    """The delivery's files by name."""
    rows = select(DeliveryItem).where(DeliveryItem.delivery_id == delivery_id)
    found = session.scalars(rows.options(joinedload(DeliveryItem.artifact)).execution_options(populate_existing=True))
    return sorted(found, key=lambda item: item.artifact.name)


def was_attached(session: Session, delivery_id: UUID) -> bool:
    """Whether the files themselves went to the recipient in a message that did not come back."""
    gone = (MessageState.SENT, MessageState.DELAYED, MessageState.ARRIVED)
    rows = select(MailMessage.id).where(MailMessage.delivery_id == delivery_id, MailMessage.state.in_(gone))
    return session.scalar(rows.where(MailMessage.kind == MessageKind.ATTACHMENT).limit(1)) is not None


def kit_of(session: Session, delivery: Delivery) -> KitRecord | None:
    """The kit that was prepared for this delivery to go by no medium; never one made out to a former recipient."""
    kit = session.scalar(
        select(KitRecord).where(
            KitRecord.delivery_number == delivery.number,
            KitRecord.release_id == delivery.release_id,
            KitRecord.medium_serial == "",
        )
    )
    is_theirs = kit is not None and kit.spec["recipient_name"] == (delivery.recipient or {}).get("name")
    return kit if is_theirs else None


def _mailed(session: Session, delivery_id: UUID) -> Delivery:
    delivery = ledger.locked(session, delivery_id)
    if delivery.channel is not Channel.EMAIL:
        raise NotByMail(number=delivery.number or "")
    return delivery


def _require_dispatcher(by: Actor) -> None:
    if not by.may(Permission.DELIVERIES_DISPATCH):
        raise Forbidden(permission=Permission.DELIVERIES_DISPATCH)


def _waiting(session: Session, delivery_id: UUID) -> MailMessage | None:
    """The message of the delivery that was ordered and not sent yet."""
    return session.scalar(
        select(MailMessage).where(
            MailMessage.delivery_id == delivery_id,
            MailMessage.state == MessageState.WAITING,
            MailMessage.kind != MessageKind.REMINDER,
        )
    )


def _may_attach(session: Session, delivery: Delivery, config: Config, at: datetime) -> bool:
    """The customer wants it, all files together are small enough, and no agreement has to be accepted first."""
    policy = session.get(DeliveryPolicy, delivery.organisation_id)
    if policy is None or not policy.may_attach:
        return False
    size_bytes = sum(item.size_bytes for item in items_of(session, delivery.id))
    return size_bytes <= config.max_mailed_file_bytes and not missing_agreements(session, delivery, at)


def _linked(session: Session, delivery: Delivery, config: Config, at: datetime) -> MailLink:
    link = links.new_link(delivery.id, config, at)
    session.add(link)
    session.flush()  # the message names it
    return link


def _order(session: Session, delivery: Delivery, link: MailLink, order: Order) -> MailMessage:
    by, identity = order.by, uuid4()
    message = MailMessage(
        id=identity,
        delivery_id=delivery.id,
        link_id=link.id,
        kind=order.kind,
        state=MessageState.WAITING,
        message_id=message_id(identity.hex, order.config.mail_from),
        recipient=(delivery.recipient or {})["email"],
        created_at=order.at,
        ordered_by={
            "person_id": str(by.person_id) if by.person_id else None,
            "name": by.name,
            "address": by.address,
        },
        attempts=0,
        reports=[],
    )
    session.add(message)
    jobs.enqueue(session, "mailings.send", at=order.at, key=f"mailings.send:{identity}", message_id=str(identity))
    return message


def _withdraw_open(session: Session, delivery: Delivery, reason: str, *, by: Actor, at: datetime) -> bool:
    """End every open link of the delivery, and every message that still waits; whether there was one."""
    was_open = False
    for link in links.links_of(session, delivery.id):
        if not link.is_open(at):
            continue
        link.withdraw(reason, by.person_id, by.name, at)
        was_open = True
        ledger.note(session, delivery, EventKind.LINK_WITHDRAWN, {"reason": reason}, by=by, at=at)
        audit.record(session, Tag.LINK_WITHDRAW, by=by, at=at, subject=link, named=delivery.number or "",
                     reason=reason)  # fmt: skip
    waiting = select(MailMessage).where(
        MailMessage.delivery_id == delivery.id, MailMessage.state == MessageState.WAITING
    )
    for message in session.scalars(waiting):
        message.state, message.last_error = MessageState.STOPPED, "link-withdrawn"
    return was_open
