"""The engineers' board: who answers next, what is mine, what waits for whom (P3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.errors import Forbidden, mark
from portal.permissions import Permission
from portal.releases.models import Product
from portal.tickets import rota
from portal.tickets.clock import Reading
from portal.tickets.models import Ticket, TicketChannel, TicketSeverity, TicketState
from portal.tickets.numbers import as_written
from portal.tickets.rota_models import DutyShift, ShiftNote
from portal.tickets.standing import first_due
from portal.tickets.timing import clocks_of

_S = TicketState
OURS = (_S.NEW, _S.OPEN)
THEIRS = (_S.WAITING_FOR_CUSTOMER, _S.FIX_AVAILABLE)
OPEN = (*OURS, *THEIRS, _S.WAITING_FOR_RELEASE)
CARDS = 20
LOOKED_AT_ANEW = timedelta(minutes=1)
"""So old may a board be of which only the version is known to be the same: a customer may be called otherwise."""


@dataclass(frozen=True)
class Lane:
    code: str
    title: str
    empty: str


NEXT = Lane("next", mark("Who answers next"), mark("Nobody waits for an answer."))
MINE = Lane("mine", mark("My tickets"), mark("You have no tickets."))
CUSTOMER = Lane("customer", mark("Waiting for the customer"), mark("Nothing waits for a customer."))
RELEASE = Lane("release", mark("Waiting for a release"), mark("Nothing waits for a release."))


class Seen(NamedTuple):
    """As much of a ticket as a card shows and its clock asks; `customer`, `product` and `assignee` by name."""

    id: UUID
    number: int
    organisation_id: UUID
    product_id: UUID | None
    channel: TicketChannel
    severity: TicketSeverity
    created_at: datetime
    state: TicketState
    title: str
    assigned_to: UUID | None
    customer: str
    product: str | None
    assignee: str | None

    def __str__(self) -> str:
        return as_written(self.number)


@dataclass(frozen=True)
class Card:
    """A ticket with the promise that ends first; None where none runs."""

    ticket: Seen
    first: Reading | None


@dataclass(frozen=True)
class Filled:
    """A lane with its first cards; `count` is how many there are in all."""

    lane: Lane
    cards: list[Card]
    count: int


@dataclass(frozen=True)
class Board:
    lanes: list[Filled]
    overdue: int
    unanswered: int
    notes: Sequence[ShiftNote]
    on_duty: Sequence[DutyShift]
    until: datetime
    """Until then it looks the same, unless its version (`following.version`) rises."""


def board(session: Session, *, visible_to: Actor, at: datetime) -> Board:
    """The board as this engineer sees it, in fourteen statements at most however many tickets there are.

    What is kept beside the tickets orders them and chooses the first of each lane; every time that is shown is
    computed from the events of those that are. Raises Forbidden.
    """
    if not (visible_to.is_staff and visible_to.may(Permission.TICKETS_WORK)):
        raise Forbidden(permission=Permission.TICKETS_WORK)
    is_mine = (Ticket.assigned_to == visible_to.person_id) & Ticket.state.in_(OPEN)
    states = _states(session)
    found = {
        NEXT: _next(session),
        MINE: _first(session, is_mine, Ticket.due_at.asc().nulls_last(), Ticket.number),
        CUSTOMER: _oldest(session, *THEIRS),
        RELEASE: _oldest(session, _S.WAITING_FOR_RELEASE),
    }
    overdue, mine, *turns = _figures(session, is_mine, at)
    counts = {
        NEXT: sum(states.get(state, 0) for state in OURS),
        MINE: mine,
        CUSTOMER: sum(states.get(state, 0) for state in THEIRS),
        RELEASE: states.get(_S.WAITING_FOR_RELEASE, 0),
    }
    clocks = clocks_of(session, list({t.id: t for tickets in found.values() for t in tickets}.values()), at=at)
    lanes = [Filled(lane, [Card(t, first_due(clocks[t.id])) for t in tickets], counts[lane])
             for lane, tickets in found.items()]  # fmt: skip
    return Board(
        lanes,
        overdue=overdue,
        unanswered=states.get(_S.NEW, 0),
        notes=rota.open_notes(session),
        on_duty=rota.shifts_at(session, at),
        until=min([at + LOOKED_AT_ANEW, *filter(None, turns)]),
    )


def _next(session: Session) -> list[Seen]:
    """By the soonest promise, the overdue ones first; then whatever is ours without any promise, the oldest first."""
    due = _first(session, Ticket.due_at.is_not(None), Ticket.due_at, Ticket.number)
    if len(due) == CARDS:
        return due
    rest = _first(session, Ticket.due_at.is_(None) & Ticket.state.in_(OURS), Ticket.created_at, Ticket.number)
    return [*due, *rest[: CARDS - len(due)]]


def _oldest(session: Session, *states: TicketState) -> list[Seen]:
    """State by state, each in the order of its index: sorting thousands to show twenty would grow with them."""
    found = [
        one for state in states for one in _first(session, Ticket.state == state, Ticket.created_at, Ticket.number)
    ]
    return sorted(found, key=lambda one: (one.created_at, one.number))[:CARDS]


def _first(session: Session, which: ColumnElement[bool], *order: SQLColumnExpression[Any]) -> list[Seen]:
    return [Seen(*row) for row in session.execute(_SEEN.where(which).order_by(*order).limit(CARDS))]


_SEEN: Select[Any] = (
    select(
        *(getattr(Ticket, name) for name in Seen._fields[:-3]),
        Organisation.name,
        Product.name,
        Person.name,
    )
    .join(Organisation, Organisation.id == Ticket.organisation_id)
    .outerjoin(Product, Product.id == Ticket.product_id)
    .outerjoin(Person, Person.id == Ticket.assigned_to)
)


def _states(session: Session) -> dict[TicketState, int]:
    rows = select(Ticket.state, func.count()).where(Ticket.state.in_(OPEN)).group_by(Ticket.state)
    return dict(session.execute(rows).all())


def _figures(session: Session, is_mine: ColumnElement[bool], at: datetime) -> Sequence[Any]:
    """How many are late and how many mine; then when the next one is late, and when shifts begin and end; or None."""
    late = Ticket.due_at.is_not(None) & (Ticket.due_at < at)
    counts = [select(func.count()).select_from(Ticket).where(which) for which in (late, is_mine)]
    turns = [
        select(func.min(Ticket.due_at)).where(Ticket.due_at >= at),
        select(func.min(DutyShift.starts_at)).where(DutyShift.starts_at > at),
        select(func.min(DutyShift.ends_at)).where(DutyShift.ends_at > at),
    ]
    return session.execute(select(*(rows.scalar_subquery() for rows in (*counts, *turns)))).one()
