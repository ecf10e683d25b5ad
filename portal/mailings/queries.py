"""Messages and links of a delivery, for whoever has been let see the delivery."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, DeliveryPolicy
from portal.deliveries.states import DeliveryState
from portal.mailings.links import links_of
from portal.mailings.models import MailLink, MailMessage, MessageKind

__all__ = ["ending_links", "links_of", "may_attach", "messages_of"]


def messages_of(session: Session, delivery_id: UUID) -> Sequence[MailMessage]:
    """Every message of the delivery, the newest first."""
    rows = select(MailMessage).where(MailMessage.delivery_id == delivery_id)
    return session.scalars(rows.order_by(MailMessage.created_at.desc(), MailMessage.id)).all()


def may_attach(session: Session, organisation_id: UUID) -> bool:
    policy = session.get(DeliveryPolicy, organisation_id)
    return policy is not None and policy.may_attach


def ending_links(session: Session, *, after: datetime, until: datetime) -> Sequence[MailLink]:
    """Open links that end in this span of time, of deliveries that nobody has taken, not reminded of yet."""
    reminded = exists().where(MailMessage.link_id == MailLink.id, MailMessage.kind == MessageKind.REMINDER)
    rows = (
        select(MailLink)
        .join(MailLink.delivery)
        .where(
            MailLink.expires_at > after,
            MailLink.expires_at <= until,
            MailLink.withdrawn_at.is_(None),
            Delivery.state == DeliveryState.DISPATCHED,
            ~reminded,
        )
        .order_by(MailLink.expires_at)
    )
    return session.scalars(rows).all()
