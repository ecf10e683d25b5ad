"""The pages and tables of reports: each reader its own, in both languages, and nothing that a spreadsheet runs."""

import csv
import io

import pytest

from portal.tickets.models import TicketChannel

MONTHS = "from=2026-02&to=2026-03"


@pytest.fixture
def filled(world):
    with world.portal.sessions.begin() as session:
        world.ticket(session, "alpha", "2026-02-10", answer=29, title="Alpha's bridge")
        world.ticket(session, "alpha", "2026-02-11", answer=95, title='=HYPERLINK("http://x")')
        for number, sign in enumerate("+-@", 1):
            world.ticket(
                session, "alpha", f"2026-03-0{number}", closed=9, title=f"{sign}1+1", channel=TicketChannel.WEB
            )
        world.ticket(session, "beta", "2026-02-10", answer=5, title="Beta's tunnel")
        for day in range(1, 29):
            world.ticket(session, "beta", f"2026-02-{day:02}T07:00", answer=45)
            world.ticket(session, "beta", f"2026-03-{day:02}T07:00", answer=5)
        world.beta = session.merge(world.beta)
        world.beta.name = "=Beta"
    return world


def table(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_each_reads_their_own_figures(filled):
    world = filled
    for who in ("alpha", "alpha manager"):
        page = world.of(who).get(f"/reports/answers?{MONTHS}").text
        assert "50,0 %" in page  # in Alpha's language
        behind = world.of(who).get(f"/reports/tickets?{MONTHS}").text
        assert "Alpha&#39;s bridge" in behind
        for text in (page, behind, *(world.of(who).get(f"/reports/{name}.csv?{MONTHS}").text
                                     for name in ("answers", "tickets", "releases"))):  # fmt: skip
            assert "Beta" not in text
            assert "BETA" not in text
            assert str(world.beta.id) not in text
        for name in ("answers", "tickets", "answers.csv", "tickets.csv"):
            assert world.of(who).get(f"/reports/{name}?{MONTHS}&customer={world.beta.id}").status_code == 404
            assert world.of(who).get(f"/reports/{name}?{MONTHS}&customer=x").status_code == 404
    page = world.of("tsc").get(f"/reports/answers?{MONTHS}").text
    assert "Alpha Telecom" in page
    assert "=Beta" in page
    late = world.of("tsc").get(f"/reports/tickets?{MONTHS}&outcome=late&customer={world.alpha.id}").text
    assert late.count("/tickets/T-") == 1
    assert '2026-02-11</span> <span class="nowrap">14:00 +14:00' in late
    assert "−01:05:00" in late
    pages = [world.of("tsc").get(f"/reports/tickets?{MONTHS}&page={n}").text.count("/tickets/T-") for n in (1, 2, 3)]
    assert pages == [50, 12, 0]


def test_tables_hold_the_same_and_no_formula(filled):
    world = filled
    tickets = table(world.of("tsc").get(f"/reports/tickets.csv?{MONTHS}"))
    assert len(tickets) == 62
    titles = {row["title"] for row in tickets}
    assert {'\'=HYPERLINK("http://x")', "'+1+1", "'-1+1", "'@1+1"} <= titles
    assert {row["name"] for row in tickets} == {"Alpha Telecom", "'=Beta"}
    assert not [cell for row in tickets for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    figures = table(world.of("tsc").get(f"/reports/answers.csv?{MONTHS}"))
    columns = ("month", "customer", "channel", "asked", "percent_in_time")
    assert [tuple(row[column] for column in columns) for row in figures] == [
        ("2026-02", "ALPHA", "telephone", "2", "50.0"),
        ("2026-02", "BETA", "telephone", "29", "3.4"),
        ("2026-03", "ALPHA", "web", "3", ""),
        ("2026-03", "BETA", "telephone", "28", "100.0"),
    ]  # fmt: skip
    assert len(table(world.of("alpha").get(f"/reports/tickets.csv?{MONTHS}"))) == 5


def test_what_is_asked_wrongly_is_said(filled):
    of = filled.of("tsc")
    assert of.get("/reports/answers?from=2026-02&to=2026-01").status_code == 422
    assert of.get("/reports/answers?from=2024-01&to=2026-01").status_code == 422
    assert of.get("/reports/answers?from=yesterday").status_code == 422
    assert of.get("/reports/answers?channel=pigeon&severity=&outcome=x").status_code == 200
    of.set_cookie("language", "ru")
    assert "Ответы в срок" in of.get("/reports/answers").text
    assert "Месячные отчёты" in of.get("/reports/statements").text
    assert "От публикации до установки" in of.get("/reports/releases").text
    assert "Осталось времени" in of.get(f"/reports/tickets?{MONTHS}").text
