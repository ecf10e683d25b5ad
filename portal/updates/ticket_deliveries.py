"""Deliveries on a ticket's page: what went to its customer, since it was opened, of the releases that it is about."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, raiseload

from portal.actors import Actor
from portal.deliveries import queries
from portal.deliveries.models import Delivery
from portal.releases.models import Release
from portal.tickets.models import Ticket, TicketFix, TicketRelease

MOST_SHOWN = 12


def of_ticket(session: Session, ticket: Ticket, *, visible_to: Actor) -> Sequence[Delivery]:
    """The newest first, with release and product: of the releases linked to it, and of those it was told of as a fix.

    What was withdrawn as a fix stays: its bytes are there. One statement.
    """
    about = (
        select(TicketRelease.release_id)
        .where(TicketRelease.ticket_id == ticket.id)
        .union(select(TicketFix.release_id).where(TicketFix.ticket_id == ticket.id))
    )
    rows = (
        select(Delivery)
        .where(
            Delivery.organisation_id == ticket.organisation_id,
            Delivery.created_at >= ticket.created_at,
            Delivery.release_id.in_(about),
        )
        .options(joinedload(Delivery.release).joinedload(Release.product), raiseload("*"))
        .order_by(Delivery.created_at.desc())
        .limit(MOST_SHOWN)
    )
    return session.scalars(queries.seen(rows, visible_to)).all()
