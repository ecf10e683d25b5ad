"""One parser per idea of a contract: days, time zones, levels, counts. Forms, commands and imports ask these."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.days import parse_day
from portal.entitlements.errors import EndsBeforeItStarts, NotADeviceCount, NotATimeZone, NotLevels, NotYesOrNo
from portal.releases.models import ALL_LEVELS, Level
from portal.texts import one_line
from portal.zones import time_zones

NUMBER_CHARS, PROGRAMME_CHARS, REASON_CHARS = 60, 100, 500
DEFAULT_PROGRAMME = "Expert 24X7"
MOST_DEVICES = 1_000_000
SHOWN_CHARS = 60

_YES = frozenset({"yes", "y", "true", "1", "да", "истина"})
_NO = frozenset({"no", "n", "false", "0", "нет", "ложь"})
_LEVELS = {level.word: level for level in Level}


@dataclass(frozen=True)
class Terms:
    """What a contract says of itself; days are in `time_zone`, both inclusive."""

    number: str
    programme: str
    starts_on: date
    ends_on: date
    time_zone: str


@dataclass(frozen=True)
class LineTerms:
    """One line: a product or a family, never both."""

    product_id: UUID | None
    family_id: UUID | None
    levels: Level
    devices: int | None = None
    has_back_catalogue: bool = True


def parse_number(text: str) -> str:
    """A contract's number. Raises InvalidInput."""
    return one_line(text, limit=NUMBER_CHARS)


def parse_programme(text: str) -> str:
    return one_line(text, limit=PROGRAMME_CHARS, required=False) or DEFAULT_PROGRAMME


def parse_time_zone(text: str) -> str:
    """Raises NotATimeZone."""
    if text.strip() not in time_zones():
        raise NotATimeZone(text=_shown(text))
    return text.strip()


def parse_levels(text: str) -> Level:
    """`all`, or level words parted by space, comma, semicolon, plus, slash or bar. Raises NotLevels."""
    words = [word for word in re.split(r"[\s,;+/|]+", text.strip().lower()) if word]
    if words == ["all"]:
        return ALL_LEVELS
    if not words or any(word not in _LEVELS for word in words):
        raise NotLevels(text=_shown(text))
    levels = Level(0)
    for word in words:
        levels |= _LEVELS[word]
    return levels


def parse_devices(text: str) -> int | None:
    """Nothing said is None: as many as there are. Raises NotADeviceCount."""
    written = text.strip()
    if not written:
        return None
    is_number = written.isascii() and written.isdigit() and len(written) <= len(str(MOST_DEVICES))
    if not is_number or not 1 <= int(written) <= MOST_DEVICES:
        raise NotADeviceCount(text=_shown(text))
    return int(written)


def parse_yes(text: str, *, otherwise: bool) -> bool:
    """Yes or no, in English or Russian, as spreadsheets write it. Raises NotYesOrNo."""
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    if word:
        raise NotYesOrNo(text=_shown(text))
    return otherwise


def checked_terms(terms: Terms) -> Terms:
    """The same, if it makes sense. Raises InvalidInput."""
    starts_on, ends_on = parse_day(terms.starts_on), parse_day(terms.ends_on)
    if ends_on < starts_on:
        raise EndsBeforeItStarts(starts_on=starts_on, ends_on=ends_on)
    return Terms(
        parse_number(terms.number),
        parse_programme(terms.programme),
        starts_on,
        ends_on,
        parse_time_zone(terms.time_zone),
    )


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
