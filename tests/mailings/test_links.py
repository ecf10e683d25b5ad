"""The page behind a link: nothing without the code, everything after it, decided anew at each request."""

import hashlib
import logging
import threading
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.authority.models import PowerOfAttorney
from portal.deliveries import steps
from portal.deliveries.chain import first_bad
from portal.entitlements.models import AgreementAcceptance, Contract, ReceivedRelease
from portal.kits import service as kits
from portal.kits.planning import KitSpec
from portal.mailings import redaction, service
from tests.deliveries.conftest import CONTENT, NAME
from tests.mailings.test_service import agreement

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def code_in(answer):
    """The stable code on a page of refusal."""
    return answer.status_code, next((word for word in CODES if word in answer.text), None)


CODES = ("link-expired", "link-withdrawn", "link-stopped", "link-session-over", "contract-expired", "authority-missing",
         "too-many-codes", "agreement-required", "not-found")  # fmt: skip


def take(browser, where, item, **headers):
    address = f"{where}/files/{item.artifact_id}/{quote(item.artifact.name)}"
    return browser.get(address, headers={n.replace("_", "-"): v for n, v in headers.items()}, buffered=True)


def test_from_the_link_to_the_acknowledged_receipt(desk):
    delivery_id = desk.sent()
    link = desk.link()
    door = desk.portal.browser().get(link)
    assert door.status_code == 200
    assert not any(word in door.text for word in ("Router", "4.10", "Alpha", "D-0", "olga"))
    browser, where = desk.opened(link)
    page = browser.get(where).text
    for item in desk.items(delivery_id):
        assert item.artifact.name in page
        assert item.sha256 in page
        assert desk.state(delivery_id) == "dispatched"
        answer = take(browser, where, item)
        assert hashlib.sha256(answer.data).hexdigest() == item.sha256
    assert desk.state(delivery_id) == "delivered"
    delivered = desk.events(delivery_id)[-1]
    assert delivered.evidence["bytes"] == len(CONTENT) + len(b"second")
    assert delivered.evidence["code_confirmed_at"] == desk.links()[0].code_confirmed_at.isoformat()
    assert (delivered.person_name, delivered.address) == ("Ольга Королёва", "127.0.0.1")
    with desk.sessions() as session:
        assert session.scalars(select(ReceivedRelease)).one().release_id == desk.world.release_id
    assert browser.submit(f"{where}/verified", page=where).status_code == 303
    assert desk.state(delivery_id) == "acknowledged"
    assert desk.kinds(delivery_id)[4:] == ["code-sent", "code-right", "link-opened", "granted", "granted", "delivered",
                                           "acknowledged"]  # fmt: skip
    assert first_bad(desk.events(delivery_id)) is None
    assert "SHA256SUMS" in browser.get(f"{where}/papers/SHA256SUMS").headers["Content-Disposition"]
    assert browser.get(f"{where}/notes").status_code == 200


@on_sqlite
def test_looking_at_a_link_changes_nothing(desk):
    """Programs that preview links come first, often, and by GET and HEAD."""
    delivery_id = desk.sent()
    link, before = desk.link(), len(desk.portal.mails())
    for _ in range(3):
        answer = desk.portal.browser().get(link)
        desk.portal.browser().head(link)
        desk.portal.browser().get(f"{link}/code")
    desk.portal.work()
    assert (len(desk.portal.mails()), desk.links()[0].opened_count) == (before, 0)
    assert desk.kinds(delivery_id)[-1] == "dispatched"
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]


@pytest.mark.parametrize(("what", "status"), [
    ("wrong", "code-wrong"), ("reused", "code-used-up"), ("another's", "code-wrong"), ("expired", "code-expired"),
    ("6th", "code-used-up"), ("former", "code-wrong"), ("none", "code-none"), ("empty", None), ("long", None),
])  # fmt: skip
@on_sqlite
def test_codes_that_open_nothing(desk, what, status):
    delivery_id = desk.sent()
    link, browser = desk.link(), desk.portal.browser()
    code = desk.ask_for_code(browser, link) if what != "none" else "123456"
    wrong = f"{(int(code) + 1) % 10**6:06}"
    tried = {"wrong": wrong, "empty": "", "long": "1" * 5000}.get(what, code)
    if what == "reused":
        assert browser.submit(link, one_time_code=code).status_code == 303
    elif what == "another's":
        desk.sent()
        tried = desk.ask_for_code(desk.portal.browser(), desk.link())
        assert tried != code
    elif what == "expired":
        desk.portal.clock.advance(minutes=10)
    elif what == "former":
        desk.portal.clock.advance(minutes=1)
        assert desk.ask_for_code(browser, link) != code
    elif what == "6th":
        for _ in range(5):
            assert browser.submit(link, one_time_code=wrong).status_code == 422
    fresh = desk.portal.browser()
    answer = fresh.submit(link, one_time_code=tried)
    assert answer.status_code == 422
    assert desk.portal.browser().get(f"/m/at/{desk.links()[0].id}").status_code == 404
    if status:
        noted = [event.evidence for event in desk.events(delivery_id) if event.kind.value == "code-wrong"]
        assert f"code-{noted[-1]['reason']}" == status


@on_sqlite
def test_two_who_enter_the_code_at_once_are_one(desk):
    desk.sent()
    link, browsers = desk.link(), [desk.portal.browser(), desk.portal.browser()]
    code = desk.ask_for_code(browsers[0], link)
    tokens, got = [browser.get_token(link) for browser in browsers], []

    def enter(browser, token):
        got.append(browser.post(link, data={"one_time_code": code, "csrf_token": token}).status_code)

    threads = [threading.Thread(target=enter, args=pair) for pair in zip(browsers, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [303, 422]


@on_sqlite
def test_codes_are_not_sent_without_end(desk):
    desk.sent()
    link, browser = desk.link(), desk.portal.browser()
    answers = [browser.submit(f"{link}/code", page=link).status_code for _ in range(6)]
    assert answers == [303] * 5 + [429]


@on_sqlite
def test_a_forwarded_link_is_worth_nothing_without_the_mailbox_and_a_cookie_opens_one_link_only(desk):
    desk.sent()
    first, where = desk.opened()
    desk.sent()
    other_link = desk.link()
    other = f"/m/at/{desk.links()[-1].id}"
    assert first.get(other).status_code == 404
    assert other not in first.get(other_link).headers.get("Location", "")
    stranger = desk.portal.browser()
    assert code_in(stranger.get(where)) == (404, "link-session-over")
    cookie = next(c for c in first._cookies.values() if c.key.startswith("portal-link-"))
    assert (cookie.path, cookie.http_only) == ("/m/", True)
    stranger.set_cookie(cookie.key, cookie.value[:-2] + "xx", path="/m/")
    assert stranger.get(where).status_code == 404
    stranger.set_cookie(f"portal-link-{desk.links()[-1].id.hex[:12]}", cookie.value, path="/m/")
    assert stranger.get(other).status_code == 404
    assert stranger.post(f"{where}/verified").status_code == 400  # no form of ours


@on_sqlite
def test_the_page_closes_after_two_hours_and_at_the_readers_wish(desk):
    desk.sent()
    browser, where = desk.opened()
    desk.portal.clock.advance(minutes=119)
    assert browser.get(where).status_code == 200
    desk.portal.clock.advance(minutes=2)
    assert code_in(browser.get(where)) == (404, "link-session-over")
    browser, where = desk.opened()
    assert browser.submit(f"{where}/close", page=where).status_code == 200
    assert browser.get(where).status_code == 404


def _expire(desk, _delivery_id):
    desk.portal.clock.advance(days=13, hours=23, minutes=30)
    Open.browser = desk.opened()
    desk.portal.clock.advance(minutes=30)


def _withdraw(desk, delivery_id):
    desk.do(service.withdraw, delivery_id, reason="x")


def _stop(desk, delivery_id):
    with desk.sessions.begin() as session:
        steps.stop(session, desk.now(delivery_id), reason="x", by=desk.by, at=desk.at)


def _end_contract(desk, _delivery_id):
    with desk.sessions.begin() as session:
        contract = session.get_one(Contract, desk.world.contract_id)
        contract.set_term(contract.starts_on, desk.at.date() - timedelta(days=31), "UTC")


def _revoke(desk, _delivery_id):
    with desk.sessions.begin() as session:
        session.scalars(select(PowerOfAttorney)).one().revoke("left", None, desk.at)


def _withdraw_release(desk, _delivery_id):
    desk.world.withdraw()


class Open:
    browser = None


@pytest.mark.parametrize(("change", "status", "code"), [
    (_expire, 410, "link-expired"), (_withdraw, 410, "link-withdrawn"), (_stop, 409, "link-stopped"),
    (_end_contract, 403, "contract-expired"), (_revoke, 403, "authority-missing"),
    (_withdraw_release, 403, "withdrawn"),
])  # fmt: skip
@on_sqlite
def test_whatever_ends_is_asked_at_each_request(desk, change, status, code):
    delivery_id = desk.sent()
    link = desk.link()
    Open.browser = desk.opened(link)
    change(desk, delivery_id)
    browser, where = Open.browser
    item = desk.items(delivery_id)[0]
    for address in (where, f"{where}/files/{item.artifact_id}/{quote(item.artifact.name)}"):
        answer = browser.get(address)
        assert (answer.status_code, code in answer.text) == (status, True)
    if status != 403:
        assert desk.portal.browser().get(link).status_code == status
    assert not any(one.sent["requests"] for one in desk.items(delivery_id))
    assert desk.state(delivery_id) == "dispatched"


@on_sqlite
def test_an_agreement_is_taken_before_the_files(desk):
    delivery_id, version_id = desk.sent(), agreement(desk)
    browser, where = desk.opened()
    item = desk.items(delivery_id)[0]
    page = browser.get(where).text
    assert "Лицензия" in page
    assert item.sha256 not in page
    assert code_in(take(browser, where, item)) == (403, "agreement-required")
    for _ in range(2):
        browser.submit(f"{where}/agreements/{version_id}", page=where)
    assert take(browser, where, item).status_code == 200
    with desk.sessions() as session:
        [accepted] = session.scalars(select(AgreementAcceptance)).all()
    assert accepted.authorized_person_id == desk.recipient_id
    assert "agreement-accepted" in desk.kinds(delivery_id)


def test_ranges_of_two_tabs_make_one_file(desk):
    delivery_id = desk.sent()
    browser, where = desk.opened()
    items = {item.artifact.name: item for item in desk.items(delivery_id)}
    half = len(CONTENT) // 2
    tag = take(browser, where, items[NAME], Range=f"bytes=0-{half - 1}").headers["ETag"]
    second = take(browser, where, items[NAME], Range=f"bytes={half}-", If_Range=tag)
    assert (second.status_code, second.data) == (206, CONTENT[half:])
    assert desk.state(delivery_id) == "dispatched"
    take(browser, where, items["second.bin"])
    assert desk.state(delivery_id) == "delivered"
    take(browser, where, items["second.bin"])
    assert desk.state(delivery_id) == "delivered"
    assert desk.kinds(delivery_id).count("delivered") == 1


@on_sqlite
def test_the_kit_holds_every_file(desk):
    delivery_id = desk.approved()
    delivery = desk.now(delivery_id)
    spec = KitSpec(desk.world.release_id, delivery.number, delivery.recipient["name"], "ALPHA", "Alpha")
    kit = kits.prepare(desk.portal.resources, spec, by=desk.by, at=desk.at)
    desk.do(service.prepare, delivery_id)
    assert desk.events(delivery_id)[-1].evidence["sha256"] == kit.sha256
    desk.do(service.dispatch, delivery_id, config=desk.config)
    desk.portal.work()
    browser, where = desk.opened()
    address = f"{where}/kit/{kit.file_name}"
    whole = browser.get(address, headers={"Range": "bytes=0-99999"}, buffered=True).data
    whole += browser.get(address, headers={"Range": "bytes=100000-"}, buffered=True).data
    assert hashlib.sha256(whole).hexdigest() == kit.sha256
    assert desk.state(delivery_id) == "delivered"
    assert browser.submit(f"{where}/verified", page=where, sha256=kit.sha256).status_code == 303
    assert desk.state(delivery_id) == "acknowledged"


@pytest.mark.parametrize("attached", [True, False])
@on_sqlite
def test_a_word_alone_does_not_replace_missing_bytes(desk, attached):
    delivery_id = desk.prepared()
    with desk.sessions.begin() as session:
        session.merge(service.DeliveryPolicy(organisation_id=desk.world.alpha.id, may_attach=attached,
                                             wants_witness=False))  # fmt: skip
    desk.do(service.dispatch, delivery_id, config=desk.config)
    desk.portal.work()
    browser, where = desk.opened()
    wrong = browser.submit(f"{where}/verified", page=where, sha256="ab" * 32)
    assert (wrong.status_code, desk.kinds(delivery_id)[-1]) == (422, "digest-differs")
    answer = browser.submit(f"{where}/verified", page=where)
    assert (answer.status_code, desk.state(delivery_id)) == ((303, "acknowledged") if attached else (409, "dispatched"))


@on_sqlite
def test_nothing_of_another_delivery_is_given_out(desk):
    delivery_id = desk.sent()
    browser, where = desk.opened()
    item = desk.items(delivery_id)[0]
    for address in (f"{where}/files/{desk.world.release_id}/{quote(item.artifact.name)}",
                    f"{where}/files/{item.artifact_id}/other.bin", f"{where}/kit/x.tar", "/m/" + "A" * 43,
                    "/m/" + "A" * 5000, "/m/%00", f"{where}/papers/secret"):  # fmt: skip
        assert browser.get(address).status_code == 404, address


@on_sqlite
def test_the_secret_stands_in_no_log_and_no_record(desk, caplog, monkeypatch):
    desk.sent()
    link = desk.link()
    caplog.set_level(logging.DEBUG)
    desk.portal.app.testing = False
    monkeypatch.setattr("portal.mailings.link_pages.links.require_open", lambda *_: 1 / 0)
    assert desk.portal.browser().get(link).status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert "/m/…" in caplog.text
    monkeypatch.undo()
    desk.world.withdraw()
    desk.opened(link)
    assert link not in caplog.text
    with desk.sessions() as session:
        assert link.removeprefix("/m/") not in str([vars(row) for row in session.scalars(select(AuditEvent))])


@pytest.mark.parametrize("where", ["/m/", "/r/", "/recalls/answer/", "/invitation/", "/reset/", "/calendar/"])
def test_every_address_that_is_a_secret_is_blotted_out(caplog, where):
    secret = "A-z_0.9" * 6
    logger = logging.getLogger("probe of blotting")
    redaction.install(logger)
    logger.warning("Exception on %s [%s]", f"{where}{secret}", "GET")
    assert f"Exception on {where}… [GET]" in caplog.text
    assert secret not in caplog.text


@pytest.mark.parametrize(("cookie", "accepts", "word"), [(None, "en", "одноразовый"), ("en", "ru", "one-time")])
@on_sqlite
def test_the_page_speaks_the_recipients_language_unless_another_was_chosen(desk, cookie, accepts, word):
    desk.sent()
    browser = desk.portal.browser()
    if cookie:
        browser.set_cookie("language", cookie)
    assert word in browser.get(desk.link(), headers={"Accept-Language": accepts}).text
