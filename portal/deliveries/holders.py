"""Who holds a release: whoever has, or may have, bytes of it (P15). Asking for a delivery is not holding it.

What was fetched or went with a letter is out, whatever became of the delivery afterwards; what was handed in and then
given back may have left a copy; what never arrived and is back, or failed before it left, nobody has.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, and_, not_, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.models import Person
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import BY_ATTACHMENT, Channel, DeliveryState, EventKind
from portal.entitlements.models import ReceivedRelease

BROKEN_OFF = (
    DeliveryState.REQUESTED, DeliveryState.APPROVED, DeliveryState.PREPARED, DeliveryState.CANCELLED,
    DeliveryState.FAILED,
)  # fmt: skip
"""What waits is refused by the decision at its next step; what was broken off may have left before, or not."""
BYTES_LEFT = frozenset((EventKind.GRANTED, EventKind.DELIVERED, EventKind.INSTALLED))
_DOUBTFUL = or_(
    Delivery.state.in_((*BROKEN_OFF, DeliveryState.RETURNED)),
    and_(Delivery.state == DeliveryState.REFUSED, Delivery.channel == Channel.HAND_OVER),
)


def given_out(session: Session, release_id: UUID) -> Select[Delivery]:
    """The deliveries of the release by which somebody holds it, in no order."""
    rows = select(Delivery).where(Delivery.release_id == release_id)
    doubtful = session.scalars(rows.where(_DOUBTFUL).options(selectinload(Delivery.events)))
    ids = [delivery.id for delivery in doubtful if _may_be_held(delivery)]
    return rows.where(or_(not_(_DOUBTFUL), Delivery.id.in_(ids)))


def people_who_received(session: Session, release_id: UUID) -> Sequence[Person]:
    """Every active person of each customer to whom anything of the release was ever handed out."""
    issued = given_out(session, release_id).with_only_columns(Delivery.organisation_id)
    received = select(ReceivedRelease.organisation_id).where(ReceivedRelease.release_id == release_id)
    rows = (
        select(Person)
        .where(
            Person.organisation_id.in_(issued.union(received)),
            Person.disabled_at.is_(None),
            Person.password_hash.is_not(None),
        )
        .options(joinedload(Person.organisation))
        .order_by(Person.email)
    )
    return session.scalars(rows).all()


def _may_be_held(delivery: Delivery) -> bool:
    if delivery.state is DeliveryState.RETURNED:
        return delivery.delivered_at is not None
    return _has_left(delivery.events)


def _has_left(events: Sequence[DeliveryEvent]) -> bool:
    """Bytes were fetched, or went with a letter that did not come back."""
    carried = {event.evidence.get("message_id") for event in events if event.evidence.get("way") == BY_ATTACHMENT}
    back = {event.evidence.get("message_id") for event in events if event.kind is EventKind.BOUNCED}
    return any(event.kind in BYTES_LEFT for event in events) or bool(carried - back)
