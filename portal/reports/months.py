"""Months as people write them, and when they begin: a month is the contract's own, in its time zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.days import FIRST_YEAR, LAST_YEAR, SHOWN_CHARS
from portal.entitlements.models import day_begins
from portal.reports.errors import MonthsBackwards, NotAMonth, TooManyMonths

MONTHS_OF_A_YEAR = 12
MOST_MONTHS = 12
FURTHEST_ZONE = timedelta(days=1)
"""No zone is as far as a day from UTC: UTC+14 and UTC-12 are the outermost."""
_WRITTEN = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)


@dataclass(frozen=True, order=True)
class Month:
    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """2026-03. Raises NotAMonth."""
        match = _WRITTEN.fullmatch(text.strip())
        year, number = (int(match[1]), int(match[2])) if match else (0, 0)
        if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= number <= MONTHS_OF_A_YEAR):
            raise NotAMonth(text=text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…")
        return cls(year, number)

    @classmethod
    def of(cls, at: datetime, time_zone: str) -> "Month":
        """The month that the instant belongs to, by the calendar on that zone's wall."""
        local = at.astimezone(ZoneInfo(time_zone))
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return self.moved(1).first_day - timedelta(days=1)

    def moved(self, months: int) -> "Month":
        """So many months later, or earlier."""
        year, number = divmod(self.year * MONTHS_OF_A_YEAR + self.number - 1 + months, MONTHS_OF_A_YEAR)
        return Month(year, number + 1)

    def begins(self, time_zone: str) -> datetime:
        """The UTC instant of its first midnight there."""
        return day_begins(self.first_day, time_zone)

    def ends(self, time_zone: str) -> datetime:
        return self.moved(1).begins(time_zone)


@dataclass(frozen=True)
class Months:
    """From one month to another, both included. Raises MonthsBackwards, TooManyMonths."""

    first: Month
    last: Month

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise MonthsBackwards
        if self.first.moved(MOST_MONTHS) <= self.last:
            raise TooManyMonths(limit=MOST_MONTHS)

    def __contains__(self, month: Month) -> bool:
        return self.first <= month <= self.last

    def __iter__(self) -> Iterator[Month]:
        month = self.first
        while month <= self.last:
            yield month
            month = month.moved(1)

    @property
    def earliest(self) -> datetime:
        """Nowhere on Earth do they begin before this."""
        return datetime.combine(self.first.first_day, time(), UTC) - FURTHEST_ZONE

    @property
    def latest(self) -> datetime:
        """Everywhere on Earth they are over by then."""
        return datetime.combine(self.last.moved(1).first_day, time(), UTC) + FURTHEST_ZONE
