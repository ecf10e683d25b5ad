"""The web kernel, on an application of these tests' own that stands on a real portal."""

from datetime import timedelta

import pytest
from flask import Blueprint, request
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from portal.accounts.models import Organisation
from portal.actors import Actor, Via
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Forbidden, InvalidInput, NotFound, Refused, Unavailable, WrongState, mark
from portal.jobs.models import Job
from portal.permissions import OrganisationKind, Permission, Role
from portal.web.guard import actor, public, requires
from portal.web.locale import here_or_home
from portal.web.unit_of_work import let_go, session
from storage import StoreFull, StoreUnavailable
from tests.factories import make_organisation, make_person
from tests.portals import PASSWORD, START


class Nearly(Refused):
    code = "nearly"
    sentence = mark("Nearly: %(what)s.")


bp = Blueprint("probe", __name__, url_prefix="/probe")
FAULTS = {
    "not-found": NotFound, "forbidden": lambda: Forbidden(permission="x"), "nearly": lambda: Nearly(what="<b>x</b>"),
    "conflict": Conflict, "wrong-state": WrongState, "invalid-input": lambda: InvalidInput(reason="x"),
    "unavailable": Unavailable, "fault": lambda: RuntimeError("secret detail"),
    "database": lambda: OperationalError("SELECT secret", {}, Exception("secret detail")),
    "stale": lambda: StaleDataError("secret detail"),
    "store": lambda: StoreUnavailable("secret detail"), "full": lambda: StoreFull("secret detail"),
}  # fmt: skip


def job(name):
    return Job(name=name, arguments={}, created_at=START, run_at=START)


@bp.post("/write/<name>")
@requires(Permission.ACCOUNT_OWN)
def write(name):
    session().add(job(name))
    session().flush()
    fault = request.args.get("fault")
    if fault:
        made = FAULTS[fault]()
        raise made
    return "", int(request.args.get("status", 200))


@bp.post("/twice")
@requires(Permission.ACCOUNT_OWN)
def twice():
    code = session().scalars(select(Organisation.code)).first()
    session().add(Organisation(kind=OrganisationKind.CUSTOMER, code=code, name="Twin", country="DE", created_at=START))
    return "done"  # the constraint speaks at the commit


@bp.post("/late/<fault>")
@requires(Permission.ACCOUNT_OWN)
def late(fault):
    """Somebody who looks on as the transaction commits speaks up."""
    session().add(job("lost"))

    def speak(_session):
        made = FAULTS[fault]()
        raise made

    event.listen(session(), "before_commit", speak)
    return "done"


@bp.post("/gone")
@requires(Permission.ACCOUNT_OWN)
def gone():
    kept = job("gone")
    session().add(kept)
    session().flush()
    session().execute(text("DELETE FROM jobs"))  # as another would, between the reading and the writing
    kept.name = "changed"
    return "done"  # the commit finds nothing to change


@bp.get("/download")
@requires(Permission.ACCOUNT_OWN)
def download():
    session().scalars(select(Job)).all()
    let_go()
    session().add(job("entered"))
    return "bytes"


@bp.get("/forgotten")
def forgotten():
    return "never seen"


@bp.get("/open")
@public
def open_to_all():
    return actor().via.value


@pytest.fixture
def probed(portal, monkeypatch):
    monkeypatch.setattr(portal.app, "_got_first_request", False)
    portal.app.register_blueprint(bp)
    return portal


@pytest.fixture
def browser(probed):
    with probed.sessions.begin() as opened:
        person = make_person(opened, make_organisation(opened, OrganisationKind.VENDOR), Role.PUBLISHER)
    return probed.signed_in(person.email)


def names(portal):
    with portal.sessions() as opened:
        return opened.scalars(select(Job.name).order_by(Job.name)).all()


# unit of work


@pytest.mark.parametrize("status", [200, 201, 303])
def test_what_is_answered_below_400_is_committed(probed, browser, status):
    assert browser.submit(f"/probe/write/kept?status={status}", page="/account").status_code == status
    assert names(probed) == ["kept"]


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_what_is_answered_from_400_on_is_rolled_back(probed, browser, status):
    assert browser.submit(f"/probe/write/lost?status={status}", page="/account").status_code == status
    assert names(probed) == []


REFUSALS = [
    ("not-found", 404, "not-found"), ("forbidden", 403, "forbidden"), ("nearly", 403, "nearly"),
    ("conflict", 409, "conflict"), ("wrong-state", 409, "wrong-state"), ("invalid-input", 422, "invalid-input"),
    ("stale", 409, "conflict"), ("unavailable", 503, "unavailable"),
    ("database", 503, "database-unavailable"), ("store", 503, "store-unavailable"),
    ("full", 507, "store-full"),
]  # fmt: skip


def test_a_refusal_rolls_back_and_says_its_code(probed, browser):
    for fault, status, code in REFUSALS:
        answer = browser.submit(f"/probe/write/lost?fault={fault}", page="/account")
        assert answer.status_code == status, fault
        assert code in answer.text
        assert "secret" not in answer.text, fault
        assert "<b>x</b>" not in answer.text
        assert names(probed) == [], fault
        assert (answer.headers.get("Retry-After") == "30") is (status == 503), fault


def test_a_program_gets_problem_details(browser):
    headers = {"Accept": "application/json", "X-CSRFToken": browser.get_token("/account")}
    for fault, status, code in REFUSALS:
        answer = browser.post(f"/probe/write/lost?fault={fault}", headers=headers)
        assert answer.status_code == status, fault
        assert answer.content_type == "application/problem+json"
        assert (answer.json["code"], answer.json["status"]) == (code, status)
        assert "secret" not in answer.text, fault


def test_a_fault_tells_nothing_of_itself(probed, browser):
    probed.app.testing = False
    answer = browser.submit("/probe/write/lost?fault=fault", page="/account")
    assert answer.status_code == 500
    assert "server-fault" in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert names(probed) == []


@pytest.mark.parametrize("address", ["/probe/twice", "/probe/gone"])
def test_a_conflict_that_only_the_commit_finds_is_a_conflict(probed, browser, address):
    answer = browser.submit(address, page="/account")
    assert answer.status_code == 409
    assert "conflict" in answer.text


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("unavailable", 503, "unavailable"), ("store", 503, "store-unavailable"), ("nearly", 403, "nearly")],
)
def test_a_refusal_that_only_the_commit_finds_is_answered_like_any_other(probed, browser, fault, status, code):
    answer = browser.submit(f"/probe/late/{fault}", page="/account")
    assert answer.status_code == status
    assert code in answer.text
    assert "secret" not in answer.text
    assert names(probed) == []


def test_a_get_may_write_after_it_let_go(probed, browser):
    assert browser.get("/probe/download").text == "bytes"
    assert names(probed) == ["entered"]


def test_a_refusal_is_recorded_after_the_rollback(probed, browser):
    browser.submit("/probe/write/lost?fault=nearly", page="/account")
    with probed.sessions() as opened:
        noted = opened.scalars(select(AuditEvent).where(AuditEvent.tag == "request.refused")).one()
    assert noted.facts == {"code": "nearly", "details": {"what": "<b>x</b>"}}
    assert noted.person_name.startswith("Person")
    assert names(probed) == []


# guard


def test_a_route_that_says_nothing_is_shut(probed, browser):
    assert browser.get("/probe/forgotten").status_code == 404
    assert probed.browser().get("/probe/forgotten").status_code == 303


def test_a_public_route_is_open_to_all(probed, browser):
    assert probed.browser().get("/probe/open").text == "nobody"
    assert browser.get("/probe/open").text == "session"


def test_a_page_leads_nobody_to_the_sign_in_and_a_program_to_a_401(probed):
    page = probed.browser().get("/account")
    assert (page.status_code, page.location) == (303, "/sign-in?next=/account")
    program = probed.browser().get("/account", headers={"Accept": "application/json"})
    assert (program.status_code, program.json["code"]) == (401, "sign-in-required")


@pytest.mark.parametrize("token", [None, "", "nonsense", "another person's"])
def test_a_form_without_its_own_token_is_refused(probed, browser, token):
    if token == "another person's":
        token = probed.browser().get_token()
    answer = browser.post("/probe/write/lost", data={"csrf_token": token} if token is not None else {})
    assert answer.status_code == 400
    assert "form-expired" in answer.text
    assert names(probed) == []


def test_a_wrong_method_says_which_are_right(browser):
    answer = browser.submit("/probe/download", page="/account")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("address", ["/nowhere", "/people/nonsense", "/people/..", "/%00", "/%ff", "/" + "x" * 5000])
def test_an_address_that_leads_nowhere_is_not_found(browser, probed, address):
    for one in (browser, probed.browser()):
        answer = one.get(address)
        assert answer.status_code == 404
        assert "not-found" in answer.text


# headers


def test_every_answer_is_hardened(probed, browser):
    for answer in (browser.get("/account"), browser.get("/nowhere"), probed.browser().get("/sign-in")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "private, no-store"


# language


OURS = ["/", "/account", "/a?b=c&d=//e", "/a#b", "/%2F%2Fevil.example", "/я"]
ELSEWHERE = [
    "",
    None,
    "//evil",
    "///evil",
    "https://evil",
    "/\\evil",
    "\\evil",
    "evil",
    "/a\nb",
    "/a\0",
    "javascript:x",
    "?x",
    "/\u200eevil",
]


@pytest.mark.parametrize("target", OURS)
def test_a_path_of_the_portal_is_gone_back_to(target):
    assert here_or_home(target) == target


@pytest.mark.parametrize("target", ELSEWHERE)
def test_anything_else_leads_home(target):
    assert here_or_home(target) == "/"


def test_the_language_is_chosen_kept_and_led_back(probed):
    browser = probed.browser()
    assert '<html lang="ru">' in browser.get("/sign-in", headers={"Accept-Language": "ru-RU,ru;q=0.9"}).text
    assert '<html lang="en">' in browser.get("/sign-in", headers={"Accept-Language": "fr"}).text
    answer = browser.submit("/language/ru", page="/sign-in", next="/sign-in?next=/account")
    assert answer.location == "/sign-in?next=/account"
    assert '<html lang="ru">' in browser.get("/sign-in", headers={"Accept-Language": "en"}).text
    assert browser.submit("/language/ru", page="/sign-in", next="//evil.example").location == "/"
    assert browser.submit("/language/fr", page="/sign-in").status_code == 404


@pytest.mark.parametrize("cookie", ["fr", "../../x", "ru;en", "РУ", ""])
def test_a_senseless_language_cookie_is_passed_over(probed, cookie):
    browser = probed.browser()
    browser.set_cookie("language", cookie)
    assert '<html lang="en">' in browser.get("/sign-in").text


# actors


def test_staff_are_the_vendor_its_support_and_the_portal_itself():
    staff = [Actor(Via.SESSION, kind=kind) for kind in OrganisationKind] + [Actor(via) for via in Via]
    assert [one.is_staff for one in staff] == [True, True, False, False, False, True, True, False]


def test_times_are_shown_in_the_readers_zone(probed):
    with probed.sessions.begin() as opened:
        moscow = make_organisation(opened, OrganisationKind.VENDOR, time_zone="Europe/Moscow")
        person = make_person(opened, moscow, Role.PUBLISHER)
    browser = probed.browser()
    browser.submit("/sign-in", email=person.email, password=PASSWORD)
    page = browser.get("/account").text
    assert f"{START + timedelta(hours=3):%Y-%m-%d %H:%M}" in page


def test_the_database_is_asked_nothing_before_it_is_needed(probed):
    with probed.resources.engine.connect() as held:
        held.execute(text("SELECT 1"))  # on SQLite this holds the one place of a writer
        assert probed.browser().get("/sign-in").status_code == 200
