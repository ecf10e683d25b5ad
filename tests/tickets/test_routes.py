import re
from itertools import product
from uuid import uuid4

from sqlalchemy import func, select

from portal.releases.models import ReleaseState
from portal.tickets import service
from portal.tickets.models import Step, Ticket, TicketEvent
from tests.portals import START

FORM = {"kind": "incident", "severity": "major", "product": "core", "installed_version": "4.8", "title": "Link flaps",
        "body": "Every **night**."}  # fmt: skip


def opened(world, who="alpha", **fields):
    return world.of(who).submit("/tickets/new", **{**FORM, "submission": str(uuid4()), **fields})


def post(world, who, address, number, **fields):
    return world.of(who).submit(f"/tickets/{number}/{address}", page=f"/tickets/{number}", **fields)


def page(world, who, number):
    answer = world.of(who).get(f"/tickets/{number}")
    assert answer.status_code == 200
    return answer.text


def count(world, kind):
    with world.portal.sessions() as session:
        return session.scalar(select(func.count()).select_from(kind))


def test_a_ticket_from_opening_to_confirmation(world):
    answer = opened(world)
    assert (answer.status_code, answer.location) == (303, "/tickets/T-000001")
    number = "T-000001"
    assert "<strong>night</strong>" in page(world, "alpha", number)
    assert post(world, "tsc", "answer", number, body="Is it `eth0`?", then="wait-for-customer").status_code == 303
    assert world.state(number) == "waiting-for-customer"
    assert "Waiting for you" in page(world, "alpha", number)
    assert "Waiting for the customer" in page(world, "tsc", number)
    assert post(world, "alpha", "answer", number, body="Yes.").status_code == 303
    assert world.state(number) == "open"
    assert post(world, "tsc", "answer", number, body="Replaced.", then="resolve").status_code == 303
    assert "confirm and close" in page(world, "alpha", number)
    assert post(world, "alpha", "state", number, step="close").status_code == 303
    assert world.state(number) == "closed"
    assert "Send the answer" not in page(world, "alpha", number)
    assert post(world, "alpha", "state", number, step="reopen", reason="Again.").status_code == 303
    assert world.state(number) == "open"


def test_a_double_click_opens_one_ticket(world):
    once = str(uuid4())
    first, second = (opened(world, submission=once) for _ in range(2))
    assert first.location == second.location == "/tickets/T-000001"
    assert count(world, Ticket) == 1


def test_an_old_form_with_new_words_is_kept_and_can_be_sent_again(world):
    once = str(uuid4())
    opened(world, submission=once)
    again = opened(world, submission=once, body="Something else")
    assert again.status_code == 422
    assert "Something else" in again.text
    fresh = re.search(r'name="submission"[^>]*value="([^"]+)"', again.text).group(1)
    assert fresh != once
    assert opened(world, submission=fresh, body="Something else").location == "/tickets/T-000002"


def test_a_double_click_answers_once(world):
    number, once = world.open(), str(uuid4())
    for _ in range(2):
        assert post(world, "alpha", "answer", number, body="Once", submission=once).status_code == 303
    assert count(world, TicketEvent) == 2


REFUSED = [
    ({"body": "[" * 1_000_000}, "1000000 characters; at most 20000"),
    ({"body": "   "}, "Something has to be written here"),
    ({"title": "x" * 201}, "201 characters; at most 200"),
    ({"title": "\x00"}, "U+0000"),
    ({"product": "secret"}, "Not a valid choice"),
    ({"product": "core\x00"}, "Not a valid choice"),
    ({"severity": "terrible"}, "Not a valid choice"),
    ({"submission": "x" * 100}, "idempotency key"),
]


def test_what_is_refused_is_said_beside_the_form_and_nothing_is_lost(world):
    for fields, sentence in REFUSED:
        answer = opened(world, **fields)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert (fields.get("body") or FORM["body"]).strip() in answer.text
        assert count(world, Ticket) == 0


def test_an_answer_that_is_too_long_comes_back(world):
    number = world.open()
    answer = post(world, "alpha", "answer", number, body="[" * 1_000_000)
    assert answer.status_code == 422
    assert "at most 20000" in answer.text
    assert "[" * 1000 in answer.text
    assert count(world, TicketEvent) == 1


def test_brackets_that_fit_are_shown(world):
    opened(world, body="[" * 20_000)
    assert "[[[[" in page(world, "tsc", "T-000001")


def test_script_stays_text(world):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3)) ![y](https://evil.example/y)"
    opened(world, title=evil, body=evil, installed_version="<b>4</b>")
    for who in ("alpha", "tsc"):
        for text in (page(world, who, "T-000001"), world.of(who).get("/tickets").text):
            assert "<script>alert" not in text
            assert "<img" not in text
            assert 'href="javascript' not in text
            assert "<b>4</b>" not in text


def test_staff_open_for_a_customer(world):
    answer = opened(world, "tsc", customer="beta", channel="telephone")
    assert answer.status_code == 303
    assert "Beta Net" in page(world, "tsc", "T-000001")
    assert "Telephone" in page(world, "beta", "T-000001")
    assert world.of("alpha").get("/tickets/T-000001").status_code == 404
    assert "no customer Gamma" in opened(world, "tsc", customer="Gamma", channel="web").text
    assert opened(world, "tsc", customer="", channel="web").status_code == 422
    secret = opened(world, "tsc", customer="Alpha Telecom", channel="web", product="secret")
    assert "could be about" in secret.text
    assert count(world, Ticket) == 1


def test_a_customer_can_not_name_a_customer_or_a_channel(world):
    opened(world, customer="BETA", channel="telephone")
    assert world.of("beta").get("/tickets/T-000001").status_code == 404
    assert "Telephone" not in page(world, "alpha", "T-000001")


def test_anothers_ticket_is_nowhere(world):
    """Reading, writing, moving: all of it is 404, as for a number that does not exist."""
    number = world.open("beta")
    release = world.release("4.9")
    browser = world.of("alpha")
    token = browser.get_token("/tickets/new")
    for wanted in (number, "T-000077"):
        assert browser.get(f"/tickets/{wanted}").status_code == 404
        for address in ("answer", "state"):
            fields = {"body": "Hello", "step": "close", "csrf_token": token}
            assert browser.post(f"/tickets/{wanted}/{address}", data=fields).status_code == 404
    for address in ("note", "issues", "releases", "issues/NX-1/unlink", f"releases/{release.id}/unlink"):
        assert browser.post(f"/tickets/{number}/{address}", data={"csrf_token": token}).status_code == 403
    assert world.state(number) == "new"
    assert count(world, TicketEvent) == 1


def test_a_senseless_number_is_not_found(world):
    for number in ("T-", "0", "x", "99999999999999999999", "T-1%00", "%2e%2e", "١"):
        assert world.of("alpha").get(f"/tickets/{number}").status_code == 404


def test_who_may_not_answer(world):
    number = world.open()
    for who, status in (("publisher", 403), ("admin", 403), ("beta", 404)):
        browser = world.of(who)
        fields = {"body": "Hello", "csrf_token": browser.get_token("/account")}
        assert browser.post(f"/tickets/{number}/answer", data=fields).status_code == status


def test_a_customer_takes_no_step_of_support(world):
    number = world.open()
    world.answer(number)
    assert post(world, "alpha", "state", number, step="resolve").status_code == 403
    assert post(world, "alpha", "state", number, step="explode").status_code == 404
    assert world.state(number) == "open"


def test_a_step_in_the_wrong_state(world):
    number = world.open()
    answer = post(world, "tsc", "state", number, step="resolve")
    assert answer.status_code == 409
    assert "ticket-state" in answer.text


def test_a_form_of_another_page_is_refused(world):
    number = world.open()
    assert world.of("alpha").post(f"/tickets/{number}/answer", data={"body": "Hello"}).status_code == 400
    assert count(world, TicketEvent) == 1


SECRET = "They have not paid since May"


def test_notes_never_reach_the_customer(world):
    """Everything that a customer can fetch is searched for the note, and its being there changes nothing at all."""
    number = world.open()
    addresses = [f"/tickets/{number}", "/tickets", "/tickets?q=paid", f"/tickets?q={SECRET}",
                 f"/api/v1/tickets/{number}", "/api/v1/tickets", "/api/v1/tickets?q=paid", "/products"]  # fmt: skip

    def seen(who):
        texts = [world.of(who).get(address).text for address in addresses]
        return [re.sub(r'name="(csrf_token|submission)"[^>]*value="[^"]*"', "", text) for text in texts]

    before = {who: seen(who) for who in ("alpha", "alpha2")}
    for _ in range(2):
        assert post(world, "tsc", "note", number, **{"note-body": SECRET}).status_code == 303
    assert SECRET in page(world, "tsc", number)
    assert SECRET in page(world, "publisher", number)
    for who, texts in before.items():
        assert seen(who) == texts
    assert "internal" not in page(world, "alpha", number)
    language = world.of("alpha").get_token(f"/tickets/{number}")
    world.of("alpha").post("/language/ru", data={"csrf_token": language})
    assert SECRET not in page(world, "alpha", number)
    # What the customer does itself gives it back no more.
    for answer in (
        post(world, "alpha", "answer", number, body=""),
        post(world, "alpha", "answer", number, body="Hello"),
        post(world, "alpha", "state", number, step="close"),
        world.of("alpha").get("/tickets/T-000001?kind=note&internal=1"),
    ):
        assert SECRET not in answer.text
    assert SECRET not in page(world, "alpha", number)


def test_a_token_of_staff_does_not_carry_notes_out(world):
    number = world.open()
    post(world, "tsc", "note", number, **{"note-body": SECRET})
    assert SECRET not in world.of("tsc").get(f"/api/v1/tickets/{number}").text


def test_an_empty_note_comes_back(world):
    number = world.open()
    assert post(world, "tsc", "note", number, **{"note-body": " "}).status_code == 422


# links and fixes


def test_where_it_is_fixed_is_said_to_both(world):
    number = world.open()
    world.issue("NX-7", world.release("4.9"))
    assert post(world, "tsc", "issues", number, **{"issue-issue": "NX-7"}).status_code == 303
    for who in ("alpha", "tsc"):
        text = page(world, who, number)
        assert "Trouble called NX-7" in text
        assert "Core Router 4.9" in text
        assert "No contract" in text
    world.contract(world.core)
    assert "You may take it" in page(world, "alpha", number)
    assert "The customer may take it" in page(world, "tsc", number)
    assert "/products/core/4.9" in page(world, "alpha", number)
    assert post(world, "tsc", "issues/NX-7/unlink", number).status_code == 303
    assert "Trouble called NX-7" not in page(world, "alpha", number)


def test_a_release_that_answers(world):
    number, release = world.open(), world.release("4.9")
    fields = {"release-product": "core", "release-version": "v4.9"}
    assert post(world, "tsc", "releases", number, **fields).status_code == 303
    assert "Answered by" in page(world, "alpha", number)
    assert post(world, "tsc", f"releases/{release.id}/unlink", number).status_code == 303
    assert "Answered by" not in page(world, "alpha", number)


LINKS_TO_NOTHING = [
    ("issues", {"issue-issue": "NX-404"}, "no issue NX-404"),
    ("issues", {"issue-issue": "\x00"}, "U+0000"),
    ("issues", {"issue-issue": ""}, "Something has to be written"),
    ("releases", {"release-product": "core", "release-version": "9.9"}, "no release 9.9"),
    ("releases", {"release-product": "core", "release-version": "..."}, "no release ..."),
    ("releases", {"release-product": "none", "release-version": "4.9"}, "no release 4.9"),
    ("releases", {"release-product": "", "release-version": "4.9"}, "Something has to be written"),
]


def test_links_to_nothing(world):
    number = world.open()
    for address, fields, sentence in LINKS_TO_NOTHING:
        answer = post(world, "tsc", address, number, **fields)
        assert answer.status_code == 422
        assert sentence in answer.text


def test_what_the_customer_may_not_know_is_not_on_its_page(world):
    number = world.open()
    draft = world.release("6.6.6", state=ReleaseState.DRAFT)
    hidden, planned = world.issue("NX-666", is_public=False), world.issue("NX-7", draft)
    world.link(number, issue=hidden, release=draft)
    world.link(number, issue=planned)
    text = page(world, "alpha", number)
    for word in ("6.6.6", "NX-666"):
        assert word not in text
        assert word in page(world, "tsc", number)
    assert "No release fixes it yet" in text


def test_products_in_the_form_are_those_the_customer_may_know_of(world):
    offered = {who: world.of(who).get("/tickets/new").text for who in ("alpha", "beta", "tsc")}
    assert [who for who, text in offered.items() if "Secret Switch" in text] == ["tsc"]
    world.contract(world.secret)
    assert "Secret Switch" in world.of("alpha").get("/tickets/new").text
    assert "Secret Switch" in world.of("alpha").get("/tickets").text
    assert "Secret Switch" not in world.of("beta").get("/tickets").text
    assert "Beta Net" not in offered["alpha"]
    assert "<datalist" not in offered["alpha"]


# the list


def test_the_list_and_its_filters(world):
    a, b = world.open("alpha", title="One", product=world.core), world.open("beta", title="Two")
    for query, numbers in (
        ("", [a, b]), ("?state=new&product=core", [a]), ("?state=closed", []), ("?customer=beta", [b]), ("?q=two", [b]),
        ("?q=T-000001", [a]), ("?state=nonsense&product=nonsense&page=0", [a, b]), ("?page=2", []),
        ("?page=" + "9" * 5000, [a, b]), ("?q=%00", [a, b]), ("?q=%25&customer=%5c", []),
    ):  # fmt: skip
        answer = world.of("tsc").get(f"/tickets{query}")
        assert answer.status_code == 200
        assert [n for n in (a, b) if f"/tickets/{n}" in answer.text] == numbers, query


def test_the_list_and_the_search_ask_as_much_for_fifty_as_for_one(world):
    def asked():
        counts = {}
        for who, query in product(("alpha", "tsc"), ("", "?q=goes+down", "?q=T-000001", "?state=new&product=core")):
            with world.statements() as statements:
                assert world.of(who).get(f"/tickets{query}").status_code == 200
            counts[who, query] = len(statements)
        return counts

    world.open(product=world.core)
    asked()
    one = asked()
    for _ in range(60):
        world.open(product=world.core)
    assert asked() == one
    assert max(one.values()) <= 4, one
    for who in ("alpha", "tsc"):
        assert world.of(who).get("/tickets").text.count("/tickets/T-") == 50
        assert world.of(who).get("/tickets?page=2").text.count("/tickets/T-") == 11


def test_a_long_thread_asks_no_more(world):
    number = world.open(product=world.core)

    def asked():
        counts = {}
        for who in ("alpha", "tsc"):
            with world.statements() as statements:
                page(world, who, number)
            counts[who] = len(statements)
        return counts

    asked()
    one = asked()
    for _ in range(20):
        world.answer(number)
    for _ in range(10):
        world.open(product=world.core)
    assert asked() == one
    assert one["alpha"] <= 14, one
    assert one["tsc"] <= 16, one  # the warnings and calls too


def test_a_call_has_half_an_hour(world):
    opened(world, "tsc", customer="ALPHA", channel="telephone")
    assert "12:30" in page(world, "tsc", "T-000001")
    world.portal.clock.advance(minutes=5)
    world.answer("T-000001")
    assert "12:05" in page(world, "tsc", "T-000001")


def test_a_page_in_russian(world):
    number = world.open()
    browser = world.of("alpha")
    browser.post("/language/ru", data={"csrf_token": browser.get_token(f"/tickets/{number}")})
    text = page(world, "alpha", number)
    assert "Обращения" in text
    assert "Ответить" in text or "Ответ" in text


def test_state_changes_by_two_hands(world):
    """Support resolves while the customer reads: the customer's old page may still close it."""
    number = world.open()
    world.answer(number)
    with world.begin() as session:
        service.change_state(session, world.ticket(session, number), Step.RESOLVE, by=world.actors["tsc"], at=START)
    assert post(world, "alpha", "state", number, step="close").status_code == 303
    assert post(world, "alpha", "state", number, step="close").status_code == 409
