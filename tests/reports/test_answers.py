"""Answers in time: figures against a table written by hand, and the same clock as everywhere."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from portal.errors import NotFound
from portal.reports import answers
from portal.reports.answers import Figures, Outcome, Wanted
from portal.reports.errors import MonthsBackwards, NotAMonth, TooManyMonths, TooManyTickets
from portal.reports.months import Month, Months
from portal.tickets.models import Ticket, TicketChannel, TicketEvent, TicketSeverity
from portal.tickets.programmes import Measure
from portal.tickets.timing import clock_of
from tests.reports.conftest import utc

KEPT, LATE, WAITING, NONE = Outcome
CRITICAL, MINOR = TicketSeverity.CRITICAL, TicketSeverity.MINOR
WEB, EMAIL = TicketChannel.WEB, TicketChannel.EMAIL
NOW = utc("2026-05-02T00:00")

# customer, opened (UTC), what became of it → month, outcome, seconds left of the promise
HISTORIES = [
    # Kiritimati is 14 hours ahead: February begins there on 31 January at 10:00 UTC.
    ("alpha", "2026-01-31T09:59:59", {"answer": 29}, "2026-01", KEPT, 60),
    ("alpha", "2026-01-31T10:00:00", {"answer": 29}, "2026-02", KEPT, 60),
    ("alpha", "2026-02-10T03:00:00", {"answer": 30}, "2026-02", KEPT, 0),
    ("alpha", "2026-02-10T03:00:00", {"answer": 31}, "2026-02", LATE, -60),
    ("alpha", "2026-02-11T00:00:00", {"receipt": 1, "answer": 31, "severity": CRITICAL}, "2026-02", LATE, -60),
    ("alpha", "2026-02-12T00:00:00", {"answer": 119, "channel": WEB, "severity": MINOR}, "2026-02", KEPT, 60),
    ("alpha", "2026-02-12T00:00:00", {"answer": 121, "channel": WEB, "severity": MINOR}, "2026-02", LATE, -60),
    ("alpha", "2026-02-13T00:00:00", {"closed": 5, "channel": EMAIL}, "2026-02", NONE, None),
    ("alpha", "2026-02-28T09:59:59", {"answer": 2}, "2026-02", KEPT, 28 * 60),
    ("alpha", "2026-02-28T10:00:00", {"answer": 45}, "2026-03", LATE, -15 * 60),
    # Berlin: March begins at 23:00 UTC in winter time and ends at 22:00 UTC in summer time.
    ("beta", "2026-02-28T22:59:59", {"answer": 5}, "2026-02", KEPT, 25 * 60),
    ("beta", "2026-02-28T23:00:00", {"answer": 5}, "2026-03", KEPT, 25 * 60),
    ("beta", "2026-03-29T00:45:00", {"answer": 31}, "2026-03", LATE, -60),  # the hour that the clocks leave out
    ("beta", "2026-03-31T21:59:59", {"answer": 60}, "2026-03", LATE, -30 * 60),
    ("beta", "2026-03-31T22:00:00", {"answer": 60, "channel": WEB}, "2026-04", KEPT, 60 * 60),
    # The contract ends with April in Berlin; after that Beta's own wall in Honolulu counts, where April goes on.
    ("beta", "2026-04-30T21:59:59", {"answer": 1}, "2026-04", KEPT, 29 * 60),
    ("beta", "2026-04-30T23:00:00", {}, "2026-04", LATE, -(24 * 60 + 30) * 60),
    ("beta", "2026-05-01T09:59:59", {}, "2026-04", LATE, -(13 * 60 + 30) * 60 - 1),
    ("beta", "2026-05-01T10:00:00", {"answer": 10}, "2026-05", KEPT, 20 * 60),
    ("beta", "2026-05-01T23:40:00", {}, "2026-05", WAITING, 10 * 60),
]
ALL = Months(Month(2026, 1), Month(2026, 5))


def test_every_figure_is_what_the_table_says(world):
    with world.portal.sessions.begin() as session:
        made = {
            world.ticket(session, who, opened, **past).id: (who, month, outcome, left)
            for who, opened, past, month, outcome, left in HISTORIES
        }
    with world.portal.sessions() as session:
        found = answers.lines(session, Wanted(ALL), visible_to=world.actors["tsc"], at=NOW)
        said = {
            line.ticket.id: (line.organisation.name.partition(" ")[0].lower(), str(line.month), line.outcome,
                             line.left.total_seconds() if line.left is not None else None)
            for line in found
        }  # fmt: skip
        assert said == made
        for line in found:  # the board's own clock, to the microsecond
            events = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == line.ticket.id)).all()
            ordered = sorted(events, key=lambda one: one.sequence)
            clock = clock_of(session, line.ticket, ordered, at=NOW)
            assert line.reading == clock.get(Measure.RESPONSE)
        of = answers.grouped(found, lambda line: (line.organisation.code, str(line.month)))
        assert of == {
            ("ALPHA", "2026-01"): Figures(1, 1, 0, 0, 0),
            ("ALPHA", "2026-02"): Figures(8, 4, 3, 0, 1),
            ("ALPHA", "2026-03"): Figures(1, 0, 1, 0, 0),
            ("BETA", "2026-02"): Figures(1, 1, 0, 0, 0),
            ("BETA", "2026-03"): Figures(3, 1, 2, 0, 0),
            ("BETA", "2026-04"): Figures(4, 2, 2, 0, 0),
            ("BETA", "2026-05"): Figures(2, 1, 0, 1, 0),
        }
        assert of["ALPHA", "2026-02"].permille == 571  # 4 of 7; what promised nothing does not count
        assert answers.figures(found) == Figures(20, 10, 8, 1, 1)

        def count(who, **facts):
            months = facts.pop("months", ALL)
            return len(answers.lines(session, Wanted(months, **facts), visible_to=world.actors[who], at=NOW))

        february = Months(Month(2026, 2), Month(2026, 2))
        assert count("tsc", months=february) == 9
        assert count("tsc", months=february, organisation_id=world.alpha.id) == 8
        assert count("alpha", months=february) == 8
        assert count("tsc", channel=WEB) == 3
        assert count("tsc", channel=WEB, severity=MINOR) == 2
        assert count("tsc", outcome=LATE, organisation_id=world.beta.id) == 4
        assert count("beta") == 10
        with pytest.raises(NotFound):
            count("beta", organisation_id=world.alpha.id)


def test_a_month_is_read_by_its_own_tickets_in_a_fixed_number_of_statements(world, monkeypatch):
    months = Months(Month(2026, 2), Month(2026, 2))

    loaded = []
    event.listen(Ticket, "load", note := lambda ticket, _context: loaded.append(ticket))

    def ask():
        loaded.clear()
        with world.portal.sessions() as session, world.statements() as asked:
            found = answers.lines(session, Wanted(months), visible_to=world.actors["tsc"], at=NOW)
        return len(found), len(loaded), len(asked)

    with world.portal.sessions.begin() as session:
        world.ticket(session, "alpha", "2026-02-10", answer=10)
        world.ticket(session, "beta", "2026-02-10", answer=10)
    _, _, few = ask()
    with world.portal.sessions.begin() as session:
        for day in range(1, 29):
            world.ticket(session, "alpha", f"2026-02-{day:02}", answer=10, product_id=world.core.id)
            world.ticket(session, "beta", f"2025-12-{day:02}", closed=10)
    assert ask() == (30, 30, few)
    assert few <= 7
    event.remove(Ticket, "load", note)
    assert world.of("tsc").get("/reports/answers").status_code == 200  # signed in by now
    with world.statements() as asked:
        assert world.of("tsc").get("/reports/answers?from=2026-02&to=2026-02").status_code == 200
    once = len(asked)
    with world.portal.sessions.begin() as session:
        for hour in range(20):
            world.ticket(session, "beta", f"2026-02-14T{hour:02}:00", answer=40)
    with world.statements() as asked:
        assert world.of("tsc").get("/reports/answers?from=2026-02&to=2026-02").status_code == 200
        assert len(asked) == once
    monkeypatch.setattr(answers, "MOST_TICKETS", 10)
    with pytest.raises(TooManyTickets):
        ask()
    assert world.of("tsc").get("/reports/answers?from=2026-02&to=2026-02").status_code == 422


@pytest.mark.parametrize(("figures", "permille"), [
    (Figures(), None), (Figures(5, none=5), None), (Figures(3, 3), 1000), (Figures(10_000, 9_999, 1), 999),
    (Figures(3, 1, 2), 333), (Figures(2, 0, 2), 0),
])  # fmt: skip
def test_only_all_is_a_hundred_percent(figures, permille):
    assert figures.permille == permille
    if permille is not None:
        exact = Decimal(figures.kept) / (figures.kept + figures.late) * 1000
        assert 0 <= exact - permille < 1


@pytest.mark.parametrize(("zone", "month", "begins"), [
    ("UTC", Month(2026, 3), "2026-03-01T00:00"),
    ("Pacific/Kiritimati", Month(2026, 3), "2026-02-28T10:00"),
    ("Europe/Berlin", Month(2026, 4), "2026-03-31T22:00"),
    ("Pacific/Honolulu", Month(2026, 3), "2026-03-01T10:00"),
    ("America/Asuncion", Month(2023, 10), "2023-10-01T04:00"),  # its first midnight was left out by the clocks
    ("America/Havana", Month(2026, 11), "2026-11-01T04:00"),  # and this one comes twice: the first of the two
])  # fmt: skip
def test_a_month_begins_at_its_own_midnight(zone, month, begins):
    start = utc(begins)
    assert month.begins(zone) == start
    assert Month.of(start, zone) == month
    assert Month.of(start - timedelta(seconds=1), zone) == month.moved(-1)
    months = Months(month, month)
    assert months.earliest <= month.begins(zone)
    assert month.ends(zone) <= months.latest


@pytest.mark.parametrize("text", ["", "2026-13", "2026-00", "26-01", "2026-1", "2026-03-01", "١٩٩٩-٠١", "1989-12", "x"])
def test_what_is_no_month_is_said(text):
    with pytest.raises(NotAMonth):
        Month.parse(text)


def test_months_follow_each_other():
    assert [str(one) for one in Months(Month(2025, 11), Month.parse("2026-02"))] == [
        "2025-11", "2025-12", "2026-01", "2026-02",
    ]  # fmt: skip
    assert Month(2026, 1).moved(-13) == Month(2024, 12)
    assert Month(2024, 2).last_day == datetime(2024, 2, 29).date()
    with pytest.raises(MonthsBackwards):
        Months(Month(2026, 2), Month(2026, 1))
    with pytest.raises(TooManyMonths):
        Months(Month(2025, 1), Month(2026, 1))
