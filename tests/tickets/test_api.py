import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.accounts import tokens
from portal.accounts.models import Person
from portal.permissions import Scope
from portal.releases.models import ReleaseState
from portal.tickets.models import Ticket
from tests.portals import START

NEW = {"title": "Link flaps", "body": "Every night.", "kind": "incident", "severity": "major", "product": "core"}


@pytest.fixture
def call(world):
    """Call the API with a token of this person's."""
    texts = {}

    def token(who, *scopes):
        if (who, scopes) not in texts:
            with world.begin() as session:
                person = session.get_one(Person, world.people[who].id)
                session.refresh(person, ["role_rows"])
                new = tokens.NewToken("test", frozenset(scopes), timedelta(days=1))
                texts[who, scopes] = tokens.create_token(session, person, new, by=world.actors[who], at=START)[1]
        return texts[who, scopes]

    def send(who, method, path, payload=None, *, scopes=(Scope.TICKETS,), raw=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {token(who, *scopes)}"
        data = raw if raw is not None else json.dumps(payload) if payload is not None else None
        return world.portal.browser().open(f"/api/v1/tickets{path}", method=method, data=data, headers=headers)

    return send


def test_a_ticket_over_the_api(world, call):
    answer = call("alpha", "POST", "", NEW)
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/v1/tickets/T-000001")
    assert answer.json["state"] == "new"
    assert answer.json["customer"] == "ALPHA"
    assert answer.json["channel"] == "api"
    world.answer("T-000001")
    answer = call("alpha", "POST", "/T-000001/messages", {"body": "Thanks"})
    assert answer.status_code == 201
    assert [(e["place"], e["kind"], e["by_support"]) for e in answer.json["events"]] == [
        (1, "opened", False), (2, "message", True), (3, "state", True), (4, "message", False),
    ]  # fmt: skip
    shown = call("alpha", "GET", "/T-000001").json
    assert shown == answer.json
    assert shown["steps"] == ["close"]
    listed = call("alpha", "GET", "?state=open&product=core&q=flaps").json
    assert [row["number"] for row in listed["tickets"]] == ["T-000001"]
    assert (listed["page"], listed["has_next"]) == (1, False)
    assert call("alpha", "GET", "?state=closed").json["tickets"] == []


def test_whose_tickets(world, call):
    number = world.open("beta", title="Beta's")
    assert call("alpha", "GET", "").json["tickets"] == []
    for method, path, payload in (("GET", "", None), ("POST", "/messages", {"body": "Hello"})):
        answer = call("alpha", method, f"/{number}{path}", payload)
        assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert call("tsc", "GET", f"/{number}").json["title"] == "Beta's"


def test_a_repeated_request_has_one_effect(world, call):
    first, second = (call("alpha", "POST", "", NEW, Idempotency_Key="k-1") for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json == second.json
    for _ in range(2):
        answer = call("alpha", "POST", "/1/messages", {"body": "More"}, Idempotency_Key="k-2")
        assert len(answer.json["events"]) == 2
    other = call("alpha", "POST", "", {**NEW, "body": "Another"}, Idempotency_Key="k-1")
    assert (other.status_code, other.json["code"]) == (422, "submission-reused")
    assert call("alpha", "POST", "", NEW).json["number"] == "T-000002"
    assert call("beta", "POST", "", NEW, Idempotency_Key="k-1").json["number"] == "T-000003"


def test_a_bad_idempotency_key(world, call):
    for key in ("x" * 81, "a\tb", "é"):
        answer = call("alpha", "POST", "", NEW, Idempotency_Key=key)
        assert (answer.status_code, answer.json["code"]) == (422, "bad-submission")


REFUSED = [
    ("", "bad-json"),
    ("[" * 1_000_000, "bad-json"),
    ('{"a":' * 100_000, "bad-json"),
    ("[]", "bad-json"),
    ("null", "bad-json"),
    ("{", "bad-json"),
    ("\xff", "bad-json"),
    ('{"title": "x"}', "bad-json"),
    ('{"title": "x", "body": null}', "bad-json"),
    ('{"title": ["x"], "body": "y"}', "bad-json"),
    ('{"title": "x", "body": "y", "kind": "prank"}', "bad-json"),
    ('{"title": "x", "body": "y", "number": 1}', "bad-json"),
    ('{"title": "x", "body": "y", "\\u0000\\ud800": 1}', "bad-json"),
    ('{"title": "x", "body": "y\\u0000"}', "text-unkeepable"),
    ('{"title": "x", "body": "y\\ud800"}', "text-unkeepable"),
    ('{"title": "", "body": "y"}', "text-missing"),
    (json.dumps({"title": "x", "body": "[" * 1_000_000}), "text-too-long"),
    ('{"title": "x", "body": "y", "product": "secret"}', "unknown-product"),
    ('{"title": "x", "body": "y", "product": "none"}', "unknown-product"),
    ('{"title": "x", "body": "y", "product": "\\u0000\\ud800"}', "unknown-product"),
    ('{"title": "x", "body": "y", "customer": "BETA"}', "unknown-customer"),
    ('{"title": "x", "body": "y", "customer": "\\ud800"}', "unknown-customer"),
]


def test_what_is_refused(world, call):
    for raw, code in REFUSED:
        answer = call("alpha", "POST", "", raw=raw.encode("utf-8", "surrogatepass"))
        assert (answer.status_code, answer.json["code"]) == (422, code)
        assert answer.content_type == "application/problem+json"
        with world.portal.sessions() as session:
            assert session.scalar(select(func.count()).select_from(Ticket)) == 0


def test_an_unlisted_product_looks_like_none(world, call):
    hidden, none = (call("alpha", "POST", "", {**NEW, "product": code}).json for code in ("secret", "terces"))
    assert hidden["detail"].replace("secret", "terces") == none["detail"]
    assert {**hidden, "detail": "", "facts": ""} == {**none, "detail": "", "facts": ""}
    assert call("alpha", "GET", "?product=secret").json == call("alpha", "GET", "?product=terces").json


def test_staff_say_for_whom(world, call):
    answer = call("tsc", "POST", "", NEW)
    assert (answer.status_code, answer.json["code"]) == (422, "customer-missing")
    answer = call("tsc", "POST", "", {**NEW, "customer": "beta"})
    assert (answer.status_code, answer.json["customer"]) == (201, "BETA")
    answer = call("tsc", "POST", "", {**NEW, "customer": "\ud800\x00"})
    assert answer.json["code"] == "unknown-customer"


def test_scopes(world, call):
    assert call("alpha", "GET", "", scopes=(Scope.CATALOGUE_READ,)).status_code == 403
    assert call("alpha", "POST", "", NEW, scopes=(Scope.CATALOGUE_READ,)).status_code == 403
    assert world.portal.browser().get("/api/v1/tickets").status_code == 401


def test_no_cookie_without_the_second_proof(world):
    answer = world.of("alpha").post("/api/v1/tickets", json=NEW)
    assert answer.status_code == 400


def test_what_the_customer_may_not_know_is_not_told_to_staff_programs_either(world, call):
    number = world.open()
    draft, shown = world.release("6.6.6", state=ReleaseState.DRAFT), world.release("4.9")
    world.link(number, issue=world.issue("NX-666", is_public=False), release=draft)
    world.link(number, issue=world.issue("NX-7", shown))
    for who in ("alpha", "tsc"):
        answer = call(who, "GET", f"/{number}")
        assert "666" not in answer.text
        assert "6.6.6" not in answer.text
        assert [event["kind"] for event in answer.json["events"]] == ["opened"]
        (fix,) = answer.json["fixes"]
        assert fix["issue"] == "NX-7"
        assert fix["fixed_in"]["version"] == "4.9"
        assert fix["fixed_in"]["decision"]["code"] == "no-contract"


def test_a_closed_ticket(world, call):
    number = world.open()
    with world.begin() as session:
        world.ticket(session, number).state = "closed"
    answer = call("alpha", "POST", f"/{number}/messages", {"body": "But"})
    assert (answer.status_code, answer.json["code"]) == (409, "ticket-closed")
