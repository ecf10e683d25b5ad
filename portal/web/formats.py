"""How facts look on a page: instants in the reader's zone, sizes, digests."""

from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from flask import Flask, g
from flask_babel import format_date, format_datetime, format_decimal
from flask_babel import gettext as _
from markupsafe import Markup

from portal.actors import PORTAL_JOB
from portal.errors import mark
from portal.web.locale import chosen_time_zone, translate
from portal.web.unit_of_work import resources

SIZES = ((1 << 30, mark("%(number)s GiB")), (1 << 20, mark("%(number)s MiB")), (1 << 10, mark("%(number)s KiB")))


def now() -> datetime:
    """The instant of this request, read once."""
    if "now" not in g:
        g.now = resources().clock()
    return cast("datetime", g.now)


def instant(value: datetime | str | None) -> str:
    """An instant, or its ISO 8601 text as records keep it, to the minute in the reader's zone.

    The foot of every page names that zone; the title of each instant names the offset.
    """
    if value is None:
        return "—"
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
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
            return translate(name) % {"number": format_decimal(round(value / unit, 1))}
    return _("%(number)s B", number=value)


def doer(name: str) -> str:
    """Who did it, as the record has it; the portal itself in the reader's language."""
    return _("The portal") if name == PORTAL_JOB.name else name


def duration(value: timedelta) -> str:
    minutes = int(value.total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}"


def grouped(value: str, width: int = 8) -> str:
    """A digest in groups that the eye can follow."""
    return " ".join(value[start : start + width] for start in range(0, len(value), width))


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        instant=instant,
        day=day,
        long_day=long_day,
        weekday=weekday,
        size=size,
        duration=duration,
        grouped=grouped,
        doer=doer,
    )
    app.jinja_env.globals.update(now=now, chosen_time_zone=chosen_time_zone)
