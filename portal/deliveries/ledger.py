"""The one way a delivery moves: a state that may follow, with its proof, at a time that makes sense, as a new entry.

Every channel's verbs end here; nothing else changes a delivery's state (DESIGN 3.3). Corrections are new entries too.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.deliveries.chain import append
from portal.deliveries.errors import ProofMissing, TimeBeforeLastStep, TimeInFuture
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import PROOFS, DeliveryState, EventKind
from portal.entitlements.decision import minute
from portal.errors import NotFound

HAPPENED = "happened_at"


def locked(session: Session, delivery_id: UUID) -> Delivery:
    """The delivery as it is now, its row held until the transaction ends: of two clerks one waits. Raises NotFound."""
    delivery = session.scalar(
        select(Delivery).where(Delivery.id == delivery_id).with_for_update().execution_options(populate_existing=True)
    )
    if delivery is None:
        raise NotFound
    return delivery


def step(session: Session, delivery: Delivery, state: DeliveryState, proof: dict[str, Any], *, by: Actor,
         at: datetime) -> DeliveryEvent:  # fmt: skip
    """Move a delivery, whose row the caller holds locked, to the state, and note its proof.

    `proof["happened_at"]` (an aware datetime) says when it took place, where somebody writes it down later, as with
    a courier's receipt; otherwise it took place at `at`.
    Raises StepOutOfOrder, DeliveryStopped, ProofMissing, TimeBeforeLastStep, TimeInFuture.
    """
    happened_at: datetime = proof.get(HAPPENED) or at
    missing = sorted(name for name in PROOFS[delivery.channel][state] if proof.get(name) in (None, "", [], {}))
    if not delivery.may_become(state):
        delivery.become(state, at)  # raises in its own words
    if missing:
        raise ProofMissing(missing=", ".join(missing))
    _require_time(delivery, happened_at, at)
    delivery.become(state, happened_at)
    event = append(session, delivery, EventKind(state.value), proof, by=by, at=at)
    audit.record(session, Tag.DELIVERY_STEP, by=by, at=at, subject=delivery, named=delivery.number or "",
                 state=state.value, channel=delivery.channel.value)  # fmt: skip
    return event


def note(session: Session, delivery: Delivery, kind: EventKind, evidence: dict[str, Any], *, by: Actor,
         at: datetime) -> DeliveryEvent:  # fmt: skip
    """Note what happened without a change of state, on a delivery whose row the caller holds locked."""
    if kind.value in set(DeliveryState):
        raise ValueError(f"{kind} is a step")
    return append(session, delivery, kind, evidence, by=by, at=at)


def _require_time(delivery: Delivery, happened_at: datetime, at: datetime) -> None:
    if happened_at > at:
        raise TimeInFuture
    if delivery.since is not None and happened_at < delivery.since:
        raise TimeBeforeLastStep(last=minute(delivery.since))
