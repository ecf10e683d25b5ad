"""What a customer's shelf shows, and what it must not."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from portal.accounts.models import Organisation
from portal.releases.models import Product, Recommendation, Release, ReleaseAudience
from portal.releases.withdrawal import withdraw
from portal.tickets.models import TicketIssue
from tests.factories import make_artifact, make_published, make_release
from tests.portals import START
from tests.worlds import World, actor_for, make_world


@pytest.fixture
def world(portal) -> World:
    return make_world(portal)


def page(world: World, who: str, address: str):
    return world.browser(who).get(address)


def test_the_entitled_customer_sees_product_release_issue_and_file(world):
    home = page(world, "engineer A", "/products").text
    assert world.product.name in home
    shelf = page(world, "engineer A", f"/products/{world.product.code}").text
    assert "1.1" in shelf
    assert "withdrawn" in shelf
    release = page(world, "engineer A", f"/products/{world.product.code}/1.1").text
    for expected in (world.artifact.sha256, f"/downloads/{world.artifact.id}/", "SHA256SUMS.sig", "NET-1", "Better."):
        assert expected in release
    issue = page(world, "engineer A", "/known-issues/NET-1").text
    assert "CVE-2026-1234" in issue
    assert f"/products/{world.product.code}/1.1" in issue


@pytest.mark.parametrize("address", ["/products/{code}", "/products/{code}/1.1", "/products/{code}/1.0",
                                     "/known-issues/NET-1", "/api/v1/catalogue/{code}",
                                     "/api/v1/catalogue/{code}/1.1"])  # fmt: skip
def test_who_has_nothing_to_do_with_an_unlisted_product_finds_nothing(world, address):
    answer = page(world, "engineer B", address.format(code=world.product.code))
    assert answer.status_code == 404
    assert world.product.name not in answer.text


@pytest.mark.parametrize("text", ["1.1", "NET-1", "CVE-2026-1234", "link goes", "Product"])
def test_search_finds_for_a_and_nothing_for_b(world, text):
    mine = world.browser("engineer A").get("/search", query_string={"q": text}, follow_redirects=True).text
    other = world.browser("engineer B").get("/search", query_string={"q": text}, follow_redirects=True).text
    assert world.product.name in mine
    assert world.product.name not in other


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "\x00", "a" * 5000, " " * 50, "<script>", "%%%", "л'"])
def test_awkward_searches_find_nothing_and_break_nothing(world, text):
    answer = world.browser("engineer B").get("/search", query_string={"q": text})
    assert answer.status_code == 200
    assert world.product.name not in answer.text
    assert "<script>" not in answer.text.partition("</head>")[2].replace('<script src="', "")


def test_search_finds_cyrillic_whatever_its_case(world):
    with world.portal.sessions.begin() as session:
        session.get_one(Product, world.product.id).name = "Мост Волга"
    assert world.product.code in world.browser("engineer A").get("/search?q=МОСТ").text


def test_drafts_are_not_there(world):
    assert page(world, "engineer A", f"/products/{world.product.code}/1.2").status_code == 404
    assert ">1.2<" not in page(world, "engineer A", f"/products/{world.product.code}").text


def test_a_withdrawn_release_stays_visible_with_reason_and_replacement_and_no_file(world):
    text = page(world, "engineer A", f"/products/{world.product.code}/1.0").text
    assert "It fails." in text
    assert f"/products/{world.product.code}/1.1" in text
    assert "/downloads/" not in text


def test_the_release_page_names_the_customers_own_tickets_only(world):
    with world.portal.sessions.begin() as session:
        session.add(TicketIssue(ticket_id=world.ticket.id, issue_id=world.issue.id))
    text = page(world, "engineer A", f"/products/{world.product.code}/1.1").text
    assert f"T-{world.ticket.number:06d}" in text


def test_badges(world):
    text = page(world, "engineer A", f"/products/{world.product.code}").text
    assert "received" in text  # the world's delivery
    assert "new for you" not in text


def test_the_api_tells_what_the_page_tells(world):
    told = page(world, "engineer A", f"/api/v1/catalogue/{world.product.code}/1.1").json
    assert told["release"]["decision"]["granted"] is True
    assert told["release"]["decision"]["basis"] == "grant"
    assert told["files"][0]["sha256"] == world.artifact.sha256
    newest = page(world, "engineer A", "/api/v1/catalogue").json
    assert [row["version"] for row in newest["newest"]] == ["1.1"]
    assert page(world, "engineer B", "/api/v1/catalogue").json["products"] == []


def test_the_newest_of_one_product_are_told_with_product_and_train(world):
    with world.portal.sessions.begin() as session:
        product = session.merge(world.product)
        train = session.merge(world.train)
        for number, version in enumerate(("1.5", "1.6", "1.7"), 1):
            release = make_release(session, product, version, train=train)
            make_published(world.portal.resources, session, release, at=START + timedelta(minutes=number))
    world.portal.clock.advance(hours=1)
    told = page(world, "engineer A", "/api/v1/catalogue")
    assert told.status_code == 200
    named = [(row["product"], row["version"], row["train"]) for row in told.json["newest"]]
    assert named == [
        (world.product.code, version, train_name)
        for version, train_name in (("1.7", "1"), ("1.6", "1"), ("1.5", "1"), ("1.1", None))
    ]


@pytest.mark.parametrize(("address", "most"), [("/products", 20), ("/products/{code}", 18)])
def test_pages_cost_the_same_however_many_releases_there_are(world, address, most):
    address = address.format(code=world.product.code)
    before = statements(world, address)
    with world.portal.sessions.begin() as session:
        product = session.get_one(Product, world.product.id)
        for number in range(10):
            release = make_release(session, product, f"2.{number}")
            make_artifact(session, world.portal.store, release, content=b"%d" % number)
            make_published(world.portal.resources, session, release)
    assert statements(world, address) == before <= most


def statements(world: World, address: str) -> int:
    sent = []
    browser = world.browser("engineer A")
    engine = world.portal.resources.engine

    def note(*arguments):
        sent.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    assert browser.get(address).status_code == 200
    event.remove(engine, "before_cursor_execute", note)
    return len(sent)


def test_a_release_withdrawn_meanwhile_is_no_longer_offered(world):
    with world.portal.sessions.begin() as session:
        approver = actor_for(world.people["approver"], session.get_one(Organisation, world.customer_a.id))
        release = session.get_one(Release, world.published.id)
        session.refresh(release, ["product"])
        withdraw(session, release, reason="No.", replacement=None, by=approver, at=START)
    text = page(world, "engineer A", f"/products/{world.product.code}/1.1").text
    assert "/downloads/" not in text


def test_the_first_page_names_the_recommended_release_that_its_reader_may_know_of(world):
    with world.portal.sessions.begin() as session:
        product = session.get_one(Product, world.product.id)
        everyone = make_published(world.portal.resources, session, make_release(session, product, "1.5"))
        newer = make_published(world.portal.resources, session, make_release(session, product, "1.6"))
        pilot = make_published(world.portal.resources, session, make_release(session, product, "1.7"))
        pilot.open_from = None
        session.add(ReleaseAudience(release_id=pilot.id, organisation_id=world.customer_b.id, opens_at=START))
        for at, release in enumerate((everyone, pilot)):
            session.add(Recommendation(product_id=product.id, release_id=release.id, reason="It holds.",
                                       at=START + timedelta(minutes=at)))  # fmt: skip
    home = page(world, "engineer A", "/products")
    assert home.status_code == 200
    assert f"/products/{world.product.code}/{everyone.version}" in home.text
    assert f"/products/{world.product.code}/{newer.version}" in home.text
    assert pilot.version not in home.text


def test_who_has_an_agreement_to_accept_is_led_to_it_and_is_not_told_yes_beside_no(world):
    with world.portal.sessions.begin() as session:
        release = session.get_one(Release, world.published.id)
    manager = world.browser("manager A")
    shown = manager.get(f"/products/{world.product.code}/1.1").text
    why = manager.get(f"/why/{release.id}").text
    assert f"/agreements/{world.agreement.id}/accept" in shown
    assert f"/agreements/{world.agreement.id}/accept" in why
    assert ">No</span>" in why
    assert ">Yes</span>" not in why


@pytest.mark.parametrize(("who", "address", "here"), [("publisher", "/releases/issues", "/releases/issues"),
                                                      ("publisher", "/releases/products", "/releases"),
                                                      ("engineer A", "/products", "/products")])  # fmt: skip
def test_one_entry_of_the_menu_says_here(world, who, address, here):
    menu = page(world, who, address).text.partition("<main")[0]
    assert menu.count('aria-current="page"') == 1
    assert f'href="{here}" aria-current="page"' in menu


def test_the_desk_leads_to_who_holds_a_published_release_only(world):
    assert (
        f"/deliveries/holders/{world.published.id}" in page(world, "publisher", f"/releases/{world.published.id}").text
    )
    assert "/deliveries/holders/" not in page(world, "publisher", f"/releases/{world.draft.id}").text
