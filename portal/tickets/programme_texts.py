"""A service programme as a form writes it: every part a short text, read by one parser each."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta

from portal.days import parse_day
from portal.errors import InvalidInput, mark
from portal.texts import one_line
from portal.tickets.errors import MalformedProgramme
from portal.tickets.models import TicketChannel, TicketSeverity
from portal.tickets.programmes import DAYS_OF_A_WEEK, Calendar, Hours, Measure, Programme, Rung, Window
from portal.tickets.standing import WHO
from portal.zones import time_zones

RUNGS = 6
MAX_NAME_CHARS = 100
MAX_HOLIDAYS = 1000
LONGEST_SPAN = timedelta(days=366)
RESTING_MEASURES = (Measure.NEXT_UPDATE, Measure.RESOLUTION)
"""The first answer never rests: it is the support centre's alone."""

NO_SPAN = mark("“%(text)s” is no time: write 30m, 2h, 1d 12h, from a minute to a year.")
NO_HOURS = mark("“%(text)s” are no hours of a day: write 09:00-18:00, or nothing.")
NO_ZONE = mark("“%(text)s” is no time zone.")
NO_SHARE = mark("“%(text)s” is no share: write a number from 1 to 99.")
NO_WHO = mark("“%(text)s” is nobody who can be called.")
NO_DAY = mark("“%(text)s” is no day: write 2026-01-07, one day in a line.")
NO_HOUR_AT_ALL = mark("A calendar has some hour in its week.")
NOTHING_PROMISED = mark("A programme promises something.")
NO_ORDER = mark("Each rung of the ladder comes after the one before.")

UNITS = mark("dhm")
"""The letters of day, hour and minute; `parse_span` reads them in both languages."""
_SPAN = re.compile(r"(?:([0-9]{1,3}) ?[dд])? ?(?:([0-9]{1,4}) ?[hч])? ?(?:([0-9]{1,5}) ?[mм])?")
_WINDOW = re.compile(r"([0-9]{1,2}:[0-9]{2}) ?[-–] ?([0-9]{1,2}:[0-9]{2})", re.ASCII)


def texts_of(programme: Programme, units: str = UNITS) -> dict[str, str]:
    """The form's fields filled in with the programme; `units` as for `written_span`."""
    calendar = programme.hours.calendar
    texts = {"name": programme.name, "hours": "calendar" if calendar else "always",
             "warn": f"{programme.warn_at * 100:.0f}"}  # fmt: skip
    if calendar:
        texts["zone"] = calendar.time_zone
        texts["holidays"] = "\n".join(sorted(day.isoformat() for day in calendar.holidays))
        texts |= {f"day-{n}": _written_window(window) for n, window in enumerate(calendar.week)}
    for name, (measure, channel, severity) in target_fields():
        span = programme.target(measure, channel, severity)
        texts[name] = written_span(span, units) if span else ""
    for measure in RESTING_MEASURES:
        texts[f"customer-{measure.value}"] = "on" if measure in programme.paused_by_customer else ""
        texts[f"release-{measure.value}"] = "on" if measure in programme.paused_by_release else ""
    for number, rung in enumerate(programme.ladder[:RUNGS]):
        texts[f"after-{number}"], texts[f"who-{number}"] = written_span(rung.after, units), rung.who
    return texts


def programme_of_texts(texts: Mapping[str, str]) -> Programme:
    """The inverse. Raises MalformedProgramme for the first part that is wrong, and the errors of portal.texts."""
    name = one_line(texts.get("name", ""), limit=MAX_NAME_CHARS)
    targets = {key: parse_span(texts[field]) for field, key in target_fields() if texts.get(field, "").strip()}
    if not targets:
        raise MalformedProgramme(reason=NOTHING_PROMISED)
    return Programme(
        name,
        Hours(_calendar(texts) if texts.get("hours") == "calendar" else None),
        targets,
        frozenset(measure for measure in RESTING_MEASURES if texts.get(f"customer-{measure.value}")),
        frozenset(measure for measure in RESTING_MEASURES if texts.get(f"release-{measure.value}")),
        _share(texts.get("warn", "")),
        tuple(_ladder(texts)),
    )


def target_fields() -> Iterator[tuple[str, tuple[Measure, TicketChannel, TicketSeverity]]]:
    for measure in Measure:
        for channel in TicketChannel:
            for severity in TicketSeverity:
                yield f"{measure.value}-{channel.value}-{severity.value}", (measure, channel, severity)


def parse_span(text: str, *, may_be_nothing: bool = False) -> timedelta:
    """30m, 2h, 1d 12h (or 1д 12ч); with `may_be_nothing` also 0m. Raises MalformedProgramme."""
    found = _SPAN.fullmatch(text.strip().lower())
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    span = timedelta(days=days, hours=hours, minutes=minutes)
    is_written = bool(found and any(found.groups()))
    if not is_written or span > LONGEST_SPAN or (not span and not may_be_nothing):
        raise MalformedProgramme(reason=NO_SPAN, text=text[:40])
    return span


def written_span(span: timedelta, units: str = UNITS) -> str:
    """As people write it, the largest units that are whole; `units` are the letters of day, hour and minute."""
    minutes = int(span.total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{number}{unit}" for number, unit in zip((days, hours, minutes), units, strict=True) if number]
    return " ".join(parts) or f"0{units[-1]}"


def _calendar(texts: Mapping[str, str]) -> Calendar:
    zone = texts.get("zone", "").strip()
    if zone not in time_zones():
        raise MalformedProgramme(reason=NO_ZONE, text=zone[:60])
    week = tuple(_window(texts.get(f"day-{n}", "")) for n in range(DAYS_OF_A_WEEK))
    if not any(week):
        raise MalformedProgramme(reason=NO_HOUR_AT_ALL)
    holidays = [line for line in texts.get("holidays", "").splitlines() if line.strip()]
    return Calendar(zone, week, frozenset(_holiday(line) for line in holidays[:MAX_HOLIDAYS]))


def _holiday(text: str) -> date:
    try:
        return parse_day(text)
    except InvalidInput as error:
        raise MalformedProgramme(reason=NO_DAY, text=text[:40]) from error


def _window(text: str) -> Window | None:
    if not text.strip():
        return None
    found = _WINDOW.fullmatch(text.strip())
    try:
        first, last = (time.fromisoformat(part.rjust(5, "0").replace("24:00", "00:00")) for part in found.groups())  # type: ignore[union-attr]
    except (AttributeError, ValueError) as error:
        raise MalformedProgramme(reason=NO_HOURS, text=text[:40]) from error
    if last <= first and last != time.min:
        raise MalformedProgramme(reason=NO_HOURS, text=text[:40])
    return first, last


def _written_window(window: Window | None) -> str:
    if window is None:
        return ""
    first, last = window
    return f"{first:%H:%M}-{'24:00' if last == time.min else format(last, '%H:%M')}"


def _share(text: str) -> float:
    if not (text.strip().isascii() and text.strip().isdigit() and 1 <= int(text.strip()[:3]) <= 99):  # noqa: PLR2004
        raise MalformedProgramme(reason=NO_SHARE, text=text[:40])
    return int(text) / 100


def _ladder(texts: Mapping[str, str]) -> Iterator[Rung]:
    before = None
    for number in range(RUNGS):
        written, who = texts.get(f"after-{number}", "").strip(), texts.get(f"who-{number}", "")
        if not written and not who:
            continue
        if who not in WHO:
            raise MalformedProgramme(reason=NO_WHO, text=who[:40])
        after = parse_span(written, may_be_nothing=True)
        if before is not None and after < before:
            raise MalformedProgramme(reason=NO_ORDER)
        before = after
        yield Rung(after, who)
