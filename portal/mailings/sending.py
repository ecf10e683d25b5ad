"""Sending: a message is composed anew at each attempt, handed to the mail server, and only then written down as sent.

What happens between the server's word and ours, a crash say, makes the message go out twice, with the same Message-ID
and the same link: no message is lost, and the second tells nothing else.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import Actor, Via
from portal.authority.rules import Need
from portal.deliveries import ledger
from portal.deliveries.deciding import require_standing
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState, EventKind
from portal.errors import Refused
from portal.jobs import service as jobs
from portal.mailer import Attachment, Letter, MailRefused, MailUnavailable, compose_letter
from portal.mailings import letters, links, service
from portal.mailings.models import MailLink, MailMessage, MessageKind, MessageState
from portal.releases import queries as releases
from portal.resources import Resources
from storage import ObjectStore


@dataclass(frozen=True)
class Ready:
    """A message that may go now: what it says, which objects go with it, and the decision that lets it."""

    letter: Letter
    files: tuple[tuple[str, str], ...]
    """(name, key) of each file that is attached."""
    standing: dict[str, Any]


@jobs.handles("mailings.send")
def send(resources: Resources, *, at: datetime, message_id: str) -> None:
    """Send one message. Raises MailUnavailable, and is run again: the page says since when it waits."""
    identity = UUID(message_id)
    with resources.sessions.begin() as session:
        ready = _ready(session, resources, identity, at)
    if ready is None:
        return
    attached = (*(_attached(resources.store, *file) for file in ready.files), *ready.letter.attachments)
    letter = Letter(**{**vars(ready.letter), "attachments": attached})
    message = compose_letter(letter, sender=resources.config.mail_from, identity=identity.hex)
    try:
        resources.mailer.send(message, envelope_id=identity.hex)
    except MailUnavailable:
        with resources.sessions.begin() as session:
            _note_waiting(session, identity, at)
        raise
    except MailRefused as error:
        with resources.sessions.begin() as session:
            _note_refused(session, identity, error, at)
        return
    with resources.sessions.begin() as session:
        _note_sent(session, identity, ready.standing, at)


def _ready(session: Session, resources: Resources, identity: UUID, at: datetime) -> Ready | None:
    """None where there is nothing to send any more: it was sent, withdrawn, or may not go now."""
    message = session.get_one(MailMessage, identity)
    if message.state is not MessageState.WAITING:
        return None
    delivery = ledger.locked(session, message.delivery_id)
    link = session.get_one(MailLink, message.link_id)
    stands = _stands(session, message, link, delivery, at)
    if stands is None:
        return None
    if message.kind is not MessageKind.REMINDER:
        link.expires_at = at + resources.config.link_for  # what waits for the mail server loses nothing of its time
    link.secret_hash = links.digest(links.secret_of(link, resources.config.secret_key))
    facts = letters.Facts(
        delivery=delivery,
        kind=message.kind,
        recipient=message.recipient,
        link=links.address_of(link, resources.config),
        until=link.expires_at,
        base_url=resources.config.base_url,
    )
    items = service.items_of(session, delivery.id)
    is_attached = message.kind is MessageKind.ATTACHMENT
    papers = _papers(session, delivery) if is_attached else ()
    files = tuple((one.artifact.name, one.artifact.key) for one in items) if is_attached else ()
    return Ready(letters.letter(facts, items, papers), files, stands)


def _stands(
    session: Session, message: MailMessage, link: MailLink, delivery: Delivery, at: datetime
) -> dict[str, Any] | None:
    """The decision, taken anew: between the order and the sending may lie a day. Else the message is stopped."""
    is_reminder = message.kind is MessageKind.REMINDER
    right_states = (DeliveryState.DISPATCHED,) if is_reminder else (DeliveryState.PREPARED, *service.RENEWABLE)
    is_over = link.withdrawn_at is not None or (is_reminder and at >= link.expires_at)
    if delivery.state not in right_states or delivery.stopped_at is not None or is_over:
        _stop(message, "delivery-not-open")
        return None
    try:
        return require_standing(session, delivery, need=Need.RECEIVE, at=at)
    except Refused as error:
        _stop(message, error.code)
        link.withdraw(error.code, None, "", at)
        return None


def _stop(message: MailMessage, reason: str) -> None:
    message.state, message.last_error = MessageState.STOPPED, reason


def _papers(session: Session, delivery: Delivery) -> tuple[Attachment, ...]:
    signed = releases.publication(session, delivery.release_id)
    return letters.signed_papers(signed.sums, signed.sums_signature) if signed else ()


def _attached(store: ObjectStore, name: str, key: str) -> Attachment:
    """One small file, whole: a message is built in memory (`max_mailed_file_bytes`)."""
    with store.open_range(key) as reader:
        return Attachment(name, b"".join(reader))


def _note_waiting(session: Session, identity: UUID, at: datetime) -> None:
    message = session.get_one(MailMessage, identity)
    message.waiting_since = message.waiting_since or at
    message.attempts, message.last_error = message.attempts + 1, MailUnavailable.code


def _note_refused(session: Session, identity: UUID, error: MailRefused, at: datetime) -> None:
    """The mail server will never take it: the delivery stays prepared, and its page says why."""
    message = session.get_one(MailMessage, identity)
    delivery = ledger.locked(session, message.delivery_id)
    message.state, message.last_error = MessageState.BOUNCED, str(error.facts.get("answer", ""))[:500]
    evidence = {"message_id": message.message_id, "recipient": message.recipient, "diagnostic": message.last_error}
    ledger.note(session, delivery, EventKind.BOUNCED, evidence, by=_orderer(message), at=at)


def _note_sent(session: Session, identity: UUID, standing: dict[str, Any], at: datetime) -> None:
    message = session.get_one(MailMessage, identity)
    delivery = ledger.locked(session, message.delivery_id)
    link = session.get_one(MailLink, message.link_id)
    message.state, message.sent_at, message.last_error = MessageState.SENT, at, ""
    message.attempts += 1
    by = _orderer(message)
    proof = standing | {
        "message_id": message.message_id,
        "recipient": message.recipient,
        "way": message.kind.value,
        "until": link.expires_at.isoformat(),
    }
    if delivery.may_become(DeliveryState.DISPATCHED) and delivery.stopped_at is None:
        ledger.step(session, delivery, DeliveryState.DISPATCHED, proof, by=by, at=at)
        delivery.due_at = link.expires_at
        return
    kind = EventKind.REMINDED if message.kind is MessageKind.REMINDER else EventKind.LINK_RENEWED
    ledger.note(session, delivery, kind, proof, by=by, at=at)
    if delivery.state is DeliveryState.DISPATCHED:
        delivery.due_at = link.expires_at


def _orderer(message: MailMessage) -> Actor:
    """Whoever ordered the message, by way of the job that sends it."""
    ordered = message.ordered_by
    person_id = UUID(ordered["person_id"]) if ordered["person_id"] else None
    return Actor(Via.JOB, name=ordered["name"], person_id=person_id, address=ordered["address"])
