"""What each entry of a ticket's thread did to its promised times, and which warnings and calls went out in between.

The turns follow from the events as the clock does, so both sides read the same. Who was called is the support
centre's own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.errors import mark
from portal.tickets import policy
from portal.tickets.clock import ENDED, Happening, Moment, Reading, Standing, resting_states
from portal.tickets.models import Ticket, TicketAlarm, TicketEvent
from portal.tickets.programmes import Measure, Programme
from portal.tickets.standing import WARNING, alarms_of
from portal.tickets.timing import happening, moments_of


class Turn(StrEnum):
    """What became of a promise."""

    KEPT = "kept"
    BROKEN = "broken"
    RESTS = "rests"
    GOES_ON = "goes-on"


TURN_TITLES = {
    Turn.KEPT: mark("kept in time"),
    Turn.BROKEN: mark("not kept"),
    Turn.RESTS: mark("rests from here on"),
    Turn.GOES_ON: mark("counts again"),
}
Turns = dict[int, list[tuple[Measure, Turn]]]
_STOPPED = {Standing.KEPT: Turn.KEPT, Standing.BROKEN: Turn.BROKEN}


def turns_of(events: Sequence[TicketEvent], clock: Mapping[Measure, Reading], programme: Programme) -> Turns:
    """By an event's place in the ticket: what it did to the promises of this clock, which is that of these events."""
    moving = [event for event in events if happening(event)]
    moments = moments_of(events)
    found: Turns = {}
    for measure, reading in clock.items():
        for event, turn in zip(moving, _turns(measure, reading, moments, programme), strict=True):
            if turn:
                found.setdefault(event.sequence, []).append((measure, turn))
    return found


def alarms_after(session: Session, ticket: Ticket, events: Sequence[TicketEvent], *, visible_to: Actor
                 ) -> dict[int, list[TicketAlarm]]:  # fmt: skip
    """By an event's place in the ticket: the warnings and calls between it and the next one, for staff alone."""
    if not policy.sees_internal(visible_to):
        return {}
    found: dict[int, list[TicketAlarm]] = {}
    for alarm in sorted(alarms_of(session, [ticket.id]).get(ticket.id, ()), key=_order):
        before = [event.sequence for event in events if event.at <= alarm.at]
        found.setdefault(before[-1] if before else events[0].sequence, []).append(alarm)
    return found


def _order(alarm: TicketAlarm) -> tuple[datetime, str, bool, str]:
    """Of those in one instant each promise by itself, its warning first."""
    return alarm.at, alarm.measure, alarm.rung != WARNING, alarm.rung


def _turns(measure: Measure, reading: Reading, moments: Sequence[Moment], programme: Programme) -> list[Turn | None]:
    if measure is Measure.RESPONSE:
        return _first_answer(reading, moments)
    resting = resting_states(programme, measure)
    begins = reading.started_at if measure is Measure.NEXT_UPDATE else moments[0].at
    found: list[Turn | None] = []
    before = False
    for moment in moments:
        rests = moment.state in resting
        is_turn = rests is not before and moment.at >= begins
        found.append((Turn.RESTS if rests else Turn.GOES_ON) if is_turn else None)
        before = rests
    if reading.standing in _STOPPED:
        open_ones = [place for place, moment in enumerate(moments) if moment.state not in ENDED]
        found[open_ones[-1] + 1] = _STOPPED[reading.standing]
    return found


def _first_answer(reading: Reading, moments: Sequence[Moment]) -> list[Turn | None]:
    first = next((n for n, moment in enumerate(moments) if moment.happening is Happening.HUMAN_ANSWER), None)
    return [_STOPPED.get(reading.standing) if place == first else None for place in range(len(moments))]
