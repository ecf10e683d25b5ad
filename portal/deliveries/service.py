"""The verbs of the ledger: a file is issued, bytes leave, the recipient confirms."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.config import Downloads
from portal.deliveries import ledger
from portal.deliveries.chain import append
from portal.deliveries.errors import NotEntitled, StepOutOfOrder
from portal.deliveries.models import Delivery, DeliveryEvent, DeliveryItem
from portal.deliveries.receiving import note_received
from portal.deliveries.states import FIRST_STATES, Channel, DeliveryState, EventKind
from portal.entitlements.decision import Granted
from portal.entitlements.rules import decide_for
from portal.errors import Conflict
from portal.releases.models import Artifact, Release
from portal.web.byte_ranges import Span

SPELL = timedelta(minutes=1)
"""Connections that follow each other within it are one attempt of a client."""
MOST_EVENTS = 100
MOST_WRONG_DIGESTS = 20
TRIES = 5


@dataclass(frozen=True)
class Taking:
    """One request for a file that the decision grants.

    `span`: the bytes asked for; None where another server sends them (`way`) and the portal will not see which.
    """

    artifact: Artifact
    decision: Granted
    span: Span | None
    way: Downloads
    user_agent: str

    @property
    def evidence(self) -> dict[str, Any]:
        return {
            "range": [self.span.start, self.span.end] if self.span else None,
            "way": self.way.value,
            "user_agent": self.user_agent[:300],
        }


def require_entitled(session: Session, release: Release, *, by: Actor, at: datetime) -> Granted:
    """The decision to let this person take the release now. Raises NotEntitled with its reason (P12)."""
    decision = decide_for(session, actor=by, release=release, at=at)
    if isinstance(decision, Granted):
        return decision
    raise NotEntitled(decision, release.id)


def issue(session: Session, taking: Taking, *, by: Actor, at: datetime) -> UUID:
    """Record that the bytes of the request may leave, before the first of them does; the delivery's id.

    The ranges of one person's download of one file are one delivery, several at a time or resumed on another day,
    until all bytes have left. What is fetched again from the middle, or from the start before the spell of connections
    is over, belongs to the delivery that was complete: what had left the portal was lost on the way.
    """
    delivery, is_new = _open_delivery(session, taking, by, at)
    if is_new:
        artifact = taking.artifact
        item = DeliveryItem(
            delivery_id=delivery.id, artifact_id=artifact.id, size_bytes=artifact.size_bytes, sha256=artifact.sha256
        )
        item.sent = {"ranges": [], "requests": 0}
        session.add(item)
        evidence = taking.evidence | {
            "decision": delivery.decision,
            "file": artifact.name,
            "sha256": artifact.sha256,
            "size_bytes": artifact.size_bytes,
        }
        append(session, delivery, EventKind.GRANTED, evidence, by=by, at=at)
        audit.record(session, Tag.DELIVERY_GRANTED, by=by, at=at, subject=delivery, named=artifact.name,
                     basis=taking.decision.code, channel=delivery.channel.value, sha256=artifact.sha256)  # fmt: skip
    else:
        item = _only_item(session, delivery)
        _note_resumed(session, delivery, taking, by, at)
    item.note_request(is_seen=taking.span is not None)
    return delivery.id


def record_sent(session: Session, delivery_id: UUID, span: Span, *, by: Actor, at: datetime) -> None:
    """Record the bytes that were handed to the connection, however it ended; the last ones complete the transfer."""
    delivery = ledger.locked(session, delivery_id)
    item = _only_item(session, delivery)
    item.note_sent(span, at)
    if not item.is_complete or not delivery.may_become(DeliveryState.DELIVERED):
        return
    delivery.transferred(at)
    append(session, delivery, EventKind.TRANSFERRED, {"bytes": item.sent_bytes, "requests": item.sent["requests"]},
           by=by, at=at)  # fmt: skip
    note_received(session, delivery, at)
    audit.record(session, Tag.DELIVERY_COMPLETED, by=by, at=at, subject=delivery, bytes=item.sent_bytes)


def confirm(session: Session, delivery: Delivery, sha256: str | None, *, by: Actor, at: datetime) -> bool:
    """Record what the recipient says of the bytes; whether they are the right ones.

    `sha256` is the digest it computed, None when a person states that the check was made. A wrong one is recorded as
    an event too, so the transaction has to be committed either way. Confirming twice is no error.
    Raises StepOutOfOrder when nothing can have been received yet.
    """
    delivery = ledger.locked(session, delivery.id)
    if delivery.channel is not Channel.DOWNLOAD:  # every other channel has a receipt with its own proof
        raise StepOutOfOrder(state=delivery.state.value, wanted=DeliveryState.ACKNOWLEDGED.value)
    item = _only_item(session, delivery)
    means = {"sha256": sha256} if sha256 else {"statement": "verified"}
    if sha256 and sha256.strip().lower() != item.sha256:
        if _number_of(session, delivery, EventKind.DIGEST_DIFFERS) < MOST_WRONG_DIGESTS:
            told = {"expected": item.sha256, "told": sha256.strip()[:200]}
            append(session, delivery, EventKind.DIGEST_DIFFERS, told, by=by, at=at)
        return False
    if delivery.state is DeliveryState.ACKNOWLEDGED:
        return True
    if not sha256 and not delivery.is_held and not item.is_unseen:  # a word alone does not replace missing bytes
        raise StepOutOfOrder(state=delivery.state.value, wanted=DeliveryState.ACKNOWLEDGED.value)
    delivery.acknowledge(at)
    append(session, delivery, EventKind.CONFIRMED, means, by=by, at=at)
    note_received(session, delivery, at)
    audit.record(session, Tag.DELIVERY_CONFIRMED, by=by, at=at, subject=delivery, **means)
    return True


def _open_delivery(session: Session, taking: Taking, by: Actor, at: datetime) -> tuple[Delivery, bool]:
    """The running download of this person and file, locked, and whether it was begun just now."""
    if taking.span and (earlier := _completed(session, taking, by)) and _fetches_again(session, earlier, taking, at):
        return earlier, False
    open_key = f"{by.person_id}:{taking.artifact.id}"
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = (
        dialect.insert(Delivery)
        .values(
            id=uuid4(),
            channel=Channel.DOWNLOAD,
            state=FIRST_STATES[Channel.DOWNLOAD],
            organisation_id=by.organisation_id,
            release_id=taking.artifact.release_id,
            person_id=by.person_id,
            person_name=by.name,
            created_at=at,
            decision=taking.decision.to_json() | {"template": taking.decision.clause},
            open_key=open_key,
        )
        .on_conflict_do_nothing(index_elements=["open_key"])
        .returning(Delivery.id)
    )
    for _ in range(TRIES):
        is_new = session.scalar(row) is not None
        delivery = session.scalar(select(Delivery).where(Delivery.open_key == open_key).with_for_update())
        if delivery is not None:
            return delivery, is_new
        # another connection completed it between the two statements: begin again
    raise Conflict


def _completed(session: Session, taking: Taking, by: Actor) -> Delivery | None:
    """The newest delivery of the file to this person, if all its bytes have left, locked."""
    newest = session.scalar(
        select(Delivery)
        .join(Delivery.items)
        .where(DeliveryItem.artifact_id == taking.artifact.id, Delivery.person_id == by.person_id)
        .order_by(Delivery.created_at.desc(), Delivery.id)
        .limit(1)
        .with_for_update(of=Delivery)
    )
    return newest if newest and newest.is_held else None


def _fetches_again(session: Session, complete: Delivery, taking: Taking, at: datetime) -> bool:
    """Whether a request is for what was lost of a complete delivery, rather than for the file once more.

    Bytes count as sent that the kernel still held when a connection broke, so several connections can all break, each
    in its first piece, after the last byte "left". Their client is back at once, and begins with the first byte.
    """
    if taking.span is not None and taking.span.start:
        return True
    last = _only_item(session, complete).sent.get("last_at")
    is_over = last is None or at - datetime.fromisoformat(last) >= SPELL
    return not is_over and complete.state is DeliveryState.DELIVERED


def _note_resumed(session: Session, delivery: Delivery, taking: Taking, by: Actor, at: datetime) -> None:
    """One event for each new spell of connections, not one for each range: a client may ask for thousands."""
    last = session.scalar(
        select(DeliveryEvent)
        .where(
            DeliveryEvent.delivery_id == delivery.id,
            DeliveryEvent.kind.in_((EventKind.GRANTED, EventKind.RESUMED)),
        )
        .order_by(DeliveryEvent.sequence.desc())
        .limit(1)
    )
    is_same_spell = last is not None and last.address == by.address and at - last.at < SPELL
    if last is None or is_same_spell or last.sequence >= MOST_EVENTS:
        return
    evidence = taking.evidence | {"basis": taking.decision.code}
    append(session, delivery, EventKind.RESUMED, evidence, by=by, at=at)


def _number_of(session: Session, delivery: Delivery, kind: EventKind) -> int:
    rows = select(func.count()).where(DeliveryEvent.delivery_id == delivery.id, DeliveryEvent.kind == kind)
    return session.scalar(rows) or 0


def _only_item(session: Session, delivery: Delivery) -> DeliveryItem:
    """The one file of a download."""
    rows = select(DeliveryItem).where(DeliveryItem.delivery_id == delivery.id)
    return session.scalars(rows.options(joinedload(DeliveryItem.artifact))).one()
