"""What a ticket keeps at hand of its clock, and which warnings and calls for help are still to come.

The clock itself is never stored. What is kept beside the ticket follows from its events and its programme, is written
in the transaction that writes the events, and is gone over again by a job, since contracts and programmes change too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.tickets.clock import ENDED, Happening, Moment, Reading, TicketFacts, readings
from portal.tickets.models import Ticket, TicketAlarm, TicketChannel, TicketSeverity
from portal.tickets.programmes import Measure, Programme
from portal.tickets.timing import Timed, events_of, moments_of, programmes_of

WARNING = "warning"
ON_DUTY, SHIFT_LEAD, MANAGEMENT = "on-duty", "shift-lead", "management"
WHO = (ON_DUTY, SHIFT_LEAD, MANAGEMENT)
"""Whom a rung of the ladder can call; a warning goes to those on duty."""


class Call(NamedTuple):
    """Somebody is to be told at `at`: before a promise is broken (WARNING), or by a rung of the ladder (its number)."""

    at: datetime
    measure: Measure
    rung: str
    who: str
    due_at: datetime


class Kept(NamedTuple):
    """What is kept beside a ticket; see `models.Ticket`."""

    answered_at: datetime | None
    last_answer_at: datetime | None
    due_at: datetime | None
    watch_at: datetime | None


class Follows(NamedTuple):
    """What follows from a ticket's events: what is kept, and what is still to be told, in the order of time."""

    kept: Kept
    calls: list[Call]


class AtHand(NamedTuple):
    """As much of a ticket as its clock asks, and what is kept beside it."""

    id: UUID
    number: int
    organisation_id: UUID
    product_id: UUID | None
    channel: TicketChannel
    severity: TicketSeverity
    created_at: datetime
    answered_at: datetime | None
    last_answer_at: datetime | None
    due_at: datetime | None
    watch_at: datetime | None

    @property
    def kept(self) -> Kept:
        return Kept(self.answered_at, self.last_answer_at, self.due_at, self.watch_at)


def is_running(reading: Reading) -> bool:
    """Whether time counts now; a promise that is kept or rests brings nobody out of bed."""
    return reading.stopped_at is None and reading.warn_at is not None and reading.due_at is not None


def first_due(clock: Mapping[Measure, Reading]) -> Reading | None:
    """Of the promises that run, the one that ends first."""
    running = [reading for reading in clock.values() if is_running(reading)]
    return min(running, key=lambda reading: reading.due_at or reading.started_at, default=None)


def pending(clock: Mapping[Measure, Reading], programme: Programme, told: Iterable[TicketAlarm]) -> list[Call]:
    """What is still to be told of a ticket as it stands, in the order of time; `told` is what was told already.

    A pause only moves the end of a promise on: whoever was told is not told again. An answer begins a new promise of
    the next one, and a shorter promise (a higher severity) has its own warnings.
    """
    known = list(told)
    calls = [
        call
        for reading in clock.values()
        if is_running(reading)
        for call in _calls(reading, programme)
        if not any(_is_told(call, reading, alarm) for alarm in known)
    ]
    return sorted(calls)


def keep(session: Session, *tickets: Ticket, at: datetime) -> dict[UUID, list[Call]]:
    """Write beside these tickets what follows from their events; returns what is still to be told of each.

    Call it after events were added, and after the channel or severity was changed. Five statements, however many.
    """
    found = following(session, tickets, at=at)
    for ticket in tickets:
        kept = found[ticket.id].kept
        ticket.answered_at, ticket.last_answer_at, ticket.due_at, ticket.watch_at = kept
    return {ticket_id: follows.calls for ticket_id, follows in found.items()}


def following(session: Session, tickets: Sequence[Timed], *, at: datetime) -> dict[UUID, Follows]:
    """By ticket, what follows from its events as they are on record. Five statements, however many."""
    ids = [ticket.id for ticket in tickets]
    events, programmes = events_of(session, ids), programmes_of(session, tickets)
    alarms = alarms_of(session, ids)
    return {
        one.id: _follows(one, moments_of(events.get(one.id, ())), programmes[one.id], alarms.get(one.id, ()), at)
        for one in tickets
    }


def drifted(session: Session, after: int, limit: int, *, at: datetime) -> tuple[list[UUID], int | None]:
    """Of the next open tickets after this number, those beside which something else is kept than follows; and the
    number of the last one gone over (None: there was none). Reads only, and locks nothing.
    """
    columns = [getattr(Ticket, name) for name in AtHand._fields]
    rows = select(*columns).where(Ticket.number > after, Ticket.state.not_in(ENDED)).order_by(Ticket.number)
    tickets = [AtHand(*row) for row in session.execute(rows.limit(limit))]
    found = following(session, tickets, at=at)
    return [one.id for one in tickets if one.kept != found[one.id].kept], tickets[-1].number if tickets else None


def _follows(
    ticket: Timed, moments: list[Moment], programme: Programme, told: Iterable[TicketAlarm], at: datetime
) -> Follows:
    answers = [moment.at for moment in moments if moment.happening is Happening.HUMAN_ANSWER]
    clock = readings(moments, TicketFacts(ticket.channel, ticket.severity), programme, now=at)
    calls, first = pending(clock, programme, told), first_due(clock)
    kept = Kept(
        answers[0] if answers else None,
        answers[-1] if answers else None,
        first.due_at if first else None,
        calls[0].at if calls else None,
    )
    return Follows(kept, calls)


def alarms_of(session: Session, ticket_ids: Sequence[UUID]) -> dict[UUID, list[TicketAlarm]]:
    found: dict[UUID, list[TicketAlarm]] = {}
    for alarm in session.scalars(select(TicketAlarm).where(TicketAlarm.ticket_id.in_(ticket_ids))):
        found.setdefault(alarm.ticket_id, []).append(alarm)
    return found


def _calls(reading: Reading, programme: Programme) -> list[Call]:
    if reading.due_at is None or reading.warn_at is None:
        return []
    due = reading.due_at
    rungs = [Call(due + r.after, reading.measure, str(n), r.who, due) for n, r in enumerate(programme.ladder, 1)]
    return [Call(reading.warn_at, reading.measure, WARNING, ON_DUTY, due), *rungs]


def _is_told(call: Call, reading: Reading, alarm: TicketAlarm) -> bool:
    same = (alarm.measure, alarm.rung) == (call.measure.value, call.rung)
    return same and alarm.at > reading.started_at and alarm.due_at <= call.due_at
