"""Attacks on the whole portal by a customer, a stranger and an impatient finger; each once found a way in."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.accounts import invitations, queries, service, tokens
from portal.accounts.invitations import Joining
from portal.accounts.models import ApiToken, LinkPurpose, Organisation, Person
from portal.accounts.service import NewPerson
from portal.actors import Actor
from portal.audit.models import AuditEvent
from portal.audit.service import Tag
from portal.entitlements import service as entitlements
from portal.entitlements.models import Contract, Grant
from portal.entitlements.service import GrantTerms
from portal.errors import PortalError
from portal.permissions import Role
from portal.recalls import service as recalls
from portal.recalls.models import Answer, Holding
from portal.releases import service as releases
from portal.releases.models import Release, ReleaseAudience
from portal.tickets import contacts
from portal.tickets.desk_models import Contact
from tests.factories import make_artifact, make_published, make_release
from tests.portals import PASSWORD, START, Portal
from tests.worlds import World, actor_for, make_world

STAGED = "1.70770707"


@pytest.fixture
def world(portal: Portal) -> World:
    return make_world(portal)


@pytest.fixture
def quiet(portal: Portal) -> Portal:
    """What the portal did not foresee becomes an answer, as it does where customers are."""
    portal.app.testing = False
    return portal


def acting(world: World, who: str) -> Actor:
    with world.portal.sessions() as session:
        organisation = session.get_one(Organisation, world.people[who].organisation_id)
    return actor_for(world.people[who], organisation)


def refused(answer) -> bool:
    return 400 <= answer.status_code < 500


# A staged release: published, recommended, and not yet open to customer A.


@pytest.fixture
def staged(world: World) -> Release:
    by = acting(world, "approver")
    with world.portal.sessions.begin() as session:
        product = session.merge(world.product)
        release = make_release(session, product, STAGED)
        make_artifact(session, world.portal.store, release, "staged.bin", b"not yet")
        pilots = releases.Audience(named=((world.customer_b.id, START),))
        releases.set_audience(session, release, pilots, by=by, at=START)
        make_published(world.portal.resources, session, release)
        releases.recommend(session, release, reason="The pilot's words.", by=by, at=START)
        return release


SHELVES = ("/products", "/products/{code}", "/products/{code}/1.1", "/search?q=1.7", "/api/v1/catalogue",
           "/api/v1/catalogue/{code}", "/known-issues/NET-1")  # fmt: skip


@pytest.mark.parametrize("address", SHELVES)
def test_a_staged_release_is_named_nowhere_though_recommended(world, staged, address):
    page = world.browser("engineer A").get(address.format(code=world.product.code))
    assert page.status_code == 200
    assert f">{STAGED}" not in page.text
    assert "pilot" not in page.text
    assert str(staged.id) not in page.text


def test_a_staged_release_is_not_given_away_as_a_replacement(world, staged):
    with world.portal.sessions.begin() as session:
        session.get_one(Release, world.withdrawn.id).replacement_id = staged.id
    page = world.browser("engineer A").get(f"/products/{world.product.code}/1.0").text
    assert "It fails." in page
    assert STAGED not in page


def test_the_letter_of_a_withdrawal_names_no_staged_replacement(world, staged):
    by = acting(world, "approver")
    with world.portal.sessions.begin() as session:
        release, other = session.get_one(Release, world.published.id), session.get_one(Release, staged.id)
        session.refresh(release, ["product"])
        releases.withdraw(session, release, reason="It burns.", replacement=other, by=by, at=START)
    world.portal.work()
    letters = [mail for mail in world.portal.mails() if "It burns." in mail]
    assert letters
    assert not [mail for mail in letters if STAGED in mail]


# Addresses that are none.


ELSEWHERE = ("//[", "http://[", "//[::1", "/\\evil.example", "//evil.example", "https:evil.example", "/\t/evil.example",
             "\x00//evil.example")  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_away_and_nothing_breaks(quiet, target):
    browser = quiet.browser()
    assert browser.get("/sign-in", query_string={"next": target}).status_code == 200
    answer = browser.submit("/language/ru", page="/sign-in", next=target)
    assert (answer.status_code, answer.location) == (303, "/")


def test_the_key_of_a_release_is_fetched_from_the_portal_and_not_from_the_host_that_a_request_claims(world):
    page = world.browser("engineer A").get(
        f"/products/{world.product.code}/1.1",
        headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        base_url="http://evil.example",
    )
    page = page if page.status_code == 200 else world.browser("engineer A").get(f"/products/{world.product.code}/1.1")
    assert "evil.example" not in page.text
    assert f"curl -O {world.portal.resources.config.base_url}/keys/" in page.text


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [("/audit?page=2", "/audit/?page=2"), ("/products//x?a=%2F", "/products/x?a=%2F"), ("/jobs", "/jobs/")],
)
def test_a_corrected_address_names_no_host_that_a_request_claims(portal, address, leads_to):
    answer = portal.browser().get(address, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["Location"]) == (308, leads_to)
    assert "evil.example" not in answer.text


# Signs that a database can't hold, and depths that a parser can't follow.

NUL_ADDRESSES = (
    ("engineer A", "/products/%00"),
    ("engineer A", "/invitation/%00"),
    ("engineer A", "/products/{code}/a%00b"),
    ("engineer A", "/known-issues/%00"),
    ("engineer A", "/api/v1/catalogue/a%00b"),
    ("publisher", "/api/v1/products/%00/releases"),
    ("publisher", "/releases/products/%00"),
    ("publisher", "/releases/new?product=%00"),
    ("publisher", "/releases/issues/a%00b"),
    ("auditor", "/audit/?until=9999-12-31"),
    ("auditor", "/audit/?since=0001-01-01"),
)


def test_no_address_is_a_fault_of_the_portal(quiet):
    world = make_world(quiet)
    for who, address in NUL_ADDRESSES:
        answer = world.browser(who).get(address.format(code=world.product.code))
        assert answer.status_code < 500, f"{address}: {answer.status_code}"


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 100_000, b'{"sha256":' + b"9" * 100_000 + b"}", b"\xff"])
def test_a_body_that_no_parser_can_follow_is_refused(quiet, body):
    world = make_world(quiet)
    headers = {"Authorization": f"Bearer {world.token}"}
    address = f"/api/v1/deliveries/{world.delivery.id}/confirm"
    assert quiet.browser().post(address, data=body, headers=headers, content_type="application/json").status_code == 422


@pytest.mark.parametrize("product", ["\0", "\ud800"])
def test_a_field_that_can_not_be_kept_is_refused(quiet, product):
    world = make_world(quiet)
    browser = world.browser("publisher")
    headers = {"X-CSRFToken": browser.get_token("/account")}
    answer = browser.post(
        "/api/v1/releases", json={"product": product, "version": "9.0", "level": "major"}, headers=headers
    )
    assert (answer.status_code, answer.json["code"]) == (422, "bad-field")


def test_a_reason_that_can_not_be_kept_is_refused(quiet):
    world = make_world(quiet)
    address = f"/organisations/{world.customer_a.id}/hold"
    assert refused(world.browser("administrator").submit(address, reason="a\0b"))


@pytest.mark.parametrize("day", ["0001-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("zone", ["Asia/Vladivostok", "America/Los_Angeles"])
def test_no_release_opens_in_a_year_that_some_reader_can_not_be_shown(quiet, day, zone):
    world = make_world(quiet)
    with quiet.sessions.begin() as session:
        session.get_one(Organisation, world.people["publisher"].organisation_id).time_zone = zone
    browser, address = world.browser("publisher"), f"/releases/{world.draft.id}"
    assert refused(browser.submit(f"{address}/audience", act="open", open_from=day))
    facts = {"version": "1.2", "level": "major", "embargo_until": day}
    assert refused(browser.submit(f"{address}/edit", **facts))
    assert browser.get(address).status_code == 200


# The same thing twice at once: carried out, and recorded, once.


def at_once(portal: Portal, act: Callable) -> list[object]:
    """Two transactions that both have read before either writes; what each returned or raised."""
    outcomes: list[object] = []
    have_read = threading.Barrier(2)
    is_sqlite = portal.resources.engine.dialect.name == "sqlite"  # where writers come one after another by themselves

    def run() -> None:
        def meet() -> None:
            if not is_sqlite:
                have_read.wait(20)

        try:
            with portal.sessions.begin() as session:
                outcomes.append(act(session, meet))
        except PortalError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 2
    return outcomes


def events(portal: Portal, tag: Tag) -> int:
    with portal.sessions() as session:
        return session.scalar(select(func.count()).select_from(AuditEvent).where(AuditEvent.tag == tag)) or 0


def loaded(session, kind, row_id, meet):
    row = session.get_one(kind, row_id)
    meet()
    return row


def test_a_token_is_revoked_once(world):
    by = acting(world, "engineer A")

    def revoke(session, meet):
        tokens.revoke_token(session, loaded(session, ApiToken, world.token_id, meet), by=by, at=START)

    at_once(world.portal, revoke)
    assert events(world.portal, Tag.TOKEN_REVOKE) == 1


def test_an_exception_is_revoked_once(world):
    by = acting(world, "approver")

    def revoke(session, meet):
        entitlements.revoke_grant(session, loaded(session, Grant, world.grant.id, meet), by=by, at=START)

    at_once(world.portal, revoke)
    assert events(world.portal, Tag.GRANT_REVOKE) == 1


def test_an_exception_that_is_sent_twice_is_one_and_gone_when_it_is_revoked(world):
    by = acting(world, "approver")

    def give(session, meet):
        organisation = loaded(session, Organisation, world.customer_b.id, meet)
        release = session.get_one(Release, world.published.id)
        terms = GrantTerms(organisation, release, START + timedelta(days=3), "agreed")
        grant = entitlements.give_grant(session, terms, by=by, at=START)
        session.flush()  # it gets its id
        return grant.id

    first, second = at_once(world.portal, give)
    assert first == second
    assert events(world.portal, Tag.GRANT_GIVE) == 1


def test_a_contract_is_put_on_hold_once(world):
    by = acting(world, "administrator")

    def hold(session, meet):
        row = loaded(session, Contract, world.contract.id, meet)
        entitlements.hold(session, row, reason="unpaid", by=by, at=START)

    at_once(world.portal, hold)
    assert events(world.portal, Tag.CONTRACT_HOLD) == 1


def test_a_customer_is_put_on_hold_once(world):
    by = acting(world, "administrator")

    def hold(session, meet):
        row = loaded(session, Organisation, world.customer_a.id, meet)
        service.suspend_organisation(session, row, reason="unpaid", by=by, at=START)

    at_once(world.portal, hold)
    assert events(world.portal, Tag.ORGANISATION_SUSPEND) == 1


def test_a_person_is_disabled_once(world):
    by = acting(world, "administrator")

    def disable(session, meet):
        person = session.scalars(select(Person).where(Person.id == world.people["engineer A"].id)).one()
        session.refresh(person, ["organisation", "role_rows"])
        meet()
        service.disable(session, person, by=by, at=START)

    at_once(world.portal, disable)
    assert events(world.portal, Tag.PERSON_DISABLE) == 1


def test_an_invitation_lets_one_in_though_both_have_read_it(world):
    by = acting(world, "administrator")
    with world.portal.sessions.begin() as session:
        new = NewPerson("new@a.example", "New", frozenset({Role.CUSTOMER_ENGINEER}))
        organisation = session.get_one(Organisation, world.customer_a.id)
        _person, link = invitations.invite(session, organisation, new, by=by, at=START, base_url="http://portal")
    secret = link.rpartition("/")[2]

    def join(session, meet):
        read = queries.open_link(session, tokens.digest(secret), LinkPurpose.INVITATION, START)
        meet()
        invitations.join(session, secret, Joining("New", PASSWORD), at=START)
        return read

    at_once(world.portal, join)
    assert events(world.portal, Tag.PERSON_JOIN) == 1


def test_a_contact_is_removed_once(world):
    by = acting(world, "engineer A")

    def remove(session, meet):
        contacts.remove(session, loaded(session, Contact, world.contact.id, meet), by=by, at=START)

    at_once(world.portal, remove)
    assert events(world.portal, Tag.CONTACT_REMOVE) == 1


def test_a_holder_of_a_withdrawn_release_answers_once(world):
    by = acting(world, "engineer A")

    def answer(session, meet):
        recalls.answer(session, loaded(session, Holding, world.holding.id, meet), Answer.REMOVED, "", by=by, at=START)

    at_once(world.portal, answer)
    assert events(world.portal, Tag.RECALL_ANSWER) == 1


def test_a_customer_taken_off_an_audience_does_not_come_back_with_another_that_is_added(world):
    """Two people press a button each: one removes customer A, the other adds customer B."""
    with world.portal.sessions.begin() as session:
        session.add(ReleaseAudience(release_id=world.draft.id, organisation_id=world.customer_a.id, opens_at=START))
    address = f"/releases/{world.draft.id}/audience"
    presses = ({"act": "remove", "customer": world.customer_a.id}, {"act": "add", "customer": world.customer_b.id})
    browser = world.browser("publisher")
    headers = {"X-CSRFToken": browser.get_token("/account")}
    cookie = browser.get_cookie("portal").value

    def press(form):
        one = world.portal.browser()
        one.set_cookie("portal", cookie)
        assert one.post(address, data=form, headers=headers).status_code == 303

    threads = [threading.Thread(target=press, args=(form,)) for form in presses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with world.portal.sessions() as session:
        named = set(
            session.scalars(select(ReleaseAudience.organisation_id).where(ReleaseAudience.release_id == world.draft.id))
        )
    assert named == {world.customer_b.id}


# Pages whose address is a secret.


def test_a_page_that_tells_no_path_takes_its_own_form_over_https(quiet):
    origin, browser = "https://localhost", quiet.browser()
    page = browser.get("/r", base_url=origin)
    sent = {"no-referrer": "", "strict-origin": f"{origin}/"}[page.headers["Referrer-Policy"]]
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]
    fields = {"csrf_token": token, "number": "D-000001", "code": "AAAAA-AAAAA"}
    answer = browser.post("/r", base_url=origin, data=fields, headers={"Referer": sent} if sent else {})
    assert answer.status_code == 404
