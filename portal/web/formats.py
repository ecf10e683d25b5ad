"""How facts look on a page: instants in the reader's zone, sizes, digests."""

from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from flask import Flask, g
from flask_babel import format_date, format_datetime, format_decimal
from markupsafe import Markup

from portal.web.locale import chosen_time_zone
from portal.web.unit_of_work import resources

SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def now() -> datetime:
    """The instant of this request, read once."""
    if "now" not in g:
        g.now = resources().clock()
    return cast("datetime", g.now)


def instant(value: datetime | None) -> str:
    """An instant to the minute with its zone's offset, in the reader's zone."""
    if value is None:
        return "—"
    local = value.astimezone(ZoneInfo(chosen_time_zone()))
    words = f"{local:%Y-%m-%d %H:%M}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(  # type: ignore[no-any-return,unused-ignore]
        value.isoformat(), f"{format_datetime(value, 'long')}", words
    )


def day(value: date | datetime | None) -> str:
    return "—" if value is None else f"{value:%Y-%m-%d}"


def weekday(value: date) -> str:
    return cast("str", format_date(value, "EEEE"))


def long_day(value: date | datetime | None) -> str:
    return "—" if value is None else cast("str", format_date(value, "long"))


def size(value: int) -> str:
    """Bytes in binary units to three digits: 1.4 MiB."""
    for unit, name in SIZES:
        if value >= unit:
            return f"{format_decimal(round(value / unit, 1))} {name}"
    return f"{value} B"


def duration(value: timedelta) -> str:
    minutes = int(value.total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}"


def grouped(value: str, width: int = 8) -> str:
    """A digest in groups that the eye can follow."""
    return " ".join(value[start : start + width] for start in range(0, len(value), width))


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        instant=instant, day=day, long_day=long_day, weekday=weekday, size=size, duration=duration, grouped=grouped
    )
    app.jinja_env.globals["now"] = now
