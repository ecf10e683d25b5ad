import re
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from portal.jobs.models import Job
from portal.tickets.errors import MalformedProgramme
from portal.tickets.models import ServiceProgramme, TicketChannel, TicketSeverity
from portal.tickets.programme_texts import parse_span, programme_of_texts, texts_of, written_span
from portal.tickets.programmes import EXPERT_24X7, Calendar, Hours, Measure, Programme, Rung, from_terms
from portal.web.errors import status_of

WEEK = ((time(9), time(18)),) * 4 + ((time(9), time(0)), None, None)
OFFICE = Programme(
    "Office hours",
    Hours(Calendar("Europe/Moscow", WEEK, frozenset({date(2026, 1, 7), date(2026, 5, 9)}))),
    {(Measure.RESPONSE, TicketChannel.WEB, TicketSeverity.MAJOR): timedelta(hours=36, minutes=5)},
    frozenset({Measure.RESOLUTION}),
    frozenset(),
    0.5,
    (Rung(timedelta(0), "on-duty"), Rung(timedelta(minutes=90), "management")),
)
GOOD = texts_of(OFFICE)


@pytest.mark.parametrize("programme", [EXPERT_24X7, OFFICE])
def test_a_form_says_all_of_a_programme(programme):
    again = programme_of_texts(texts_of(programme))
    assert (again.name, again.hours, again.targets) == (programme.name, programme.hours, programme.targets)
    assert (again.paused_by_customer, again.paused_by_release) == (
        programme.paused_by_customer,
        programme.paused_by_release,
    )
    assert again.ladder == programme.ladder
    assert again.warn_at == pytest.approx(programme.warn_at, abs=0.01)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("30m", 30), ("2h", 120), ("1d 12h", 36 * 60), ("1d12h5m", 36 * 60 + 5), (" 2H ", 120), ("1д 2ч 3м", 1563)],
)
def test_spans(text, minutes):
    assert parse_span(text) == timedelta(minutes=minutes)
    assert parse_span(written_span(parse_span(text))) == parse_span(text)
    assert parse_span(written_span(parse_span(text), "дчм")) == parse_span(text)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("response-web-major", "soon"), ("response-web-major", "0m"), ("response-web-major", "400d"),
        ("response-web-major", "-3h"), ("response-web-major", "٣h"), ("response-web-major", "%(text)s"),
        ("zone", "Mars/Olympus"), ("zone", "../etc/passwd"), ("zone", ""),
        ("day-0", "18:00-09:00"), ("day-0", "9-18"), ("day-0", "25:00-26:00"), ("day-0", "09:00"),
        ("holidays", "7 January"), ("holidays", "2026-02-30"),
        ("warn", "0"), ("warn", "100"), ("warn", "half"), ("warn", ""),
        ("who-0", "nobody"), ("who-0", ""), ("after-1", ""), ("after-0", "1d"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused_with_its_code(field, text):
    with pytest.raises(MalformedProgramme) as caught:
        programme_of_texts({**GOOD, field: text})
    assert (caught.value.code, status_of(caught.value)) == ("programme-malformed", 422)
    assert caught.value.sentence_in(str)


def test_a_programme_promises_something_at_some_hour():
    for texts in (
        {k: v for k, v in GOOD.items() if not k.startswith("response")},
        {**GOOD, **{f"day-{n}": "" for n in range(7)}},
    ):
        with pytest.raises(MalformedProgramme):
            programme_of_texts(texts)


def test_what_is_built_in_becomes_a_row_by_editing_it(world):
    admin = world.of("admin")
    page = admin.get("/programmes").text
    assert "Expert 24X7" in page
    assert "built in" in page
    answer = admin.submit("/programmes/new?from=Expert+24X7", **{**texts_of(EXPERT_24X7), "response-web-minor": "3h"})
    assert answer.status_code == 303
    assert "built in" not in admin.get("/programmes").text
    with world.portal.sessions() as session:
        row = session.scalars(select(ServiceProgramme)).one()
        kept = from_terms(row.name, row.terms)
        assert kept.target(Measure.RESPONSE, TicketChannel.WEB, TicketSeverity.MINOR) == timedelta(hours=3)
        assert session.scalar(select(Job.name).where(Job.name == "tickets.recount"))
    # and the clock of a ticket follows
    number = world.open("alpha")
    assert "03:00:00" in world.of("alpha").get(f"/tickets/{number}").text


def test_created_edited_and_never_twice(world):
    admin = world.of("admin")
    assert admin.submit("/programmes/new", **GOOD).status_code == 303
    again = admin.submit("/programmes/new", **GOOD)
    assert (again.status_code, "programme-name-taken" in again.text) == (409, True)
    address = re.search(r'href="(/programmes/[0-9a-f-]{36})"', admin.get("/programmes").text).group(1)
    assert "Europe/Moscow" in admin.get(address).text
    bad = admin.submit(address, **{**GOOD, "warn": "150"})
    assert (bad.status_code, "programme-malformed" in bad.text) == (422, True)
    assert 'value="150"' in bad.text
    assert admin.submit(address, **{**GOOD, "name": "Another", "warn": "40"}).status_code == 303
    with world.portal.sessions() as session:
        row = session.scalars(select(ServiceProgramme)).one()
        assert (row.name, row.terms["warn_at"]) == ("Office hours", 0.4)


def test_only_the_administrator(world):
    for who in ("alpha", "tsc", "publisher"):
        assert world.of(who).get("/programmes").status_code == 403
