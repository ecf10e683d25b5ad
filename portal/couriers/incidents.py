"""A difference between what was sent and what arrived: opened by whoever sees it, closed by a dispatcher."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.couriers import letters, queries
from portal.couriers.errors import ReceiptNotOpen, TooManyIncidents
from portal.couriers.models import Incident
from portal.couriers.states import INCIDENT_TITLES, IncidentKind, IncidentOutcome
from portal.deliveries import ledger, steps
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState, EventKind
from portal.errors import Forbidden, NotFound
from portal.permissions import Permission
from portal.texts import lines, one_line

MAX_TEXT_CHARS = 2000
MAX_NAME_CHARS = 200
MAX_SEEN_CHARS = 200
MOST_OPEN = 10
ARRIVING = (DeliveryState.DISPATCHED, DeliveryState.DELIVERED, DeliveryState.LOST)


@dataclass(frozen=True)
class Difference:
    """What somebody found: `serial`, `seal` and `digest` as they read them off, empty where they say nothing."""

    kind: IncidentKind
    reporter: str
    serial: str = ""
    seal: str = ""
    digest: str = ""
    text: str = ""

    def seen(self) -> dict[str, Any]:
        """Raises the errors of portal.texts."""
        given = {"serial": self.serial, "seal": self.seal, "digest": self.digest}
        return {name: one_line(text, limit=MAX_SEEN_CHARS, required=False) for name, text in given.items()}


def report(session: Session, delivery_id: UUID, difference: Difference, *, base_url: str, by: Actor,
           at: datetime) -> Incident:  # fmt: skip
    """Open an incident, stop the delivery and tell the dispatchers. The same report again opens nothing more.

    Raises ReceiptNotOpen when the parcel is not on its way or its receipt is confirmed, TooManyIncidents, and the
    errors of portal.texts.
    """
    delivery = ledger.locked(session, delivery_id)
    if delivery.state not in ARRIVING:
        raise ReceiptNotOpen
    seen = difference.seen()
    text = lines(difference.text, limit=MAX_TEXT_CHARS, required=difference.kind is IncidentKind.OTHER)
    before = _open(session, delivery)
    for incident in before:
        if (incident.kind, incident.seen, incident.text) == (difference.kind, seen, text):
            return incident
    if len(before) >= MOST_OPEN:
        raise TooManyIncidents
    consignment = queries.last_consignment(session, delivery.id)
    incident = Incident(
        id=uuid4(),
        delivery_id=delivery.id,
        consignment_id=consignment.id if consignment else None,
        kind=difference.kind,
        text=text,
        seen=seen,
        opened_at=at,
        opened_by=one_line(difference.reporter, limit=MAX_NAME_CHARS),
    )
    session.add(incident)
    steps.stop(session, delivery, reason=INCIDENT_TITLES[difference.kind], by=by, at=at,
               incident_id=incident.id, kind=difference.kind.value, seen=seen, statement=text,
               reported_by=incident.opened_by)  # fmt: skip
    letters.tell_of_incident(session, incident, delivery, base_url=base_url, at=at)
    return incident


def close(session: Session, incident_id: UUID, outcome: IncidentOutcome, text: str, *, by: Actor,
          at: datetime) -> Incident:  # fmt: skip
    """Say what was found out. Unfounded: the delivery goes on once no other incident is open; otherwise it stays.

    Raises Forbidden, NotFound, IncidentClosed, and the errors of portal.texts.
    """
    if not by.may(Permission.DELIVERIES_DISPATCH):
        raise Forbidden(permission=Permission.DELIVERIES_DISPATCH)
    incident = session.get(Incident, incident_id)
    if incident is None:
        raise NotFound
    delivery = ledger.locked(session, incident.delivery_id)
    session.refresh(incident)
    incident.close(outcome, lines(text, limit=MAX_TEXT_CHARS), by.name, at)
    session.flush()  # it is no longer among the open ones
    others = [one for one in queries.incidents(session, delivery.id) if one.id != incident.id]
    holds = any(one.closed_at is None or one.outcome is IncidentOutcome.STANDS for one in others)
    if outcome is IncidentOutcome.UNFOUNDED and not holds and delivery.stopped_at is not None:
        steps.resume(session, delivery, reason=incident.outcome_text, by=by, at=at, incident_id=incident.id,
                     outcome=outcome.value)  # fmt: skip
    else:
        evidence = {"reason": incident.outcome_text, "incident_id": incident.id, "outcome": outcome.value}
        ledger.note(session, delivery, EventKind.INCIDENT_CLOSED, evidence, by=by, at=at)
    return incident


def _open(session: Session, delivery: Delivery) -> list[Incident]:
    rows = select(Incident).where(Incident.delivery_id == delivery.id, Incident.closed_at.is_(None))
    return list(session.scalars(rows))
