"""Releases for programs: strict JSON in, problem details out."""

from uuid import UUID

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.releases import service
from tests.factories import make_artifact, make_notes, make_product, make_published, make_release
from tests.portals import START


@pytest.fixture
def ask(portal, vendor):
    """Ask the API as one of the vendor's people, with the CSRF header that their browser sends."""

    def as_person(person, method, path, **more):
        browser = portal.signed_in(person.email)
        headers = {"X-CSRFToken": browser.get_token("/account")}
        return browser.open(f"/api/v1{path}", method=method, headers=headers, **more)

    return as_person


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", (400, "bad-json", None)),
        (b"[]", (400, "bad-json", None)),
        (b"\xff", (400, "bad-json", None)),
        (b"[" * 100_000, (400, "bad-json", None)),
        (b'{"version": "1", "version": "2"}', (400, "bad-json", None)),
        (b"{}", (422, "bad-field", "product")),
        (b'{"product": 7}', (422, "bad-field", "product")),
        (b'{"product": "router", "version": "1.0"}', (422, "bad-field", "level")),
        (b'{"product": "router", "version": "1.0", "level": "huge"}', (422, "bad-field", "level")),
        (
            b'{"product": "router", "version": "1.0", "level": "major", "is_required": 1}',
            (422, "bad-field", "is_required"),
        ),
        (
            b'{"product": "router", "version": "1.0", "level": "major", "downtime_minutes": true}',
            (422, "bad-field", "downtime_minutes"),
        ),
        (
            b'{"product": "router", "version": "1.0", "level": "major", "embargo_until": "2026-01-01T00:00"}',
            (422, "bad-field", "embargo_until"),
        ),
        (b'{"product": "router", "version": "1.0", "level": "major", "colour": "red"}', (422, "bad-field", "colour")),
        (b'{"product": "router", "version": "1.0", "level": "major", "train": "7"}', (422, "wrong-train", None)),
        (b'{"product": "router", "version": "1 0", "level": "major"}', (422, "malformed-version", None)),
        (b'{"product": "toaster", "version": "1.0", "level": "major"}', (404, "not-found", None)),
    ],
)
def test_what_a_new_release_can_not_be(portal, vendor, ask, body, refusal):
    with portal.sessions.begin() as session:
        make_product(session, code="router")
    answer = ask(vendor.publisher, "POST", "/releases", data=body)
    assert (answer.status_code, answer.json["code"], answer.json["facts"].get("field")) == refusal
    assert "%(" not in answer.json["detail"]
    assert answer.content_type == "application/problem+json"


def test_from_draft_to_withdrawal(portal, vendor, ask):
    with portal.sessions.begin() as session:
        product = make_product(session, code="router")
        service.save_train(session, product, service.TrainFacts("1"), by=vendor.by, at=START)
        newer = make_published(portal.resources, session, make_release(session, product, "0.9"))
    new = {
        "product": "router",
        "version": "1.0",
        "level": "major",
        "train": "1",
        "embargo_until": "2026-03-01T00:00:00Z",
    }
    made = ask(vendor.publisher, "POST", "/releases", json=new)
    assert (made.status_code, made.json["state"], made.json["train"]) == (201, "draft", "1")
    at = f"/releases/{made.json['id']}"
    assert ask(vendor.publisher, "PUT", f"{at}/artifacts/a.bin?role=sbom", data=b"x").json["role"] == "sbom"
    assert (
        ask(vendor.publisher, "PUT", f"{at}/artifacts/b.bin?role=nonsense", data=b"x").json["facts"]["field"] == "role"
    )
    notes = {language: {"summary": "x", "rollback": "y"} for language in ("en", "ru")}
    assert ask(vendor.publisher, "PUT", f"{at}/notes", json=notes).json["number"] == 1
    assert ask(vendor.publisher, "PUT", f"{at}/notes", json={"en": "x"}).json["code"] == "bad-field"
    early = ask(vendor.publisher, "POST", f"{at}/submit")
    assert (early.status_code, early.json["facts"]["problems"]) == (409, "artifact-not-read-back")
    portal.work()
    assert ask(vendor.publisher, "POST", f"{at}/submit").json["state"] == "in-review"
    assert ask(vendor.publisher, "POST", f"{at}/return", json={"reason": "x"}).json["state"] == "draft"
    assert ask(vendor.publisher, "POST", f"{at}/submit").json["state"] == "in-review"
    assert ask(vendor.publisher, "POST", f"{at}/approve").status_code == 403
    assert ask(vendor.approver, "POST", f"{at}/approve").json["state"] == "approved"
    published = ask(vendor.publisher, "POST", f"{at}/publish").json
    assert (published["state"], published["counter"], published["problems"]) == ("published", 2, [])
    assert published["key_id"] == portal.resources.keys.active().key_id
    assert ask(vendor.publisher, "POST", f"{at}/publish").json["code"] == "already-published"
    listed = ask(vendor.publisher, "GET", "/products/router/releases").json["releases"]
    assert [one["version"] for one in listed] == ["1.0", "0.9"]
    assert ask(vendor.publisher, "POST", f"{at}/withdraw", json={"reason": "x", "replacement": "7"}).json["code"] == (
        "bad-replacement"
    )
    withdrawn = ask(vendor.publisher, "POST", f"{at}/withdraw", json={"reason": "It burns", "replacement": "0.9"})
    assert (withdrawn.json["state"], withdrawn.json["withdrawn_because"]) == ("withdrawn", "It burns")
    with portal.sessions() as session:
        assert session.get_one(type(newer), UUID(made.json["id"])).replacement_id == newer.id


def test_the_second_person_is_refused_by_code_and_the_refusal_is_recorded(portal, vendor, ask):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0")
        make_artifact(session, portal.store, release).uploaded_by = vendor.approver.id
        make_notes(session, release)
        service.submit(session, release, languages=("en",), by=vendor.by, at=START)
    answer = ask(vendor.approver, "POST", f"/releases/{release.id}/approve")
    assert (answer.status_code, answer.json["code"]) == (403, "same-person")
    with portal.sessions() as session:
        assert session.scalars(select(AuditEvent).where(AuditEvent.tag == "request.refused")).one().facts["code"] == (
            "same-person"
        )


def test_what_anybody_may_ask(portal):
    browser = portal.browser()
    key = portal.resources.keys.active()
    assert browser.get("/api/v1/keys").json["keys"][0]["key_id"] == key.key_id
    assert "address" not in browser.get("/api/v1/keys").json["keys"][0]
    page = browser.get("/keys")
    assert key.fingerprint in page.text
    assert "held by this portal" in page.text
    assert browser.get(f"/keys/{key.key_id}.pem").text == key.public.pem
    assert browser.get("/keys/0000.pem").status_code == 404
    for path in ("/products", "/products/x/releases"):
        assert browser.get(f"/api/v1{path}").status_code == 401
