"""Which tickets an actor may see, and what hangs on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.customers import ESCAPE, anywhere, is_called
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements import visibility
from portal.errors import NotFound
from portal.releases.models import Issue, IssueRelation, Product, Release, ReleaseIssue, ReleaseState
from portal.texts import folded
from portal.tickets import numbers, policy
from portal.tickets.models import (
    INTERNAL_KINDS,
    Ticket,
    TicketEvent,
    TicketFix,
    TicketIssue,
    TicketRelease,
    TicketState,
)

SHORTEST_PART = 3
"""What the index of titles is made of; anything shorter would read a million of them to find nothing."""


@dataclass(frozen=True)
class Wanted:
    """What a list of tickets is narrowed to; None and "" narrow nothing. `customer` is part of a name or code."""

    state: TicketState | None = None
    product_id: UUID | None = None
    customer: str = ""
    text: str = ""


def get(session: Session, number: str, *, visible_to: Actor) -> Ticket:
    """The ticket of this number (`T-000123` or `123`) with organisation, product and opener. Raises NotFound."""
    parsed = numbers.parse(number)
    rows = (
        _with_names(_visible(visible_to))
        .where(Ticket.number == parsed)
        .options(joinedload(Ticket.opener), joinedload(Ticket.assignee))
    )
    ticket = session.scalar(rows) if parsed else None
    if ticket is None:
        raise NotFound
    return ticket


def tickets(wanted: Wanted, *, visible_to: Actor) -> Select[Ticket]:
    """Newest first, with organisation and product."""
    rows = _with_names(_visible(visible_to))
    if wanted.state:
        rows = rows.where(Ticket.state == wanted.state)
    if wanted.product_id:
        rows = rows.where(Ticket.product_id == wanted.product_id)
    if wanted.customer and visible_to.is_staff:
        rows = rows.where(Ticket.organisation_id.in_(select(Organisation.id).where(is_called(wanted.customer))))
    if wanted.text:
        number = numbers.parse(wanted.text)
        by_title = _is_titled(folded(wanted.text))
        rows = rows.where(or_(by_title, Ticket.number == number) if number else by_title)
    return rows.order_by(Ticket.number.desc())


def thread(session: Session, ticket: Ticket, *, visible_to: Actor) -> Sequence[TicketEvent]:
    """The ticket's events in their order; for a customer without what is internal."""
    rows = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.sequence)
    if not policy.sees_internal(visible_to):
        rows = rows.where(TicketEvent.kind.not_in(INTERNAL_KINDS))
    return session.scalars(rows).all()


def linked_issues(session: Session, ticket: Ticket, *, visible_to: Actor, at: datetime) -> Sequence[Issue]:
    """Issues that caused the ticket, with their titles; for a customer only those that it may know of."""
    rows = select(Issue).join(TicketIssue, TicketIssue.issue_id == Issue.id).where(TicketIssue.ticket_id == ticket.id)
    if not policy.sees_internal(visible_to):
        rows = rows.where(Issue.is_public, Issue.product_id.in_(_products_of(ticket.organisation_id, at)))
    return session.scalars(rows.options(selectinload(Issue.texts)).order_by(Issue.public_id)).all()


def linked_releases(session: Session, ticket: Ticket, *, visible_to: Actor, at: datetime) -> Sequence[Release]:
    """Releases that answer the ticket, with their products; for a customer only those that it may know of."""
    rows = (
        select(Release)
        .join(TicketRelease, TicketRelease.release_id == Release.id)
        .where(TicketRelease.ticket_id == ticket.id)
    )
    if not policy.sees_internal(visible_to):
        rows = rows.where(Release.id.in_(visibility.visible(ticket.organisation_id, at)))
    return session.scalars(rows.options(joinedload(Release.product)).order_by(Release.version_key)).all()


def resolved_by(session: Session, release_id: UUID, organisation_id: UUID) -> Sequence[Ticket]:
    """The customer's own tickets that the release resolves: it fixes their issue, or is linked to them itself.

    Empty unless the release is published. Whether the customer may know of the release is for the caller, who shows
    them on the release's own page.
    """
    fixed = (
        select(TicketIssue.ticket_id)
        .join(ReleaseIssue, ReleaseIssue.issue_id == TicketIssue.issue_id)
        .join(Issue, Issue.id == TicketIssue.issue_id)
        .where(ReleaseIssue.release_id == release_id, ReleaseIssue.relation == IssueRelation.FIXED, Issue.is_public)
    )
    linked = select(TicketRelease.ticket_id).where(TicketRelease.release_id == release_id)
    published = select(Release.id).where(Release.id == release_id, Release.state == ReleaseState.PUBLISHED)
    rows = select(Ticket).where(
        Ticket.organisation_id == organisation_id, published.exists(), or_(Ticket.id.in_(fixed), Ticket.id.in_(linked))
    )
    return session.scalars(rows.order_by(Ticket.number)).all()


def has_fix_told(session: Session, ticket: Ticket) -> bool:
    """Whether the customer was told of a release that cures the ticket, and that release still stands."""
    told = select(TicketFix.release_id).where(TicketFix.ticket_id == ticket.id, TicketFix.taken_back_at.is_(None))
    return session.scalar(told.limit(1)) is not None


def products_for(organisation_id: UUID | None, at: datetime) -> Select[Product]:
    """The products that a ticket of this customer may be about, by name; every product when no customer is named."""
    rows = select(Product).order_by(Product.name)
    return rows.where(Product.id.in_(_products_of(organisation_id, at))) if organisation_id else rows


def _is_titled(text: str) -> ColumnElement[bool]:
    """The text anywhere in the title; a letter or two only where a word begins: the index knows parts of three."""
    if len(text) < SHORTEST_PART and text.isalnum():
        return or_(Ticket.search_text.like(f"{text}%"), Ticket.search_text.like(f"% {text}%"))
    return Ticket.search_text.like(anywhere(text), escape=ESCAPE)


def _visible(visible_to: Actor) -> Select[Ticket]:
    return select(Ticket).where(_own(visible_to))


def _own(visible_to: Actor) -> ColumnElement[bool]:
    if visible_to.is_staff:
        return true()
    if visible_to.is_customer and visible_to.organisation_id:
        return Ticket.organisation_id == visible_to.organisation_id
    return false()


def _with_names(rows: Select[Ticket]) -> Select[Ticket]:
    return rows.options(joinedload(Ticket.organisation), joinedload(Ticket.product))


def _products_of(organisation_id: UUID, at: datetime) -> Select[UUID]:
    return visibility.visible_products(organisation_id, at)
