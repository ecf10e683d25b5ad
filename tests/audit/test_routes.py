"""The record as the auditor sees and takes it away."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.actors import Actor, Via
from portal.audit.models import AuditEvent
from portal.audit.service import Tag, record
from portal.audit.wording import SUBJECT_TITLES, TAG_TITLES, VIA_TITLES
from portal.db import Base
from portal.permissions import OrganisationKind, Role
from tests.factories import make_organisation, make_person
from tests.portals import START


@pytest.fixture
def auditor(portal):
    """The signed-in browser of an auditor who lives in Moscow (UTC+3)."""
    with portal.sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR, name="Vendor", time_zone="Europe/Moscow")
        person = make_person(session, vendor, Role.AUDITOR)
    return portal.signed_in(person.email)


def note(portal, name, *, tag=Tag.TICKET_OPEN, at=START, organisation=None, **facts):
    by = Actor(Via.SESSION, name=name, address="192.0.2.9", organisation_id=organisation and organisation.id)
    with portal.sessions.begin() as session:
        record(session, tag, by=by, at=at, named=f"about {name}", **facts)


def shown(browser, **query):
    answer = browser.get("/audit/", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_newest_stands_first_with_its_facts(portal, auditor):
    note(portal, "Early", number=1)
    note(portal, "Late", number=2, nested={"a": ["<b>", 2]})
    page = shown(auditor)
    assert page.index("about Late") < page.index("about Early")
    assert "192.0.2.9" in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page or "\\u003cb\\u003e" in page


def test_filters_narrow_and_combine(portal, auditor):
    with portal.sessions.begin() as session:
        alpha = make_organisation(session, name="Alpha Telecom")
    note(portal, "Anna", organisation=alpha)
    note(portal, "Boris", tag=Tag.TICKET_ANSWER)
    organisation = {"organisation": str(alpha.id)}
    for query in ({"tag": "ticket.open"}, {"person": "anna"}, organisation, {"subject": "about ann"}):
        page = shown(auditor, **query)
        assert "about Anna" in page, query
        assert "about Boris" not in page, query
    assert "Nothing was recorded" in shown(auditor, tag="ticket.answer", person="anna")
    assert "Alpha Telecom" in shown(auditor, person="anna")


def test_a_person_and_a_subject_are_found_by_id(portal, auditor):
    with portal.sessions.begin() as session:
        alpha = make_organisation(session, name="Alpha Telecom")
    page = shown(auditor, subject=str(alpha.id))
    assert "organisation.create" in page
    assert page.count("<tr>") == 2
    assert "Nothing was recorded" in shown(auditor, person=str(alpha.id))


def test_days_are_the_readers_own_first_and_last_inclusive(portal, auditor):
    """In Moscow the tenth of March begins at 21:00 UTC of the ninth."""
    begins = START.replace(day=9, hour=21, minute=0)
    for name, at in (
        ("before", begins - timedelta(microseconds=1)),
        ("first", begins),
        ("last", begins + timedelta(days=1, microseconds=-1)),
        ("after", begins + timedelta(days=1)),
    ):
        note(portal, name, at=at)
    page = shown(auditor, since="2026-03-10", until="2026-03-10", tag="ticket.open")
    assert [name for name in ("before", "first", "last", "after") if f"about {name}" in page] == ["first", "last"]


def test_a_senseless_filter_is_said_at_its_field(auditor):
    fields = (("since", "nonsense"), ("until", "2026-02-30"), ("tag", "x"), ("organisation", "x"))
    for field, text in (*fields, ("person", "x" * 201)):
        assert auditor.get("/audit/", query_string={field: text}).status_code == 422
        assert auditor.get("/audit/export.csv", query_string={field: text}).status_code == 422


def test_a_filters_text_is_text(portal, auditor):
    note(portal, "Anna")
    for text in ("%", "_", "' or 1=1 --", "\\", "\0"):
        assert "about Anna" not in shown(auditor, person=text)


def test_the_list_is_paged(portal, auditor):
    with portal.sessions.begin() as session:
        for number in range(60):
            record(session, Tag.TICKET_OPEN, by=Actor(Via.JOB), at=START, named=f"about {number:03}")
    assert "about 059" in shown(auditor)
    second = shown(auditor, page="2", tag="ticket.open")
    assert "about 009" in second
    assert "about 010" not in second


def test_only_the_auditor_reads_it(portal):
    with portal.sessions.begin() as session:
        vendor, customer = make_organisation(session, OrganisationKind.VENDOR), make_organisation(session)
        others = [
            make_person(session, vendor, Role.ADMINISTRATOR, Role.PUBLISHER, Role.APPROVER),
            make_person(session, customer, Role.CUSTOMER_MANAGER),
        ]
    for person in others:
        for page in ("/audit/", "/audit/export.csv"):
            assert portal.signed_in(person.email).get(page).status_code == 403
    with portal.sessions() as session:
        refused = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.REFUSED)).all()
    assert len(refused) == 4


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_the_export_holds_what_the_filters_leave(portal, auditor):
    note(portal, "Anna", number=7)
    note(portal, "Boris")
    answer = auditor.get("/audit/export.csv?person=anna")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-2026-03-10.csv"'
    (row,) = rows_of(answer)
    assert (row["person"], row["tag"], row["facts"]) == ("Anna", "ticket.open", '{"number": 7}')
    assert row["at"] == START.isoformat()


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://evil.example";"click")', " =1+1",
            "\n=1", "＝1+1", "＠SUM(A1)")  # fmt: skip


def test_no_cell_of_the_export_is_a_formula(portal, auditor):
    for formula in FORMULAS:
        note(portal, formula)
    rows = rows_of(auditor.get("/audit/export.csv?tag=ticket.open"))
    assert [row["person"] for row in rows] == [f"'{formula}" for formula in reversed(FORMULAS)]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())


def test_a_plain_cell_of_the_export_stays_as_it_is(portal, auditor):
    cells = ["Anna", "1 + 1", "'quoted", "Мост", "a=b", '{"a": "=1"}']
    for cell in cells:
        note(portal, cell)
    assert [row["person"] for row in rows_of(auditor.get("/audit/export.csv?tag=ticket.open"))] == cells[::-1]


def test_a_long_export_is_not_held_in_memory(portal, auditor, monkeypatch):
    with portal.sessions.begin() as session:
        for number in range(1200):
            record(session, Tag.TICKET_OPEN, by=Actor(Via.JOB), at=START, number=number)
    answer = auditor.get("/audit/export.csv?tag=ticket.open", buffered=False)
    assert answer.is_streamed
    assert len(rows_of(answer)) == 1200


def test_every_kind_of_event_has_words(auditor, portal):
    assert set(TAG_TITLES) == set(Tag)
    assert set(VIA_TITLES) == set(Via)
    assert set(SUBJECT_TITLES) <= set(Base.metadata.tables)
    note(portal, "Ada", tag=Tag.BACKUP_READ)
    page = auditor.get("/audit/").text
    assert ">Backup taken out</a>" in page
    assert '<code class="soft">backup.read</code>' in page
