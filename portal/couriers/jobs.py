"""A recipient is told what is on its way; who has it on its way for long is asked for its receipt."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import PORTAL_JOB
from portal.couriers import letters, media, queries
from portal.couriers.models import Consignment
from portal.deliveries import ledger
from portal.deliveries.states import EventKind
from portal.jobs import service as jobs
from portal.resources import Resources


@jobs.handles("couriers.left")
def left(resources: Resources, *, at: datetime, delivery_id: str) -> None:
    """Tell the recipient what comes, by whom, and what to compare it with."""
    with resources.sessions.begin() as session:
        consignment = queries.last_consignment(session, UUID(delivery_id))
        if consignment is not None and consignment.handed_over_at is not None:
            delivery = ledger.locked(session, consignment.delivery_id)
            letters.left(session, consignment, delivery, base_url=resources.config.base_url, at=at)


@jobs.handles("couriers.media-returned")
def media_returned(
    resources: Resources, *, at: datetime, delivery_id: str, serials: list[str], act_number: str
) -> None:
    """The register follows a signed act of return, which the room of hand-overs makes."""
    with resources.sessions.begin() as session:
        for serial in serials:
            media.give_back(session, UUID(delivery_id), serial, act_number, by=PORTAL_JOB, at=at)


@jobs.handles("couriers.remind", every=timedelta(hours=6))
def remind(resources: Resources, *, at: datetime) -> None:
    """Remind both sides of every parcel that was handed over long ago and has no receipt, once in each interval."""
    interval = resources.config.receipt_reminders_every
    with resources.sessions.begin() as session:
        late = queries.awaiting_receipt(session, at - interval)
    for consignment_id in late:
        with resources.sessions.begin() as session:
            _remind(session, consignment_id, interval, base_url=resources.config.base_url, at=at)


def _remind(session: Session, consignment_id: UUID, interval: timedelta, *, base_url: str, at: datetime) -> None:
    delivery = ledger.locked(session, session.get_one(Consignment, consignment_id).delivery_id)
    consignment = queries.last_consignment(session, delivery.id)
    if consignment is None or consignment.id != consignment_id or delivery.state not in queries.ON_THE_WAY:
        return
    if consignment.received_at or delivery.stopped_at:
        return
    if consignment.reminded_at is not None and consignment.reminded_at > at - interval:
        return
    letters.remind(session, consignment, delivery, base_url=base_url, at=at)
    consignment.reminded_at, consignment.reminders = at, consignment.reminders + 1
    ledger.note(session, delivery, EventKind.REMINDED, {"number": consignment.reminders}, by=PORTAL_JOB, at=at)
