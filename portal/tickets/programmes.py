"""Service programmes as data: at which hours time counts, what is promised by channel and severity, who is called when.

A contract names its programme (P1, P3). Times count in real minutes at any hour, or in the hours of a calendar.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from portal.errors import mark
from portal.tickets.errors import MalformedProgramme
from portal.tickets.models import TicketChannel, TicketSeverity

Window = tuple[time, time]
"""From, until; the end is not included, and 00:00 as an end is midnight."""
LONGEST_SEARCH_DAYS = 3700
"""A calendar that has no hour in ten years never comes to an end of anything."""
DAYS_OF_A_WEEK = 7


class Measure(StrEnum):
    """What is promised within a time."""

    RESPONSE = "response"
    NEXT_UPDATE = "next-update"
    RESOLUTION = "resolution"


MEASURE_TITLES = {
    Measure.RESPONSE: mark("First answer"),
    Measure.NEXT_UPDATE: mark("Next report"),
    Measure.RESOLUTION: mark("Resolution"),
}


@dataclass(frozen=True)
class Calendar:
    """The hours of a week (Monday first; None: closed) in a time zone, without its holidays."""

    time_zone: str
    week: tuple[Window | None, ...]
    holidays: frozenset[date] = frozenset()

    def windows(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open spans, as UTC instants, from the day of `since` on; clock changes are the zone's own."""
        zone = ZoneInfo(self.time_zone)
        day = since.astimezone(zone).date()
        for _ in range(LONGEST_SEARCH_DAYS):
            window = None if day in self.holidays else self.week[day.weekday()]
            if window:
                ends_on = day + timedelta(days=1) if window[1] == time.min else day
                begins, ends = window
                first = datetime.combine(day, begins, zone).astimezone(UTC)
                last = datetime.combine(ends_on, ends, zone).astimezone(UTC)
                if first < last:
                    yield first, last
            day += timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """When time counts: always, or within a calendar."""

    calendar: Calendar | None = None

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much time counts in [start, end)."""
        if end <= start:
            return timedelta(0)
        if self.calendar is None:
            return end - start
        counted = timedelta(0)
        for first, last in self.calendar.windows(start):
            if first >= end:
                break
            counted += max(min(last, end) - max(first, start), timedelta(0))
        return counted

    def after(self, start: datetime, counted: timedelta) -> datetime | None:
        """The instant at which so much time has counted since `start`; None when it never does."""
        if self.calendar is None or counted <= timedelta(0):
            return start + counted
        left = counted
        for first, last in self.calendar.windows(start):
            begins = max(first, start)
            if begins >= last:
                continue
            if last - begins >= left:
                return begins + left
            left -= last - begins
        return None


@dataclass(frozen=True)
class Rung:
    """One rung of the escalation ladder: so long after the promise was broken, this is who is told."""

    after: timedelta
    who: str


@dataclass(frozen=True)
class Programme:
    """`targets`: (measure, channel, severity) → what is promised; what is not there is not promised.

    `paused_by_customer`: the measures that rest while the ticket waits for the customer; `paused_by_release` likewise.
    `warn_at` is the share of the time after which the engineers are warned, between 0 and 1.
    """

    name: str
    hours: Hours
    targets: Mapping[tuple[Measure, TicketChannel, TicketSeverity], timedelta]
    paused_by_customer: frozenset[Measure] = frozenset({Measure.NEXT_UPDATE, Measure.RESOLUTION})
    paused_by_release: frozenset[Measure] = frozenset({Measure.NEXT_UPDATE, Measure.RESOLUTION})
    warn_at: float = 2 / 3
    ladder: tuple[Rung, ...] = field(default=())

    def target(self, measure: Measure, channel: TicketChannel, severity: TicketSeverity) -> timedelta | None:
        return self.targets.get((measure, channel, severity))


ROUND_THE_CLOCK = Hours()
_RESPONSE = {
    TicketChannel.TELEPHONE: timedelta(minutes=30),
    TicketChannel.WEB: timedelta(hours=2),
    TicketChannel.EMAIL: timedelta(hours=4),
    TicketChannel.API: timedelta(hours=2),
}
_NEXT_UPDATE = {
    TicketSeverity.CRITICAL: timedelta(hours=2),
    TicketSeverity.MAJOR: timedelta(hours=8),
    TicketSeverity.MINOR: timedelta(days=2),
}
_RESOLUTION = {
    TicketSeverity.CRITICAL: timedelta(hours=24),
    TicketSeverity.MAJOR: timedelta(days=5),
    TicketSeverity.MINOR: timedelta(days=30),
}
EXPERT_24X7 = Programme(
    "Expert 24X7",
    ROUND_THE_CLOCK,
    {(Measure.RESPONSE, channel, severity): span for channel, span in _RESPONSE.items() for severity in TicketSeverity}
    | {(Measure.NEXT_UPDATE, c, severity): span for severity, span in _NEXT_UPDATE.items() for c in TicketChannel}
    | {(Measure.RESOLUTION, c, severity): span for severity, span in _RESOLUTION.items() for c in TicketChannel},
    ladder=(
        Rung(timedelta(0), "on-duty"),
        Rung(timedelta(minutes=15), "shift-lead"),
        Rung(timedelta(hours=1), "management"),
    ),
)
"""The default: a first answer within 30 real minutes of a call, at any hour (P3)."""


def to_terms(programme: Programme) -> dict[str, Any]:
    """The programme as JSON keeps it; times in seconds."""
    calendar = programme.hours.calendar
    return {
        "calendar": _written_calendar(calendar) if calendar else None,
        "targets": [
            {"measure": measure, "channel": channel, "severity": severity, "seconds": span.total_seconds()}
            for (measure, channel, severity), span in sorted(programme.targets.items())
        ],
        "paused_by_customer": sorted(programme.paused_by_customer),
        "paused_by_release": sorted(programme.paused_by_release),
        "warn_at": programme.warn_at,
        "ladder": [{"after_seconds": rung.after.total_seconds(), "who": rung.who} for rung in programme.ladder],
    }


def from_terms(name: str, terms: Mapping[str, Any]) -> Programme:
    """The inverse. Raises MalformedProgramme, naming the first part that is wrong."""
    try:
        return Programme(
            name,
            Hours(_read_calendar(terms["calendar"]) if terms["calendar"] else None),
            {
                (Measure(row["measure"]), TicketChannel(row["channel"]), TicketSeverity(row["severity"])): _span(row)
                for row in terms["targets"]
            },
            frozenset(Measure(word) for word in terms["paused_by_customer"]),
            frozenset(Measure(word) for word in terms["paused_by_release"]),
            _share(terms["warn_at"]),
            tuple(Rung(timedelta(seconds=float(row["after_seconds"])), str(row["who"])) for row in terms["ladder"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MalformedProgramme(reason=f"{type(error).__name__}: {error}") from error


def _written_calendar(calendar: Calendar) -> dict[str, Any]:
    return {
        "time_zone": calendar.time_zone,
        "week": [[window[0].isoformat(), window[1].isoformat()] if window else None for window in calendar.week],
        "holidays": sorted(day.isoformat() for day in calendar.holidays),
    }


def _read_calendar(written: Mapping[str, Any]) -> Calendar:
    week = tuple((time.fromisoformat(row[0]), time.fromisoformat(row[1])) if row else None for row in written["week"])
    ZoneInfo(written["time_zone"])
    if len(week) != DAYS_OF_A_WEEK:
        raise ValueError("a week has seven days")
    return Calendar(written["time_zone"], week, frozenset(date.fromisoformat(day) for day in written["holidays"]))


def _span(row: Mapping[str, Any]) -> timedelta:
    span = timedelta(seconds=float(row["seconds"]))
    if span <= timedelta(0):
        raise ValueError("a promise takes longer than nothing")
    return span


def _share(written: object) -> float:
    share = float(str(written))
    if not 0 < share < 1:
        raise ValueError("a warning comes between the beginning and the end")
    return share
