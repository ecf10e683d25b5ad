"""Letters about deliveries: who is told what, once each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Person, PersonRole
from portal.actors import PORTAL_JOB
from portal.deliveries import ledger, queries
from portal.deliveries.letters import (
    APPROVED,
    APPROVED_FOR_RECIPIENT,
    CANCELLED,
    OVERDUE,
    REQUESTED,
    Letter,
    Reader,
    letter,
)
from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.permissions import Role
from portal.resources import Resources

REMINDED_AT_ONCE = 200


@jobs.handles("deliveries.requested")
def tell_dispatchers(resources: Resources, *, at: datetime, request_id: str) -> None:
    """One letter to each dispatcher for a request, however many releases it is for."""
    with resources.sessions.begin() as session:
        deliveries = queries.of_request(session, UUID(request_id), visible_to=PORTAL_JOB)
        _post(session, REQUESTED, deliveries, _dispatchers(session), at=at, resources=resources)


@jobs.handles("deliveries.approved")
def tell_approved(resources: Resources, *, at: datetime, delivery_id: str) -> None:
    """The requester and the recipient hear that it will come."""
    with resources.sessions.begin() as session:
        delivery = queries.get(session, UUID(delivery_id), visible_to=PORTAL_JOB)
        requester = _requester(session, delivery)
        _post(session, APPROVED, [delivery], requester, at=at, resources=resources)
        addresses = {reader.email for reader in requester}
        others = [reader for reader in _recipient(delivery) if reader.email not in addresses]
        _post(session, APPROVED_FOR_RECIPIENT, [delivery], others, at=at, resources=resources)


@jobs.handles("deliveries.cancelled")
def tell_cancelled(resources: Resources, *, at: datetime, delivery_id: str, reason: str, tells_recipient: bool) -> None:
    """The requester hears why, and the recipient too when they had heard of it before."""
    with resources.sessions.begin() as session:
        delivery = queries.get(session, UUID(delivery_id), visible_to=PORTAL_JOB)
        readers = [*_requester(session, delivery), *(_recipient(delivery) if tells_recipient else ())]
        _post(session, CANCELLED, [delivery], readers, at=at, resources=resources, reason=reason)


@jobs.handles("deliveries.remind", every=timedelta(hours=1))
def remind(resources: Resources, *, at: datetime) -> None:
    """Once for each delivery and due date: whoever has the next step hears that it is overdue."""
    with resources.sessions() as session:
        overdue = session.scalars(queries.overdue(at).limit(REMINDED_AT_ONCE)).all()
    for delivery_id in overdue:
        with resources.sessions.begin() as session:
            _remind(session, delivery_id, at, resources)


def _remind(session: Session, delivery_id: UUID, at: datetime, resources: Resources) -> None:
    delivery = ledger.locked(session, delivery_id)
    if delivery.due_at is None or session.scalar(queries.overdue(at).where(Delivery.id == delivery_id)) is None:
        return  # it moved on, or another worker reminded, while we looked
    readers = [*_dispatchers(session), *(_recipient(delivery) if _waits_for_recipient(delivery) else ())]
    told = _post(
        session, OVERDUE, [delivery], readers, at=at, resources=resources, once_for=delivery.due_at.isoformat()
    )
    evidence = {"due_at": delivery.due_at.isoformat(), "told_to": told}
    ledger.note(session, delivery, EventKind.REMINDED, evidence, by=PORTAL_JOB, at=at)


def _waits_for_recipient(delivery: Delivery) -> bool:
    """A courier's recipient is reminded by that channel itself, with the code of the receipt."""
    if delivery.channel is Channel.COURIER or delivery.stopped_at is not None:
        return False
    return delivery.state in (DeliveryState.DISPATCHED, DeliveryState.DELIVERED)


def _post(  # noqa: PLR0913 - one letter's facts
    session: Session, kind: Letter, deliveries: Sequence[Delivery], readers: Sequence[Reader], *, at: datetime,
    resources: Resources, reason: str = "", once_for: str = "",
) -> list[str]:  # fmt: skip
    """Post the letter about the deliveries of one request to each reader; the names of those it goes to.

    Once per delivery and reader, and `once_for`.
    """
    for reader in readers:
        subject, text = letter(kind, deliveries, reader, resources.config.base_url, reason=reason)
        key = f"delivery:{kind.name}:{deliveries[0].id}:{once_for}:{reader.email}"
        post(session, key=key, recipient=reader.email, subject=subject, text=text, at=at)
    return [reader.name for reader in readers]


def _dispatchers(session: Session) -> list[Reader]:
    rows = (
        select(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(PersonRole.role == Role.DISPATCHER, Person.disabled_at.is_(None), Person.password_hash.is_not(None))
        .order_by(Person.email)
    )
    return [_reader(person) for person in session.scalars(rows)]


def _requester(session: Session, delivery: Delivery) -> list[Reader]:
    person = session.scalar(select(Person).where(Person.id == delivery.person_id, Person.disabled_at.is_(None)))
    return [_reader(person)] if person else []


def _recipient(delivery: Delivery) -> list[Reader]:
    kept = delivery.recipient
    return [Reader(kept["name"], kept["email"], kept["language"], has_pages=False)] if kept else []


def _reader(person: Person) -> Reader:
    return Reader(person.name, person.email, person.language, has_pages=True)
