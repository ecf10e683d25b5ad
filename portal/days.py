"""Days as people write them: one parser for forms, commands and sheets."""

import re
from datetime import date

from portal.errors import InvalidInput, mark

FIRST_YEAR, LAST_YEAR = 1990, 2199
SHOWN_CHARS = 60

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", re.ASCII)


class NotADay(InvalidInput):
    """No day at all, or one outside of the years that a contract or a power can name."""

    code = "not-a-day"
    sentence = mark("“%(text)s” is not a day: write 2026-03-31 or 31.03.2026, from 1990 to 2199.")


def parse_day(text: str | date) -> date:
    """2026-03-31, or 31.03.2026 as spreadsheets write it. Raises NotADay."""
    if isinstance(text, date):
        return _in_range(text)
    written = text.strip()
    iso, dotted = _ISO.fullmatch(written), _DOTTED.fullmatch(written)
    parts = iso.groups() if iso else dotted.groups()[::-1] if dotted else None
    if parts is None:
        raise NotADay(text=text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…")
    try:
        return _in_range(date(*map(int, parts)))
    except ValueError as error:
        raise NotADay(text=text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…") from error


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise NotADay(text=day.isoformat())
    return day
