"""What the pages of reports are asked by their addresses: months, a customer, a channel, a severity, an outcome."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from portal.errors import NotFound
from portal.reports.answers import Outcome, Wanted
from portal.reports.months import Month, Months
from portal.tickets.models import TicketChannel, TicketSeverity

Word = TypeVar("Word", bound=StrEnum)


def wanted(asked: Mapping[str, str], this_month: Month) -> Wanted:
    """The present month and the one before, unless the address says otherwise; what is in no list narrows nothing.

    Raises NotAMonth, MonthsBackwards, TooManyMonths, NotFound for what is no customer's id.
    """
    first, last = asked.get("from", ""), asked.get("to", "")
    end = Month.parse(last) if last else max(this_month, Month.parse(first)) if first else this_month
    return Wanted(
        Months(Month.parse(first) if first else end.moved(-1), end),
        customer(asked),
        _word(TicketChannel, asked.get("channel", "")),
        _word(TicketSeverity, asked.get("severity", "")),
        _word(Outcome, asked.get("outcome", "")),
    )


def customer(asked: Mapping[str, str]) -> UUID | None:
    """Raises NotFound."""
    text = asked.get("customer", "")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise NotFound from error


def month(asked: Mapping[str, str]) -> Month | None:
    """Raises NotAMonth."""
    text = asked.get("month", "")
    return Month.parse(text) if text else None


def address_of(one: Wanted) -> dict[str, str]:
    """The other way round, for links."""
    said = {
        "from": str(one.months.first),
        "to": str(one.months.last),
        "customer": str(one.organisation_id or ""),
        "channel": one.channel.value if one.channel else "",
        "severity": one.severity.value if one.severity else "",
        "outcome": one.outcome.value if one.outcome else "",
    }
    return {name: value for name, value in said.items() if value}


def _word(words: type[Word], text: str) -> Word | None:
    return words(text) if text in set(words) else None
