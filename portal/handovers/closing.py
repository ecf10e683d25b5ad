"""An act that nobody signs: the recipient refuses, the dispatcher gives up, or it has lain open for too long."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.deliveries import ledger
from portal.deliveries.states import DeliveryState, EventKind
from portal.documents.act import ActKind
from portal.handovers import holding
from portal.handovers.models import Act, ActState
from portal.handovers.opening import identity
from portal.handovers.signing import locked
from portal.texts import one_line

LONGEST_REASON = 500
OPEN_FOR = timedelta(days=7)
"""A tablet may be without a network for days, with a signature on it; later than this the act is closed by itself."""


def refuse(session: Session, act_id: UUID, reason: str, *, by: Actor, at: datetime) -> Act:
    """The recipient does not take what the act lists. Its deliveries are refused; media that stay stay as they are.

    Raises ActNotOpen, TextMissing, TextTooLong, TextUnkeepable.
    """
    act = locked(session, act_id)
    words = one_line(reason, limit=LONGEST_REASON)
    act.close(ActState.REFUSED, by.name, at, words)
    for delivery in holding.held(session, [item.delivery_id for item in act.items]):
        evidence = {"reason": words, "act_number": act.number, "identity": identity(act)}
        if act.kind is ActKind.ACCEPTANCE:
            ledger.step(session, delivery, DeliveryState.REFUSED, evidence, by=by, at=at)
        else:
            ledger.note(session, delivery, EventKind.CORRECTED, evidence, by=by, at=at)
    return act


def abandon(session: Session, act_id: UUID, reason: str, *, by: Actor, at: datetime) -> Act:
    """Close an act without a signature; its deliveries stay as they are and can be handed over by another act.

    Raises ActNotOpen, TextMissing, TextTooLong, TextUnkeepable.
    """
    act = locked(session, act_id)
    words = one_line(reason, limit=LONGEST_REASON)
    act.close(ActState.ABANDONED, by.name, at, words)
    for delivery in holding.held(session, [item.delivery_id for item in act.items]):
        evidence = {"reason": words, "act_number": act.number}
        ledger.note(session, delivery, EventKind.CORRECTED, evidence, by=by, at=at)
    return act


def left_open(session: Session, at: datetime) -> list[UUID]:
    """Acts that have waited for a signature for too long."""
    rows = select(Act.id).where(Act.state == ActState.OPEN, Act.opened_at <= at - OPEN_FOR)
    return list(session.scalars(rows.order_by(Act.opened_at)))
