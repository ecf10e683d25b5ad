"""The clock of a ticket, computed from its events each time that it is read: never stored, so it can't drift (P3).

The first answer by a human stops the response clock; automatic receipts, notes and changes of state do not. What rests
while a ticket waits is the programme's to say. Events count in the order in which they were written: where the host's
clock was set back between two of them, the later one counts as simultaneous with the one before.

A severity that changes changes what is promised from the beginning; a first answer that was given stays as it was
judged then: nobody makes it late, or timely, afterwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from portal.tickets.models import TicketChannel, TicketSeverity, TicketState
from portal.tickets.programmes import Measure, Programme

ENDED = frozenset({TicketState.RESOLVED, TicketState.CLOSED})
"""In these states no promise runs."""


class Happening(StrEnum):
    """What the clock asks of an event."""

    OPENED = "opened"
    HUMAN_ANSWER = "human-answer"
    STATE = "state"
    SEVERITY = "severity"


class Moment(NamedTuple):
    """One event as the clock sees it; `state` and `severity` are the ticket's from then on.

    `severity` None: it never changed.
    """

    at: datetime
    happening: Happening
    state: TicketState
    severity: TicketSeverity | None = None


class Standing(StrEnum):
    RUNNING = "running"
    RESTING = "resting"
    KEPT = "kept"
    BROKEN = "broken"
    """Stopped too late."""
    OVERDUE = "overdue"
    """Not stopped yet, and too late already."""


@dataclass(frozen=True)
class Reading:
    """One promise as it stands. `used` is the time that has counted; `due_at` is None while the clock rests.

    `stopped_at` is when it was kept or broken for good.
    """

    measure: Measure
    target: timedelta
    used: timedelta
    standing: Standing
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    stopped_at: datetime | None

    @property
    def left(self) -> timedelta:
        """What is left of the time; negative when it is too late."""
        return self.target - self.used


class Span(NamedTuple):
    """A stretch of time in which a promise counts; `end` None: it goes on."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class TicketFacts:
    channel: TicketChannel
    severity: TicketSeverity


def readings(
    moments: Sequence[Moment],
    facts: TicketFacts,
    programme: Programme,
    *,
    now: datetime,
    measures: Iterable[Measure] = Measure,
) -> dict[Measure, Reading]:
    """Every promise of the programme for a ticket with these events (the first is its opening), as of `now`.

    `measures`: only these, where nobody asks for the others.
    """
    ordered = in_order(moments)
    now = max(now, ordered[-1].at) if ordered else now
    found = {}
    for measure in measures:
        target = programme.target(measure, facts.channel, _severity(measure, ordered) or facts.severity)
        reading = _reading(measure, target, ordered, programme, now) if target and ordered else None
        if reading:
            found[measure] = reading
    return found


def _severity(measure: Measure, moments: list[Moment]) -> TicketSeverity | None:
    """The severity that a first answer met; None where the present one decides."""
    if measure is not Measure.RESPONSE:
        return None
    return next((moment.severity for moment in moments if moment.happening is Happening.HUMAN_ANSWER), None)


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """The events with times that never go back."""
    ordered: list[Moment] = []
    for moment in moments:
        ordered.append(moment._replace(at=max(moment.at, ordered[-1].at)) if ordered else moment)
    return ordered


def _reading(
    measure: Measure, target: timedelta, moments: list[Moment], programme: Programme, now: datetime
) -> Reading | None:
    if measure is Measure.RESPONSE:
        spans, stopped_at = _until_first_answer(moments)
    elif measure is Measure.NEXT_UPDATE:
        spans, stopped_at = _since_last_answer(moments, programme)
    else:
        spans, stopped_at = _until_resolved(moments, programme)
    if not spans:
        return None
    hours = programme.hours
    closed = [span for span in spans if span.end is not None]
    used = sum((hours.between(span.start, span.end) for span in closed if span.end), timedelta(0))
    running = spans[-1] if spans[-1].end is None else None
    before = used
    if running:
        used += hours.between(running.start, now)
    due_at = hours.after(running.start, target - before) if running else _passed(spans, target, programme)
    warn_at = hours.after(running.start, target * programme.warn_at - before) if running else None
    standing = _standing(stopped_at, running, used, target)
    return Reading(measure, target, used, standing, spans[0].start, due_at, warn_at, stopped_at)


def _standing(stopped_at: datetime | None, running: Span | None, used: timedelta, target: timedelta) -> Standing:
    if stopped_at is not None:
        return Standing.KEPT if used <= target else Standing.BROKEN
    if used > target:
        return Standing.OVERDUE
    return Standing.RUNNING if running else Standing.RESTING


def _passed(spans: list[Span], target: timedelta, programme: Programme) -> datetime | None:
    """When the time was used up, in a clock that does not run any more; None when it never was."""
    left = target
    for span in spans:
        if span.end is None:
            break
        counted = programme.hours.between(span.start, span.end)
        if counted >= left:
            return programme.hours.after(span.start, left)
        left -= counted
    return None


def _until_first_answer(moments: list[Moment]) -> tuple[list[Span], datetime | None]:
    """The response rests for nobody: it is the support centre's alone. A ticket closed unanswered promises none any
    more; opened again, it goes on where it stopped."""
    places = (place for place, moment in enumerate(moments) if moment.happening is Happening.HUMAN_ANSWER)
    first = next(places, None)
    if first is None:
        is_over = moments[-1].state in ENDED
        return [] if is_over else _counting(moments, ENDED), None
    answered = moments[first].at
    spans = _counting(moments[: first + 1], ENDED)
    return [span._replace(end=span.end or answered) for span in spans], answered


def _since_last_answer(moments: list[Moment], programme: Programme) -> tuple[list[Span], datetime | None]:
    """From each answer to the next, while the ticket is the support centre's to work on; nothing before the first."""
    answers = [number for number, moment in enumerate(moments) if moment.happening is Happening.HUMAN_ANSWER]
    if not answers or moments[-1].state in ENDED:
        return [], None
    return _counting(moments[answers[-1] :], resting_states(programme, Measure.NEXT_UPDATE)), None


def _until_resolved(moments: list[Moment], programme: Programme) -> tuple[list[Span], datetime | None]:
    """All the time that the ticket was not resolved and did not rest; reopening goes on where it stopped."""
    spans = _counting(moments, resting_states(programme, Measure.RESOLUTION))
    is_over = moments[-1].state in ENDED
    ended = [moment.at for moment in moments if moment.state in ENDED]
    return spans, _last_ending(moments) if is_over and ended else None


def _last_ending(moments: list[Moment]) -> datetime:
    """When the ticket was last resolved (or closed without that), after which it was not opened again."""
    ending = moments[-1].at
    for moment in reversed(moments):
        if moment.state not in ENDED:
            break
        ending = moment.at
    return ending


def resting_states(programme: Programme, measure: Measure) -> frozenset[TicketState]:
    """The states in which the measure does not count."""
    resting = set(ENDED)
    if measure in programme.paused_by_customer:
        resting |= {TicketState.WAITING_FOR_CUSTOMER, TicketState.FIX_AVAILABLE}
    if measure in programme.paused_by_release:
        resting.add(TicketState.WAITING_FOR_RELEASE)
    return frozenset(resting)


def _counting(moments: list[Moment], resting: frozenset[TicketState]) -> list[Span]:
    """The stretches in which time counts; the last one is open when it counts still."""
    spans: list[Span] = []
    start: datetime | None = None
    for moment in moments:
        if moment.state in resting:
            if start is not None:
                spans.append(Span(start, moment.at))
            start = None
        elif start is None:
            start = moment.at
    if start is not None:
        spans.append(Span(start, None))
    return spans or [Span(moments[0].at, moments[0].at)]
