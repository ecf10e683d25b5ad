"""Verbs that every channel shares: a delivery is ready, is stopped by an incident, goes on."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.deliveries import ledger
from portal.deliveries.due import STOPPED_FOR, due_at
from portal.deliveries.errors import NotStopped, StepOutOfOrder
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import DeliveryState, EventKind
from portal.errors import Forbidden
from portal.permissions import Permission
from portal.texts import lines

MAX_REASON_CHARS = 2000


def prepared(session: Session, delivery: Delivery, proof: dict[str, Any], *, by: Actor, at: datetime) -> DeliveryEvent:
    """Ready to go; `proof` holds at least `sha256` of what goes, and what the channel asks for (PROOFS).

    Raises what `ledger.step` raises.
    """
    delivery = ledger.locked(session, delivery.id)
    return ledger.step(session, delivery, DeliveryState.PREPARED, proof, by=by, at=at)


def stop(session: Session, delivery: Delivery, *, reason: str, by: Actor, at: datetime,
         **facts: Any) -> DeliveryEvent:  # fmt: skip  # noqa: ANN401 - whatever JSON holds
    """Nothing goes on until somebody has looked: a seal is broken, a digest differs. `facts` say what was seen.

    A second incident of a delivery that is stopped already is noted too. Raises StepOutOfOrder when it is closed.
    """
    reason = lines(reason, limit=MAX_REASON_CHARS)
    delivery = ledger.locked(session, delivery.id)
    if delivery.is_closed:
        raise StepOutOfOrder(state=delivery.state.value, wanted="stopped")
    delivery.stopped_at = delivery.stopped_at or at
    delivery.due_at = at + STOPPED_FOR
    event = ledger.note(session, delivery, EventKind.INCIDENT_OPENED, {"reason": reason, **facts}, by=by, at=at)
    audit.record(session, Tag.DELIVERY_STOP, by=by, at=at, subject=delivery, named=delivery.number or "",
                 stopped=True, reason=reason)  # fmt: skip
    return event


def resume(session: Session, delivery: Delivery, *, reason: str, by: Actor, at: datetime) -> DeliveryEvent:
    """The incident is closed, and the delivery goes on from where it stood. Raises Forbidden, NotStopped."""
    if not by.may(Permission.DELIVERIES_DISPATCH):
        raise Forbidden(permission=Permission.DELIVERIES_DISPATCH)
    reason = lines(reason, limit=MAX_REASON_CHARS)
    delivery = ledger.locked(session, delivery.id)
    if delivery.stopped_at is None:
        raise NotStopped(number=delivery.number)
    delivery.stopped_at = None
    delivery.due_at = due_at(delivery.channel, delivery.state, at, delivery.wanted_by)
    event = ledger.note(session, delivery, EventKind.INCIDENT_CLOSED, {"reason": reason}, by=by, at=at)
    audit.record(session, Tag.DELIVERY_STOP, by=by, at=at, subject=delivery, named=delivery.number or "",
                 stopped=False, reason=reason)  # fmt: skip
    return event
