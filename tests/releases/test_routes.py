"""Pages of releases, walked as their people walk them."""

import re
from uuid import UUID

import pytest

from portal.config import LANGUAGES
from portal.releases import service
from portal.releases.models import IssueRelation, Product, Release, ReleaseState, Severity, Train
from tests.factories import (
    make_artifact,
    make_organisation,
    make_product,
    make_published,
    make_release,
)
from tests.portals import START


@pytest.fixture
def publisher(portal, vendor):
    return portal.signed_in(vendor.publisher.email)


@pytest.fixture
def approver(portal, vendor):
    return portal.signed_in(vendor.approver.email)


@pytest.fixture
def administrator(portal, vendor):
    return portal.signed_in(vendor.administrator.email)


def state_of(portal, release_id):
    with portal.sessions() as session:
        return session.get_one(Release, release_id).state


def test_from_a_product_to_a_withdrawal_by_pages_alone(portal, vendor, publisher, approver, administrator):
    made = administrator.submit(
        "/releases/products/new",
        code="edge-router",
        name="Edge router",
        category="firmware",
        scheme="natural",
        family="Routers",
        description="",
        is_listed="y",
    )
    assert made.headers["Location"] == "/releases/products/edge-router"
    assert (
        administrator.submit(
            "/releases/products/edge-router/trains/new",
            name="15.1",
            general_availability="2026-01-01",
            end_of_sale="2027-01-01",
        ).status_code
        == 303
    )
    rule = administrator.submit("/releases/products/edge-router/export-rules", country="kp", end_use="", clause="§ 7")
    assert rule.status_code == 303
    page = administrator.get("/releases/products/edge-router").text
    assert all(words in page for words in ("15.1", "2027-01-01", "KP", "§ 7", "Routers"))

    with portal.sessions() as session:
        train = session.query(Train).one()
    made = publisher.submit(
        "/releases/new?product=edge-router", version="15.1R7-S9", level="patch", train=str(train.id)
    )
    assert made.status_code == 303, made.text
    address = made.headers["Location"]
    release_id = address.rpartition("/")[2]
    page = publisher.get(address).text
    for code in ("no-artifacts", "no-notes", "no-rollback-instructions", "no-fixed-issue"):
        assert code in page

    token = {"X-CSRFToken": publisher.get_token("/account")}
    assert publisher.put(f"/api/v1{address}/artifacts/image.bin", data=b"bytes", headers=token).status_code == 201
    assert "artifact-not-read-back" in publisher.get(address).text
    portal.work()
    for language in LANGUAGES:
        saved = publisher.submit(
            f"{address}/notes/{language}", summary="**Bold** news", rollback="Go back", save="Save"
        )
        assert saved.status_code == 303
    assert "<strong>Bold</strong>" in publisher.get(f"{address}?notes=ru").text
    with portal.sessions() as session:
        product = session.query(Product).one()
    made = publisher.submit(
        "/releases/issues/new",
        product=str(product.id),
        public_id="ER-1",
        severity="high",
        cves="cve-2026-12345",
        is_public="y",
        title_en="It stops",
        title_ru="Останавливается",
    )
    assert made.headers["Location"] == "/releases/issues/ER-1"
    assert "CVE-2026-12345" in publisher.get("/releases/issues/ER-1").text
    assert publisher.submit(f"{address}/issues", page=address, issue="ER-1", relation="fixed").status_code == 303

    assert publisher.submit(f"{address}/submit", page=address).status_code == 303
    assert publisher.submit(f"{address}/approve", page=address).status_code == 403
    assert approver.submit(f"{address}/approve", page=address).status_code == 303
    assert publisher.submit(f"{address}/publish", page=address).status_code == 303
    page = publisher.get(address).text
    assert "The key is held by the portal." in page
    assert re.search(r"SHA256SUMS</summary><pre>[0-9a-f]{64}  image.bin", page)
    refused = publisher.submit(f"{address}/publish", page=address)
    assert refused.status_code == 409
    assert "already-published" in refused.text

    assert publisher.submit(f"{address}/recommend", reason="Stable").status_code == 303
    assert "recommended" in publisher.get("/releases/products/edge-router").text
    assert (
        publisher.submit(f"{address}/notes/en", summary="Better words", rollback="Go back", save="Save").status_code
        == 422
    )
    corrected = publisher.submit(
        f"{address}/notes/en", summary="Better words", rollback="Go back", reason="A word was wrong", save="Save"
    )
    assert corrected.status_code == 303
    assert "Revision 2" in publisher.get(address).text
    assert "news" in publisher.get(f"{address}/notes/revisions/1").text
    assert publisher.submit(f"{address}/withdraw", reason="It burns", replacement="").status_code == 303
    assert "It burns" in publisher.get(address).text
    assert state_of(portal, UUID(release_id)) is ReleaseState.WITHDRAWN


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_drawn_in_both_languages(portal, vendor, publisher, administrator, language):
    with portal.sessions.begin() as session:
        product = make_product(session, family="Routers")
        train = service.save_train(session, product, service.TrainFacts("1"), by=vendor.by, at=START)
        old = make_published(portal.resources, session, make_release(session, product, "1.0", train=train))
        draft = make_release(session, product, "2.0", train=train, lowest_from_version="1.0")
        make_artifact(session, portal.store, draft)
        words = {"en": service.IssueWords("Stops", "It `stops`", "Wait")}
        issue = service.create_issue(
            session, product, service.IssueFacts("X-1", Severity.HIGH, texts=words), by=vendor.by, at=START
        )
        service.link_issue(session, old, issue, IssueRelation.AFFECTED, by=vendor.by, at=START)
        customer = make_organisation(session)
        pilots = service.Audience(named=((customer.id, START),))
        service.set_audience(session, draft, pilots, by=vendor.by, at=START)
    for browser in (publisher, administrator):
        assert browser.submit(f"/language/{language}", page="/account").status_code == 303
    code, key_id = product.code, portal.resources.keys.active().key_id
    pages = [
        "/releases",
        "/releases?state=draft",
        f"/releases?product={code}",
        "/releases/new",
        f"/releases/new?product={code}",
        "/releases/products",
        f"/releases/products/{code}",
        "/releases/issues",
        "/releases/issues/new",
        "/releases/issues/X-1",
        "/releases/issues/X-1/edit",
        "/keys",
        f"/keys/{key_id}.pem",
        f"/releases/{old.id}",
        f"/releases/{old.id}/withdraw",
        f"/releases/{old.id}/recommend",
        f"/releases/{old.id}/notes/revisions/1",
        f"/releases/{draft.id}",
        f"/releases/{draft.id}/edit",
        f"/releases/{draft.id}/notes/ru",
        f"/releases/{draft.id}/audience",
        f"/releases/{draft.id}/return",
    ]
    for page in pages:
        assert publisher.get(page).status_code == 200, page
    for page in (
        "/releases/products/new",
        f"/releases/products/{code}/edit",
        f"/releases/products/{code}/trains/new",
        f"/releases/products/{code}/trains/{train.id}",
        f"/releases/products/{code}/export-rules",
    ):
        assert administrator.get(page).status_code == 200, page
