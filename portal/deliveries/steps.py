"""Verbs that every channel shares: a delivery is ready, is stopped by an incident, goes on."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.deliveries import ledger
from portal.deliveries.due import STOPPED_FOR, due_at
from portal.deliveries.errors import NotStopped, ReportStands, StepOutOfOrder
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import DeliveryState, EventKind
from portal.errors import Forbidden
from portal.permissions import Permission
from portal.texts import lines

MAX_REASON_CHARS = 2000
UNFOUNDED = "unfounded"
"""The outcome of a report that holds nothing up any more; the word stays in the ledger."""


def prepared(session: Session, delivery: Delivery, proof: dict[str, Any], *, by: Actor, at: datetime) -> DeliveryEvent:
    """Ready to go; `proof` holds at least `sha256` of what goes, and what the channel asks for (PROOFS).

    Raises what `ledger.step` raises.
    """
    delivery = ledger.locked(session, delivery.id)
    return ledger.step(session, delivery, DeliveryState.PREPARED, proof, by=by, at=at)


def stop(session: Session, delivery: Delivery, *, reason: str, by: Actor, at: datetime,
         **facts: Any) -> DeliveryEvent:  # fmt: skip  # noqa: ANN401 - whatever JSON holds
    """Nothing goes on until somebody has looked: a seal is broken, a digest differs. `facts` say what was seen.

    A second incident of a delivery that is stopped already is noted too. Raises MovesWithUpdate, and StepOutOfOrder
    when it is closed.
    """
    reason = lines(reason, limit=MAX_REASON_CHARS)
    delivery = ledger.locked(session, delivery.id)
    delivery.require_on_its_own()
    if delivery.is_closed:
        raise StepOutOfOrder(state=delivery.state.value, wanted="stopped")
    delivery.stopped_at = delivery.stopped_at or at
    delivery.due_at = at + STOPPED_FOR
    event = ledger.note(session, delivery, EventKind.INCIDENT_OPENED, {"reason": reason, **facts}, by=by, at=at)
    audit.record(session, Tag.DELIVERY_STOP, by=by, at=at, subject=delivery, named=delivery.number or "",
                 stopped=True, reason=reason)  # fmt: skip
    return event


def resume(session: Session, delivery: Delivery, *, reason: str, by: Actor, at: datetime,
           **facts: Any) -> DeliveryEvent:  # fmt: skip  # noqa: ANN401 - whatever JSON holds
    """The incident is closed, and the delivery goes on from where it stood.

    `facts` name the report that is closed with it (`incident_id`, `outcome`), where there was one.
    Raises Forbidden, NotStopped, ReportStands while another report is open or was found to be right.
    """
    if not by.may(Permission.DELIVERIES_DISPATCH):
        raise Forbidden(permission=Permission.DELIVERIES_DISPATCH)
    reason = lines(reason, limit=MAX_REASON_CHARS)
    delivery = ledger.locked(session, delivery.id)
    if delivery.stopped_at is None:
        raise NotStopped(number=delivery.number)
    if reports_that_stand(_events(session, delivery)) - {str(facts.get("incident_id"))}:
        raise ReportStands(number=delivery.number)
    delivery.stopped_at = None
    delivery.due_at = due_at(delivery.channel, delivery.state, at, delivery.wanted_by)
    event = ledger.note(session, delivery, EventKind.INCIDENT_CLOSED, {"reason": reason, **facts}, by=by, at=at)
    audit.record(session, Tag.DELIVERY_STOP, by=by, at=at, subject=delivery, named=delivery.number or "",
                 stopped=False, reason=reason)  # fmt: skip
    return event


def reports_that_stand(events: Iterable[DeliveryEvent]) -> set[str]:
    """The ids of what was reported of a delivery and not closed as unfounded, by its events in order."""
    standing: set[str] = set()
    for event in events:
        incident = event.evidence.get("incident_id")
        if incident and event.kind is EventKind.INCIDENT_OPENED:
            standing.add(incident)
        elif incident and event.evidence.get("outcome") == UNFOUNDED:
            standing.discard(incident)
    return standing


def _events(session: Session, delivery: Delivery) -> Iterable[DeliveryEvent]:
    rows = select(DeliveryEvent).where(DeliveryEvent.delivery_id == delivery.id)
    return session.scalars(rows.order_by(DeliveryEvent.sequence))
