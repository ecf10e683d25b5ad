"""A publisher uploads by page: several files in turn, digests shown, refusals in words with their code."""

import hashlib
import os

import pytest

from portal.releases import service
from portal.releases.models import IssueRelation, Level, Severity
from tests.factories import make_notes, make_product, make_release
from tests.journeys.conftest import DESKTOP, PHONE, WAYS
from tests.portals import START
from tests.releases.conftest import make_vendor

pytestmark = pytest.mark.browser
CONTENT = os.urandom(300_000)


@pytest.fixture
def desk(running):
    """A vendor, and a draft of its own with most of what a draft can have."""
    portal = running.portal
    vendor = make_vendor(portal)
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session, name="Edge router"), "15.1R7-S9", level=Level.PATCH)
        words = {"en": service.IssueWords("It stops under load"), "ru": service.IssueWords("Останавливается")}
        facts = service.IssueFacts("ER-1042", Severity.HIGH, texts=words, cves=("CVE-2026-12345",), is_public=True)
        issue = service.create_issue(session, release.product, facts, by=vendor.by, at=START)
        service.link_issue(session, release, issue, IssueRelation.AFFECTED, by=vendor.by, at=START)
        make_notes(session, release)
    return vendor, release


def test_files_go_one_after_another_and_their_digests_come_back(walker, desk, tmp_path):
    vendor, release = desk
    for name, content in (("образ.bin", CONTENT), ("tool.bin", b"tool"), ("SHA256SUMS", b"mine")):
        (tmp_path / name).write_bytes(content)
    browser = walker(vendor.publisher.email)
    browser.go(f"/releases/{release.id}")
    page = browser.page
    page.set_input_files("#upload input[type=file]", [tmp_path / n for n in ("образ.bin", "tool.bin", "SHA256SUMS")])
    page.click("#upload button:not([name])")
    page.get_by_text("Show the files as the portal has them").wait_for()
    said = page.locator("#upload [data-list]").inner_text()
    assert hashlib.sha256(CONTENT).hexdigest() in said
    assert hashlib.sha256(b"tool").hexdigest() in said
    assert page.locator("#upload [data-code]").get_attribute("data-code") == "bad-file-name"
    browser.complaints.clear()  # the browser itself notes the refusal
    page.get_by_text("Show the files as the portal has them").click()
    page.get_by_text("still being read back").first.wait_for()
    assert page.locator(".file strong").all_inner_texts() == ["tool.bin", "образ.bin"]


def choose(walker, desk, path):
    """Send one file from the draft's page; the browser, and the addresses of the PUTs it sent."""
    vendor, release = desk
    browser = walker(vendor.publisher.email)
    browser.go(f"/releases/{release.id}")
    sent = []
    browser.page.on("request", lambda request: request.method == "PUT" and sent.append(request.url))
    browser.page.set_input_files("#upload input[type=file]", path)
    return browser, sent


def test_a_file_over_the_limit_is_refused_before_a_byte_leaves(walker, running, desk, tmp_path):
    object.__setattr__(running.portal.resources.config, "max_artifact_bytes", 1000)
    (tmp_path / "a.bin").write_bytes(bytes(1001))
    browser, sent = choose(walker, desk, tmp_path / "a.bin")
    assert "1000 bytes" in browser.page.locator("#upload").inner_text()
    browser.page.click("#upload button:not([name])")
    browser.page.locator("#upload [data-code=too-large]").wait_for()
    assert sent == []


def test_a_lost_connection_is_told_in_words(walker, desk, tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    browser, sent = choose(walker, desk, tmp_path / "a.bin")
    browser.page.route("**/api/v1/**", lambda route: route.abort())
    browser.page.click("#upload button:not([name])")
    browser.page.locator("#upload [data-code=upload-cut]").wait_for()
    assert "nothing was kept" in browser.page.locator("#upload [data-list]").inner_text()
    assert len(sent) == 1


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_vendors_pages_are_sound(walker, desk, language):
    """On a phone and on a desk; axe sees each page in both languages and both widths, though not in all four pairs."""
    vendor, release = desk
    browser = walker(vendor.publisher.email)
    code = release.product.code
    desk_page, issue_page = f"/releases/{release.id}", "/releases/issues/ER-1042"
    pages = [desk_page, *(f"{desk_page}/{page}" for page in ("notes/ru", "edit", "audience"))]
    pages += [issue_page, f"{issue_page}/edit", "/releases/issues", "/releases/issues/new"]
    pages += ["/releases", "/releases/products", f"/releases/products/{code}", "/keys"]
    for viewport in (PHONE, DESKTOP):
        browser.turn(language, viewport)
        for path in pages:
            assert browser.go(path) == 200
            faults = browser.faults() if (language, viewport) in WAYS else browser.misfits()
            assert not faults, "\n".join(faults)
            if os.environ.get("PORTAL_TEST_PICTURES"):
                name = f"{path.strip('/').replace('/', '-')}-{language}-{viewport['width']}.png"
                browser.page.screenshot(path=f"{os.environ['PORTAL_TEST_PICTURES']}/{name}", full_page=True)
