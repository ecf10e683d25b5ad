import pytest
from sqlalchemy import select

from portal.accounts import service
from portal.accounts.errors import (
    AlreadyOnHold,
    BadCountry,
    BadLanguage,
    BadName,
    BadOrganisationCode,
    BadTimeZone,
    NotOnHold,
    OnlyCustomersWait,
    OrganisationTaken,
)
from portal.accounts.models import Organisation
from portal.accounts.service import OrganisationFacts
from portal.actors import PORTAL_COMMAND
from portal.audit.models import AuditEvent
from portal.permissions import OrganisationKind
from tests.factories import make_organisation
from tests.portals import START

GOOD = {
    "code": "gamma",
    "name": "Gamma",
    "country": "kz",
    "end_use": "civil",
    "time_zone": "Asia/Almaty",
    "language": "ru",
}


def test_an_organisation_is_made_changed_held_and_resumed(world):
    admin = world.of("admin")
    made = admin.submit("/organisations/new", kind="customer", **GOOD)
    assert made.status_code == 303
    page = made.location
    assert "GAMMA" in admin.get(page).text
    assert admin.submit(page, **{**GOOD, "name": "Gamma Telecom", "end_use": "government"}).status_code == 303
    assert admin.submit(f"{page}/hold", reason="unpaid since May").status_code == 303
    shown = admin.get(page).text
    assert "unpaid since May" in shown
    assert "on hold" in admin.get("/organisations").text
    assert admin.submit(f"{page}/resume", page=page).status_code == 303
    with world.portal.sessions() as session:
        row = session.scalars(select(Organisation).where(Organisation.code == "GAMMA")).one()
        events = session.scalars(select(AuditEvent).where(AuditEvent.subject_id == str(row.id))).all()
    assert (row.name, row.country, row.time_zone, row.is_suspended) == ("Gamma Telecom", "KZ", "Asia/Almaty", False)
    assert [event.tag for event in events] == [
        "organisation.create", "organisation.change", "organisation.suspend", "organisation.resume",
    ]  # fmt: skip
    assert events[1].facts == {"name": "Gamma Telecom", "end_use": "government"}
    assert events[2].facts == {"reason": "unpaid since May"}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"code": "x"}, BadOrganisationCode),
        ({"code": ""}, BadOrganisationCode),
        ({"code": "-x"}, BadOrganisationCode),
        ({"code": "../etc"}, BadOrganisationCode),
        ({"code": "ГАММА"}, BadOrganisationCode),
        ({"code": "x" * 41}, BadOrganisationCode),
        ({"code": "a\0b"}, BadOrganisationCode),
        ({"name": ""}, BadName),
        ({"name": "  "}, BadName),
        ({"name": "x" * 201}, BadName),
        ({"name": "a\0b"}, BadName),
        ({"country": "RUS"}, BadCountry),
        ({"country": "1"}, BadCountry),
        ({"time_zone": "Mars/Base"}, BadTimeZone),
        ({"time_zone": "../../etc/passwd"}, BadTimeZone),
        ({"language": "fr"}, BadLanguage),
        ({"code": "ALPHA"}, OrganisationTaken),
        ({"code": "alpha "}, OrganisationTaken),
        ({"name": "Alpha"}, OrganisationTaken),
    ],
)
def test_what_makes_no_sense_is_refused(sessions, change, refusal):
    facts = {"kind": OrganisationKind.CUSTOMER, "code": "gamma", "name": "Gamma", "country": "KZ", **change}
    with sessions() as session:
        make_organisation(session, code="ALPHA", name="Alpha")
        with pytest.raises(refusal):
            service.create_organisation(session, OrganisationFacts(**facts), by=PORTAL_COMMAND, at=START)


@pytest.mark.parametrize("change", [{"code": "ALPHA"}, {"code": "?"}, {"country": "9"}, {"name": "a\tb\0"}])
def test_the_page_says_it_at_the_field_and_keeps_what_was_typed(world, change):
    answer = world.of("admin").submit("/organisations/new", kind="customer", **{**GOOD, "name": "Typed", **change})
    assert answer.status_code in {409, 422}
    assert "is-invalid" in answer.text
    assert 'value="Typed"' in answer.text or "name" in change
    with world.portal.sessions() as session:
        assert len(session.scalars(select(Organisation)).all()) == 3


def test_an_unchanged_organisation_leaves_no_event(world):
    page = f"/organisations/{world.alpha.id}"
    same = {
        "code": "ALPHA",
        "name": "Alpha",
        "country": "DE",
        "end_use": "civil",
        "time_zone": "Europe/Moscow",
        "language": "en",
    }
    assert world.of("admin").submit(page, **same).status_code == 303
    with world.portal.sessions() as session:
        assert session.scalars(select(AuditEvent).where(AuditEvent.tag == "organisation.change")).all() == []


def test_only_a_customer_waits_and_only_once(sessions):
    with sessions() as session:
        vendor, customer = make_organisation(session, OrganisationKind.VENDOR), make_organisation(session)
        with pytest.raises(OnlyCustomersWait):
            service.suspend_organisation(session, vendor, reason="x", by=PORTAL_COMMAND, at=START)
        with pytest.raises(NotOnHold):
            service.resume_organisation(session, customer, by=PORTAL_COMMAND, at=START)
        service.suspend_organisation(session, customer, reason="x", by=PORTAL_COMMAND, at=START)
        with pytest.raises(AlreadyOnHold):
            service.suspend_organisation(session, customer, reason="x", by=PORTAL_COMMAND, at=START)


def test_people_of_a_customer_on_hold_still_come_in(world):
    world.of("admin").submit(f"/organisations/{world.alpha.id}/hold", reason="unpaid")
    assert world.of("alpha-engineer").get("/account").status_code == 200
