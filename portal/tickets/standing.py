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

from portal.tickets.clock import Happening, Reading, TicketFacts, readings
from portal.tickets.models import Ticket, TicketAlarm
from portal.tickets.programmes import Measure, Programme
from portal.tickets.timing import events_of, moments_of, programmes_of

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
    ids = [ticket.id for ticket in tickets]
    events, programmes = events_of(session, ids), programmes_of(session, tickets)
    alarms = alarms_of(session, ids)
    found = {}
    for ticket in tickets:
        moments = moments_of(events.get(ticket.id, ()))
        answers = [moment.at for moment in moments if moment.happening is Happening.HUMAN_ANSWER]
        programme = programmes[ticket.id]
        clock = readings(moments, TicketFacts(ticket.channel, ticket.severity), programme, now=at)
        found[ticket.id] = pending(clock, programme, alarms.get(ticket.id, ()))
        first = first_due(clock)
        ticket.answered_at = answers[0] if answers else None
        ticket.last_answer_at = answers[-1] if answers else None
        ticket.due_at = first.due_at if first else None
        ticket.watch_at = found[ticket.id][0].at if found[ticket.id] else None
    return found


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
