"""The clock as a page and a program read it: the same for customer and engineer (P3)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from portal.errors import mark
from portal.tickets.clock import Reading, Standing
from portal.tickets.models import TicketState
from portal.tickets.programmes import MEASURE_TITLES, Measure
from portal.tickets.standing import is_running
from portal.tickets.turns import TURN_TITLES

STANDING_TITLES = {
    Standing.RUNNING: mark("In time"),
    Standing.RESTING: mark("Resting"),
    Standing.KEPT: mark("Kept in time"),
    Standing.BROKEN: mark("Not kept"),
    Standing.OVERDUE: mark("Overdue"),
}
STANDING_BADGES = {
    Standing.RUNNING: "info",
    Standing.RESTING: "calm",
    Standing.KEPT: "good",
    Standing.BROKEN: "bad",
    Standing.OVERDUE: "bad",
}
RESTS_BECAUSE = {
    TicketState.WAITING_FOR_CUSTOMER: mark("It rests while the ticket waits for the customer."),
    TicketState.FIX_AVAILABLE: mark("It rests while the customer tries the fix."),
    TicketState.WAITING_FOR_RELEASE: mark("It rests while the ticket waits for a release."),
}
MINUTE, HOUR, DAY = 60, 3600, 86_400


def countdown(left: timedelta, day: str) -> str:
    """−00:01:05, or −2d 04:00 from a day on; `day` is the reader's letter for days. static/clock.js writes the same."""
    seconds = int(abs(left.total_seconds()))
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    sign = "−" if left < timedelta(0) else ""
    return f"{sign}{days}{day} {hours:02d}:{minutes:02d}" if days else f"{sign}{hours:02d}:{minutes:02d}:{rest:02d}"


def until_due(reading: Reading, at: datetime) -> timedelta:
    """In real time where the promise runs, so that a clock on a wall agrees; otherwise what is left of its time."""
    return reading.due_at - at if is_running(reading) and reading.due_at else reading.left


def why_resting(reading: Reading, state: TicketState) -> str:
    """A marked sentence, or "" where nothing rests."""
    if reading.stopped_at is not None or is_running(reading):
        return ""
    return RESTS_BECAUSE.get(state, "")


def clock_payload(clock: Mapping[Measure, Reading]) -> list[dict[str, Any]]:
    """Every promise for programs; instants are UTC, RFC 3339, spans in seconds of the programme's hours."""
    return [
        {
            "measure": measure.value,
            "standing": reading.standing.value,
            "is_running": is_running(reading),
            "target_seconds": int(reading.target.total_seconds()),
            "used_seconds": int(reading.used.total_seconds()),
            "left_seconds": int(reading.left.total_seconds()),
            "due_at": _instant(reading.due_at),
            "stopped_at": _instant(reading.stopped_at),
        }
        for measure, reading in clock.items()
    ]


def words() -> dict[str, object]:
    """What the templates of the clock need."""
    return {
        "measure_titles": MEASURE_TITLES,
        "standing_titles": STANDING_TITLES,
        "standing_badges": STANDING_BADGES,
        "countdown": countdown,
        "until_due": until_due,
        "why_resting": why_resting,
        "is_running": is_running,
        "turn_titles": TURN_TITLES,
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
