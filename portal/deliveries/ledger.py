"""The one way a delivery moves: a state that may follow, with its proof, at a time that makes sense, as a new entry.

Every channel's verbs end here; nothing else changes a delivery's state (DESIGN 3.3). Corrections are new entries too.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.deliveries.chain import append
from portal.deliveries.due import due_at
from portal.deliveries.errors import ProofMissing, TimeBeforeLastStep, TimeInFuture
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.receiving import note_received
from portal.deliveries.states import PROOFS, DeliveryState, EventKind
from portal.entitlements.decision import minute
from portal.errors import NotFound
from portal.releases.models import Release

HAPPENED = "happened_at"


def locked(session: Session, delivery_id: UUID) -> Delivery:
    """The delivery as it is now, with its customer, release and product; of two clerks one waits. Raises NotFound.

    The row is held until the transaction ends.
    """
    rows = select(Delivery).where(Delivery.id == delivery_id).options(
        joinedload(Delivery.organisation, innerjoin=True),
        joinedload(Delivery.release, innerjoin=True).joinedload(Release.product, innerjoin=True),
    )  # fmt: skip
    delivery = session.scalar(rows.with_for_update(of=Delivery).execution_options(populate_existing=True))
    if delivery is None:
        raise NotFound
    return delivery


def begin(session: Session, delivery: Delivery, proof: dict[str, Any], *, by: Actor, at: datetime) -> DeliveryEvent:
    """The first entry of a delivery that was asked for, just added to the session. Raises ProofMissing."""
    _require_proof(delivery, delivery.state, proof)
    delivery.since = at
    delivery.due_at = due_at(delivery.channel, delivery.state, at, delivery.wanted_by)
    event = append(session, delivery, EventKind(delivery.state.value), proof, by=by, at=at)
    audit.record(session, Tag.DELIVERY_REQUEST, by=by, at=at, subject=delivery, named=delivery.number or "",
                 channel=delivery.channel.value, customer=delivery.organisation_id)  # fmt: skip
    return event


def step(session: Session, delivery: Delivery, state: DeliveryState, proof: dict[str, Any], *, by: Actor,
         at: datetime) -> DeliveryEvent:  # fmt: skip
    """Move a delivery, whose row the caller holds locked, to the state, and note its proof.

    `proof["happened_at"]` (an aware datetime) says when it took place, where somebody writes it down later, as with
    a courier's receipt; otherwise it took place at `at`.
    Raises StepOutOfOrder, DeliveryStopped, ProofMissing, TimeBeforeLastStep, TimeInFuture.
    """
    happened_at: datetime = proof.get(HAPPENED) or at
    delivery.require_step(state)
    _require_proof(delivery, state, proof)
    _require_time(delivery, happened_at, at)
    was_held = delivery.is_held
    delivery.become(state, happened_at)
    delivery.due_at = due_at(delivery.channel, state, happened_at, delivery.wanted_by)
    event = append(session, delivery, EventKind(state.value), proof, by=by, at=at)
    audit.record(session, Tag.DELIVERY_STEP, by=by, at=at, subject=delivery, named=delivery.number or "",
                 state=state.value, channel=delivery.channel.value)  # fmt: skip
    if delivery.is_held and not was_held:
        note_received(session, delivery, happened_at)
    return event


def note(session: Session, delivery: Delivery, kind: EventKind, evidence: dict[str, Any], *, by: Actor,
         at: datetime) -> DeliveryEvent:  # fmt: skip
    """Note what happened without a change of state, on a delivery whose row the caller holds locked."""
    if kind.value in set(DeliveryState):
        raise ValueError(f"{kind} is a step")
    return append(session, delivery, kind, evidence, by=by, at=at)


def _require_proof(delivery: Delivery, state: DeliveryState, proof: dict[str, Any]) -> None:
    wanted = PROOFS[delivery.channel][state]
    missing = sorted(name for name in wanted if _is_nothing(proof.get(name)))
    if missing:
        raise ProofMissing(missing=", ".join(missing))


def _is_nothing(value: object) -> bool:
    return value in (None, "", [], {}, ()) or (isinstance(value, str) and not value.strip())


def _require_time(delivery: Delivery, happened_at: datetime, at: datetime) -> None:
    if happened_at > at:
        raise TimeInFuture
    if delivery.since is not None and happened_at < delivery.since:
        raise TimeBeforeLastStep(last=minute(delivery.since))
