"""The events of one delivery, each carrying the hash of the one before (DESIGN 3.3), so that none is altered unseen."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import EventKind

GENESIS = "0" * 64


def append(session: Session, delivery: Delivery, kind: EventKind, evidence: dict[str, Any], *, by: Actor,
           at: datetime) -> DeliveryEvent:  # fmt: skip
    """Add an event to the delivery, whose row the caller holds locked. Evidence is whatever JSON holds."""
    last = session.scalar(
        select(DeliveryEvent)
        .where(DeliveryEvent.delivery_id == delivery.id)
        .order_by(DeliveryEvent.sequence.desc())
        .limit(1)
    )
    event = DeliveryEvent(
        delivery_id=delivery.id,
        sequence=last.sequence + 1 if last else 1,
        kind=kind,
        at=at.astimezone(UTC),
        person_id=by.person_id,
        person_name=by.name,
        address=by.address,
        evidence=json.loads(json.dumps(evidence, default=str)),
        previous_hash=last.hash if last else GENESIS,
    )
    event.hash = hash_of(event)
    session.add(event)
    session.flush()  # the next event of this transaction looks for this one
    return event


def hash_of(event: DeliveryEvent) -> str:
    """SHA-256 over the event's content and the hash before it, as canonical JSON; hex."""
    content = [
        str(event.delivery_id), event.sequence, event.kind.value, event.at.astimezone(UTC).isoformat(),
        str(event.person_id or ""), event.person_name, event.address, event.evidence, event.previous_hash,
    ]  # fmt: skip
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def first_bad(events: Sequence[DeliveryEvent]) -> int | None:
    """The sequence number of the first event (in their order) that does not follow from the one before, or None."""
    previous = GENESIS
    for expected, event in enumerate(events, start=1):
        if event.sequence != expected or event.previous_hash != previous or event.hash != hash_of(event):
            return expected
        previous = event.hash
    return None
