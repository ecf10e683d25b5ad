"""How days, instants and sizes are written on paper, in the paper's language: in full, since paper has no tooltips."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from portal.errors import mark
from portal.mail.words import translator

LOCALES = {"en": "en_GB", "ru": "ru_RU"}
UNITS = ((10**12, mark("%(count)s TB")), (10**9, mark("%(count)s GB")), (10**6, mark("%(count)s MB")))


@dataclass(frozen=True)
class Wording:
    """One language: its words, and how it writes numbers and days."""

    language: str

    @property
    def locale(self) -> str:
        return LOCALES.get(self.language, LOCALES["en"])

    @property
    def translate(self) -> Callable[[str], str]:
        return translator(self.language)

    def day(self, value: date) -> str:
        return format_date(value, "long", self.locale)

    def local_day(self, value: datetime, time_zone: str) -> str:
        return self.day(value.astimezone(ZoneInfo(time_zone)).date())

    def instant(self, value: datetime, time_zone: str) -> str:
        """`23 November 2026, 14:05:12 (Europe/Moscow, UTC+03:00)`."""
        local = value.astimezone(ZoneInfo(time_zone))
        offset = f"{local:%z}"
        return f"{self.day(local.date())}, {local:%H:%M:%S} ({time_zone}, UTC{offset[:3]}:{offset[3:5]})"

    def number(self, value: int) -> str:
        return format_decimal(value, locale=self.locale)

    def capacity(self, value: int) -> str:
        """As it is printed on a medium, in decimal units: 64 GB."""
        _ = self.translate
        for unit, name in UNITS:
            if value >= unit:
                return _(name) % {"count": format_decimal(round(value / unit, 1), locale=self.locale)}
        return _("%(count)s B") % {"count": value}
