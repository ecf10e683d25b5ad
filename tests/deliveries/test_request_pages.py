"""The pages and the API of requests, board, address book and policy; letters; who sees what."""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, select

from portal.audit.models import AuditEvent
from portal.authority.models import PowerOfAttorney
from portal.deliveries import jobs, requests, steps
from portal.deliveries.models import Delivery, DeliveryAddress, DeliveryPolicy
from portal.deliveries.states import Channel, DeliveryState
from portal.entitlements.models import Contract
from tests.deliveries.test_requests import Desk, dispatched
from tests.factories import make_recipient

S = DeliveryState


@pytest.fixture
def desk(world):
    return Desk(world)


def ask(desk, who="alpha", **fields):
    """Fill in and send the form of the request page."""
    release = desk.world.release_id
    given = {"release": str(release), "channel": "email", "recipient": str(desk.recipient.id), "address": "",
             "file": [str(desk.world.artifact_id)], "wanted_by": "", "note": "", "submission": uuid4().hex,
             **fields}  # fmt: skip
    browser = desk.world.of(who)
    given["csrf_token"] = browser.get_token("/account")
    return browser.post("/deliveries/new", data=given)


def test_from_the_release_page_to_the_delivery_in_one_form(desk):
    page = desk.world.of("alpha").get(f"/products/{desk.world.product.code}/4.10").text
    assert f"/deliveries/new?release={desk.world.release_id}" in page
    form = desk.world.of("alpha").get(f"/deliveries/new?release={desk.world.release_id}").text
    for words in ("Rita", "may receive", "Plant", "прошивка 4.10.bin", "second.bin", "17-ALPHA"):
        assert words in form
    answer = ask(desk, channel="courier", address=str(desk.address.id), note="Gate 2", wanted_by="2026-03-20")
    assert answer.status_code == 303
    page = desk.world.of("alpha").get(answer.headers["Location"]).text
    for words in ("D-000001", "What happens next", "checks contract and power of attorney", "Gate 2", "Main street 1",
                  "2026-03-20", "No medium has been written and read back.", "Delivery requested"):  # fmt: skip
        assert words in page
    assert "second.bin" not in page
    assert "Approve" not in page


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(desk):
    for fields, words in (
        ({"channel": "courier"}, "A courier needs an address"),
        ({"wanted_by": "2026-03-01", "note": "typed"}, "has passed"),
        ({"note": "x" * 2001}, "at most 2000"),
        ({"recipient": ""}, "Choose who receives it."),
        ({"file": []}, "at least one file"),
    ):
        answer = ask(desk, **fields)
        assert answer.status_code == 422
        assert words in answer.text
    assert 'value="2026-03-01"' in ask(desk, wanted_by="2026-03-01").text
    for fields in ({"recipient": str(uuid4())}, {"recipient": "x"}, {"channel": "courier", "address": str(uuid4())},
                   {"release": str(uuid4())}):  # fmt: skip
        assert ask(desk, **fields).status_code == 404
    assert desk.world.deliveries() == []


def test_a_double_click_is_one_request(desk):
    first, second = ask(desk, submission="same"), ask(desk, submission="same")
    assert first.headers["Location"] == second.headers["Location"]
    assert len(desk.world.deliveries()) == 1
    again = ask(desk, submission="same", note="other")
    assert again.status_code == 422
    assert "was sent before with other content" in again.text
    assert 'value="same"' not in again.text


def test_a_refusal_names_the_reason_and_is_recorded(desk):
    with desk.portal.sessions.begin() as session:
        session.scalar(select(PowerOfAttorney)).revoke("left", None, desk.at)
    form = desk.world.of("alpha").get(f"/deliveries/new?release={desk.world.release_id}").text
    assert "may not receive" in form
    answer = ask(desk)
    assert answer.status_code == 403
    assert "authority-missing" in answer.text
    desk.world.change((Contract, desk.world.contract_id), ends_at=desk.at - timedelta(days=60))
    answer = ask(desk)
    assert answer.status_code == 403
    assert "contract-expired" in answer.text
    with desk.portal.sessions() as session:
        assert session.scalars(select(AuditEvent.tag)).all().count("request.refused") == 2
    assert desk.world.deliveries() == []


def test_staff_ask_on_behalf_of_a_customer(desk):
    dispatcher = desk.world.of("dispatcher")
    assert 'name="customer"' in dispatcher.get("/deliveries/new").text
    assert "nobody" in dispatcher.get("/deliveries/new?customer=nobody").text
    assert "Router R1 4.10" in dispatcher.get("/deliveries/new?customer=alpha").text
    assert ask(desk, who="dispatcher", customer="ALPHA").status_code == 303
    [delivery] = desk.world.deliveries()
    assert delivery.organisation_id == desk.world.alpha.id
    refused = dispatcher.submit(f"/deliveries/{delivery.id}/approve", page="/account")
    assert refused.status_code == 403
    assert "own-request" in refused.text
    other = desk.world.of("other dispatcher")
    assert other.submit(f"/deliveries/{delivery.id}/approve", page=f"/deliveries/{delivery.id}").status_code == 303
    assert desk.row(delivery).state is S.APPROVED


def test_buttons_of_a_delivery(desk):
    [delivery] = desk.request()
    page = f"/deliveries/{delivery.id}"
    dispatcher, alpha = desk.world.of("dispatcher"), desk.world.of("alpha")
    assert "/approve" in dispatcher.get(page).text
    dispatcher.submit(f"{page}/stop", page=page, reason="The seal")
    assert desk.row(delivery).stopped_at is not None
    assert "/approve" not in dispatcher.get(page).text
    dispatcher.submit(f"{page}/resume", page=page, reason="Sealed anew")
    assert desk.row(delivery).stopped_at is None
    assert "/fail" not in dispatcher.get(page).text
    [failing] = desk.request()
    dispatched(desk, failing)
    assert "/fail" in dispatcher.get(f"/deliveries/{failing.id}").text
    dispatcher.submit(f"/deliveries/{failing.id}/fail", page="/account", reason="The mail server refuses")
    assert desk.row(failing).state is S.FAILED
    with desk.portal.sessions.begin() as session:
        other = make_recipient(session, desk.world.alpha, name="Otto")
    form = alpha.get(f"{page}/recipient").text
    assert "Otto" in form
    alpha.submit(f"{page}/recipient", page=f"{page}/recipient", recipient=str(other.id), reason="Rita is away")
    shown = alpha.get(page).text
    assert "A correction was noted" in shown
    assert "Otto" in shown
    empty = alpha.submit(f"{page}/cancel", page=page, reason="")
    assert empty.status_code == 422
    assert alpha.submit(f"{page}/cancel", page=page, reason="Not needed").status_code == 303
    assert desk.row(delivery).state is S.CANCELLED
    assert "/cancel" not in alpha.get(page).text


def test_another_customers_things_are_not_there(desk):
    [delivery] = desk.request()
    page, beta = f"/deliveries/{delivery.id}", desk.world.of("beta")
    for address in (page, f"{page}/recipient", f"/api/v1{page}"):
        assert beta.get(address).status_code == 404
    for address in (f"{page}/cancel", f"{page}/recipient", f"/deliveries/addresses/{desk.address.id}/remove"):
        assert beta.submit(address, page="/account", reason="mine").status_code == 404
    for verb in ("approve", "stop", "resume"):
        assert beta.submit(f"{page}/{verb}", page="/account").status_code == 403
    assert desk.row(delivery).state is S.REQUESTED
    assert "D-000001" not in beta.get("/deliveries").text
    assert "D-000001" not in beta.get("/deliveries.csv").text
    assert beta.get("/deliveries/board").status_code == 403
    assert beta.get(f"/deliveries/new?release={desk.world.release_id}").status_code in (200, 404)
    assert "Rita" not in beta.get("/deliveries/new").text


def test_the_board_shows_what_is_overdue_first_and_counts(desk):
    [one], [two], [three] = desk.request(), desk.request(), desk.request()
    desk.approve(three)
    desk.do(steps.stop, three, reason="x")
    desk.world.change((Delivery, two.id), due_at=desk.at - timedelta(days=1))
    page = desk.world.of("other dispatcher").get("/deliveries/board").text
    assert page.index("D-000003") < page.index("D-000002") < page.index("D-000001")
    assert "1 overdue" in page
    text = desk.world.of("dispatcher").get("/deliveries/board?q=d-000002&channel=email").text
    assert "D-000002" in text
    assert "D-000001" not in text
    assert "D-000002" not in desk.world.of("dispatcher").get("/deliveries/board?channel=courier").text
    table = rows(desk.world.of("dispatcher").get("/deliveries/board.csv"))
    assert [row["number"] for row in table] == ["D-000002", "D-000001", "D-000003"]
    assert table[0]["recipient"] == "Rita"
    assert desk.world.of("publisher").get("/deliveries/board").status_code == 200
    desk.do(requests.cancel, one, reason="x")
    assert "D-000001" not in desk.world.of("dispatcher").get("/deliveries/board").text


def test_no_cell_is_a_formula(desk):
    with desk.portal.sessions.begin() as session:
        evil = make_recipient(session, desk.world.alpha, name="=1+1")
    desk.request(recipient=evil)
    table = rows(desk.world.of("alpha").get("/deliveries.csv"))
    assert table[0]["recipient"] == "'=1+1"
    assert "checks contract" in table[0]["next"]


@pytest.mark.parametrize(
    ("who", "address"),
    [("alpha", "/deliveries"), ("alpha", "/deliveries.csv"), ("dispatcher", "/deliveries/board"),
     ("dispatcher", "/deliveries/board.csv"), ("alpha", "/deliveries/new?release={release}"),
     ("alpha", "/deliveries/addresses")],
)  # fmt: skip
def test_a_list_costs_the_same_however_long_it_is(desk, who, address):
    desk.request()
    browser, path = desk.world.of(who), address.format(release=desk.world.release_id)
    browser.get(path)
    few = statements(desk, lambda: browser.get(path))
    for number in range(5):
        with desk.portal.sessions.begin() as session:
            person = make_recipient(session, desk.world.alpha, name=f"Person {number}")
            session.add(DeliveryAddress(organisation_id=desk.world.alpha.id, label=f"Site {number}", lines=["x"],
                                        country="DE", created_at=desk.at))  # fmt: skip
        desk.request(recipient=person)
    assert statements(desk, lambda: browser.get(path)) == few
    assert few <= 24


def test_the_address_book(desk):
    alpha = desk.world.of("alpha")
    good = {"label": "Depot", "text": "Line 1\r\n\r\n Line  2 ", "country": "ru", "phone": "+7 495 1234567"}
    assert alpha.submit("/deliveries/addresses", **good).status_code == 303
    with desk.portal.sessions() as session:
        row = session.scalar(select(DeliveryAddress).where(DeliveryAddress.label == "Depot"))
        assert (row.lines, row.country) == (["Line 1", "Line 2"], "RU")
    for fields, words in (
        ({"text": "\n".join(["x"] * 6)}, "5 lines of 60"),
        ({"text": "x" * 61}, "5 lines of 60"),
        ({"text": "line\n" * 1000}, "5 lines of 60"),
        ({"text": "a\0b"}, "be kept"),
        ({"label": "a\0b"}, "be kept"),
        ({"label": "x" * 101}, "at most 100"),
        ({"text": " "}, "Something has to be written"),
        ({"country": "Germany"}, "two letters"),
        ({"phone": "+49 30\x00"}, "be kept"),
    ):
        answer = alpha.submit("/deliveries/addresses", **{**good, **fields})
        assert answer.status_code == 422, fields
        assert words in answer.text, fields
    joined = alpha.submit("/deliveries/addresses", **{**good, "label": "De\r\npot: evil"})
    assert joined.status_code == 303
    assert "De pot: evil" in alpha.get("/deliveries/addresses").text
    assert alpha.submit(f"/deliveries/addresses/{row.id}/remove", page="/deliveries/addresses").status_code == 303
    alpha.get("/deliveries/addresses")  # says once that it is gone
    assert "Depot" not in alpha.get("/deliveries/addresses").text
    dispatcher = desk.world.of("dispatcher")
    for_alpha = "/deliveries/addresses?customer=ALPHA"
    assert dispatcher.submit(for_alpha, **good, customer="ALPHA").status_code == 303
    assert "Depot" in alpha.get("/deliveries/addresses").text
    with desk.portal.sessions() as session:
        tags = session.scalars(select(AuditEvent.tag)).all()
        assert (tags.count("address.save"), tags.count("address.remove")) == (3, 1)


def test_the_managers_rules(desk):
    manager = desk.world.of("alpha-2")
    assert manager.submit("/deliveries/policy", may_attach="y").status_code == 303
    assert manager.submit("/deliveries/policy", may_attach="y").status_code == 303
    with desk.portal.sessions() as session:
        policy = session.get_one(DeliveryPolicy, desk.world.alpha.id)
        assert (policy.may_attach, policy.wants_witness) == (True, False)
        assert session.scalars(select(AuditEvent.tag)).all().count("delivery.policy") == 1
    assert "checked" in manager.get("/deliveries/policy").text
    assert desk.world.of("alpha").get("/deliveries/policy").status_code == 403
    assert desk.world.of("dispatcher").get("/deliveries/policy").status_code == 403


def body_of(desk, **facts):
    return {
        "releases": [str(desk.world.release_id)],
        "channel": "email",
        "recipient_id": str(desk.recipient.id),
    } | facts


def post(desk, body, who="alpha", **headers):
    browser = desk.world.of(who)
    headers["X-CSRFToken"] = browser.get_token("/account")
    return browser.post("/api/v1/deliveries", json=body, headers=headers)


def test_a_program_asks_for_a_delivery(desk):
    one = {"release_id": str(desk.world.release_id), "files": [str(desk.world.artifact_id)]}
    body = body_of(desk, releases=[one], note="Gate 2", wanted_by="2026-03-20")
    answer = post(desk, body, **{"Idempotency-Key": "k1"})
    assert answer.status_code == 201, answer.text
    [made] = answer.get_json()["deliveries"]
    assert (made["number"], made["state"], made["next"]) == ("D-000001", "requested", "approval")
    assert [file["name"] for file in made["files"]] == ["прошивка 4.10.bin"]
    assert made["events"][0]["kind"] == "requested"
    again = post(desk, body, **{"Idempotency-Key": "k1"})
    assert again.get_json()["deliveries"][0]["id"] == made["id"]
    assert desk.world.of("alpha").get(f"/api/v1/deliveries/{made['id']}").get_json() == made
    assert len(desk.world.of("alpha").get("/api/v1/deliveries?channel=email").get_json()["deliveries"]) == 1
    assert post(desk, body_of(desk), who="beta").status_code == 404
    staff = post(desk, body_of(desk, customer="ALPHA"), who="dispatcher")
    assert staff.status_code == 201


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ({"releases": "x"}, 422, "bad-json"),
        ({"releases": ["x"]}, 422, "bad-json"),
        ({"releases": []}, 422, "nothing-wanted"),
        ({"releases": [{"release_id": "x"}]}, 422, "bad-json"),
        ({"channel": "pigeon"}, 422, "bad-json"),
        ({"channel": "download"}, 422, "channel-not-offered"),
        ({"channel": "courier"}, 422, "address-missing"),
        ({"recipient_id": "x"}, 422, "bad-json"),
        ({"recipient_id": str(uuid4())}, 404, "not-found"),
        ({"wanted_by": "tomorrow"}, 422, "bad-json"),
        ({"note": 5}, 422, "bad-json"),
        ({"customer": "BETA"}, 422, "unknown-customer"),
        ({"colour": "red"}, 422, "bad-json"),
    ],
)
def test_a_senseless_body_is_refused(desk, facts, status, code):
    answer = post(desk, body_of(desk, **facts))
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert desk.world.deliveries() == []


def test_a_digest_alone_is_no_receipt_of_what_came_by_another_channel(desk):
    [delivery] = desk.request()
    dispatched(desk, delivery)
    browser = desk.world.of("alpha")
    for digest in (desk.world.items()[0].sha256, "0" * 64):
        answer = browser.post(
            f"/api/v1/deliveries/{delivery.id}/confirm",
            json={"sha256": digest},
            headers={"X-CSRFToken": browser.get_token("/account")},
        )
        assert (answer.status_code, answer.get_json()["code"]) == (409, "delivery-step-out-of-order")
    assert desk.row(delivery).state is S.DISPATCHED


def test_letters_are_written_once_to_whom_they_concern(desk):
    [delivery] = desk.request(who="alpha")
    assert {(mail.recipient, "Заказана" in mail.subject or "asked for" in mail.subject) for mail in desk.letters()} == {
        (desk.world.people[who].email, True) for who in ("dispatcher", "other dispatcher")
    }
    desk.approve(delivery)
    told = [mail for mail in desk.letters() if ":approved" in mail.key]
    assert {mail.recipient for mail in told} == {desk.world.people["alpha"].email, "rita@alpha.example"}
    to_rita = next(mail for mail in told if mail.recipient == "rita@alpha.example")
    assert "You will receive Router R1 4.10" in to_rita.subject
    assert "/deliveries/" not in to_rita.text
    desk.do(requests.cancel, delivery, reason="Ordered twice")
    told = [mail for mail in desk.letters() if ":cancelled" in mail.key]
    assert {mail.recipient for mail in told} == {desk.world.people["alpha"].email, "rita@alpha.example"}
    assert all("Ordered twice" in mail.text for mail in told)
    count = len(desk.letters())
    for job, facts in ((jobs.tell_approved, {"delivery_id": str(delivery.id)}),
                       (jobs.tell_dispatchers, {"request_id": str(delivery.request_id)})):  # fmt: skip
        job(desk.portal.resources, at=desk.at, **facts)
    assert len(desk.letters()) == count


def test_a_recipient_who_heard_of_nothing_hears_of_no_cancelling(desk):
    [delivery] = desk.request()
    desk.do(requests.cancel, delivery, who="alpha", reason="Not needed")
    assert "rita@alpha.example" not in {mail.recipient for mail in desk.letters()}


def test_who_has_the_next_step_is_reminded_once_for_each_due_date(desk):
    [delivery] = desk.request()
    remind = jobs.remind

    def reminded():
        return [mail.recipient for mail in desk.letters() if ":overdue:" in mail.key]

    remind(desk.portal.resources, at=desk.at)
    assert reminded() == []
    late = desk.row(delivery).due_at + timedelta(hours=1)
    for _ in range(2):
        remind(desk.portal.resources, at=late)
        assert len(reminded()) == 2
    assert [entry.kind.value for entry in desk.events(delivery)] == ["requested", "reminded"]
    desk.at = late
    dispatched(desk, delivery)
    remind(desk.portal.resources, at=desk.row(delivery).due_at)
    assert len(reminded()) == 5
    assert "rita@alpha.example" in reminded()


def test_the_pages_speak_russian(desk):
    [delivery] = desk.request(channel=Channel.HAND_OVER)
    browser = desk.world.of("dispatcher")
    browser.submit("/language/ru", page="/account")
    for address, words in (
        ("/deliveries/board", "Ждут согласования"),
        (f"/deliveries/{delivery.id}", "Что дальше"),
        ("/deliveries", "Что дальше"),
        ("/deliveries/new", "Для какого заказчика?"),
    ):
        assert words in browser.get(address).text


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def statements(desk, action):
    seen = []

    def note(*arguments):
        if arguments[2].startswith("SELECT"):
            seen.append(arguments[2])

    event.listen(desk.portal.resources.engine, "before_cursor_execute", note)
    action()
    event.remove(desk.portal.resources.engine, "before_cursor_execute", note)
    return len(seen)
