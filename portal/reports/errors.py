"""What a report can't be."""

from portal.errors import InvalidInput, mark


class NotAMonth(InvalidInput):
    code = "not-a-month"
    sentence = mark("“%(text)s” is not a month: write 2026-03, from 1990 to 2199.")


class MonthsBackwards(InvalidInput):
    code = "months-backwards"
    sentence = mark("The last month comes before the first.")


class TooManyMonths(InvalidInput):
    code = "too-many-months"
    sentence = mark("At most %(limit)s months are reported at once.")


class TooManyTickets(InvalidInput):
    code = "too-many-tickets"
    sentence = mark("These are more than %(limit)s tickets: choose fewer months, or one customer.")
