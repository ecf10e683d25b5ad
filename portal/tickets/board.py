"""The engineers' board: who answers next, what is mine, what waits for whom (P3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select
from sqlalchemy.orm import Session, joinedload

from portal.actors import Actor
from portal.errors import Forbidden, mark
from portal.permissions import Permission
from portal.tickets import rota
from portal.tickets.clock import Reading
from portal.tickets.models import Ticket, TicketState
from portal.tickets.rota_models import DutyShift, ShiftNote
from portal.tickets.standing import first_due
from portal.tickets.timing import clocks_of

_S = TicketState
OURS = (_S.NEW, _S.OPEN)
THEIRS = (_S.WAITING_FOR_CUSTOMER, _S.FIX_AVAILABLE)
OPEN = (*OURS, *THEIRS, _S.WAITING_FOR_RELEASE)
CARDS = 20


@dataclass(frozen=True)
class Lane:
    code: str
    title: str
    empty: str


NEXT = Lane("next", mark("Who answers next"), mark("Nobody waits for an answer."))
MINE = Lane("mine", mark("My tickets"), mark("You have no tickets."))
CUSTOMER = Lane("customer", mark("Waiting for the customer"), mark("Nothing waits for a customer."))
RELEASE = Lane("release", mark("Waiting for a release"), mark("Nothing waits for a release."))


@dataclass(frozen=True)
class Card:
    """A ticket with the promise that ends first; None where none runs."""

    ticket: Ticket
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


def board(session: Session, *, visible_to: Actor, at: datetime) -> Board:
    """The board as this engineer sees it, in fourteen statements however many tickets there are. Raises Forbidden."""
    if not (visible_to.is_staff and visible_to.may(Permission.TICKETS_WORK)):
        raise Forbidden(permission=Permission.TICKETS_WORK)
    states = _states(session)
    found = {
        NEXT: _next(session),
        MINE: _first(session, _is_mine(visible_to.person_id), Ticket.due_at.asc().nulls_last(), Ticket.number),
        CUSTOMER: _first(session, Ticket.state.in_(THEIRS), Ticket.created_at),
        RELEASE: _first(session, Ticket.state == _S.WAITING_FOR_RELEASE, Ticket.created_at),
    }
    counts = {
        NEXT: sum(states.get(state, 0) for state in OURS),
        MINE: _count(session, _is_mine(visible_to.person_id)),
        CUSTOMER: sum(states.get(state, 0) for state in THEIRS),
        RELEASE: states.get(_S.WAITING_FOR_RELEASE, 0),
    }
    clocks = clocks_of(session, list({t.id: t for tickets in found.values() for t in tickets}.values()), at=at)
    lanes = [Filled(lane, [Card(t, first_due(clocks[t.id])) for t in tickets], counts[lane])
             for lane, tickets in found.items()]  # fmt: skip
    return Board(
        lanes,
        overdue=_count(session, Ticket.due_at.is_not(None) & (Ticket.due_at < at)),
        unanswered=states.get(_S.NEW, 0),
        notes=rota.open_notes(session),
        on_duty=rota.shifts_at(session, at),
    )


def _next(session: Session) -> list[Ticket]:
    """By the soonest promise, the overdue ones first; then whatever is ours without any promise, the oldest first."""
    due = list(session.scalars(_named().where(Ticket.due_at.is_not(None)).order_by(Ticket.due_at).limit(CARDS)))
    if len(due) == CARDS:
        return due
    rest = _named().where(Ticket.due_at.is_(None), Ticket.state.in_(OURS)).order_by(Ticket.created_at)
    return [*due, *session.scalars(rest.limit(CARDS - len(due)))]


def _first(session: Session, which: ColumnElement[bool], *order: SQLColumnExpression[Any]) -> list[Ticket]:
    return list(session.scalars(_named().where(which).order_by(*order).limit(CARDS)))


def _named() -> Select[Ticket]:
    return select(Ticket).options(
        joinedload(Ticket.organisation), joinedload(Ticket.product), joinedload(Ticket.assignee)
    )


def _is_mine(person_id: UUID | None) -> ColumnElement[bool]:
    return (Ticket.assigned_to == person_id) & Ticket.state.in_(OPEN)


def _states(session: Session) -> dict[TicketState, int]:
    rows = select(Ticket.state, func.count()).where(Ticket.state.in_(OPEN)).group_by(Ticket.state)
    return dict(session.execute(rows).all())


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Ticket).where(which)) or 0
