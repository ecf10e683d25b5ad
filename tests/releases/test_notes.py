"""Release notes: in place while a draft, dated revisions afterwards."""

import hashlib
from datetime import timedelta

import pytest

from portal.actors import PORTAL_COMMAND
from portal.errors import PortalError
from portal.releases import queries, service
from portal.releases.models import ReleaseState
from portal.releases.notes_file import split_notes
from signing import verify_release
from signing.release import SignedRelease
from tests.factories import make_product, make_published, make_release
from tests.portals import START

LATER = START + timedelta(days=3)


def save(session, release, texts, at=START, **more):
    return service.save_notes(session, release, texts, by=PORTAL_COMMAND, at=at, **more)


def test_a_draft_is_edited_in_place_one_language_at_a_time(portal):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0")
        save(session, release, {"en": {"summary": " One \r\nline ", "rollback": ""}})
        save(session, release, {"ru": {"summary": "Строка"}}, at=LATER)
        revision = save(session, release, {"en": {"summary": "Two", "security": "None"}}, at=LATER)
        assert revision.texts == {"en": {"summary": "Two", "security": "None"}, "ru": {"summary": "Строка"}}
        assert [one.number for one in queries.notes_history(session, release.id)] == [1]


def test_a_correction_after_publication_is_a_dated_revision_and_the_manifest_keeps_its_digest(portal):
    with portal.sessions.begin() as session:
        release = make_published(portal.resources, session, make_release(session, make_product(session), "1.0"))
        published = queries.current_notes(session, release.id)
        with pytest.raises(PortalError) as refusal:
            save(session, release, {"en": {"summary": "Other"}})
        assert refusal.value.code == "reason-missing"
        save(session, release, {"en": {"summary": "Other", "rollback": "x"}}, at=LATER, reason="A wrong word")
        assert save(session, release, {"en": {"summary": "Other", "rollback": "x"}}, reason="Again").number == 2
        history = queries.notes_history(session, release.id)
        assert [(one.number, one.at, one.reason) for one in history] == [(2, LATER, "A wrong word"), (1, START, "")]
        assert history[1].texts["en"]["summary"] == "Better."
        signed = queries.publication(session, release.id)
        document = SignedRelease(signed.sums.encode(), signed.sums_signature, signed.manifest.encode())
        manifest = verify_release(document, portal.resources.keys.ring())
        assert manifest.notes_sha256 == hashlib.sha256(service.notes_bytes(published.texts)).hexdigest()


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"en": {"summary": "[" * 1_000_000}}, "notes-too-long"),
        ({"en": {"summary": "x" * 100_001}}, "notes-too-long"),
        ({"en": {"poetry": "x"}}, "unknown-section"),
        ({"xx": {"summary": "x"}}, "unknown-section"),
        ({"en": {"summary": "a\0b"}}, "bad-text"),
        ({"en": {"summary": "a\ud800b"}}, "bad-text"),
    ],
)
def test_what_notes_can_not_be(portal, texts, code):
    with portal.sessions() as session:
        release = make_release(session, make_product(session), "1.0")
        with pytest.raises(PortalError) as refusal:
            save(session, release, texts)
        assert refusal.value.code == code
        assert len(str(refusal.value)) < 300
        assert release.state is ReleaseState.DRAFT


def test_the_longest_notes_fit(portal):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0")
        kept = save(session, release, {"ru": {"summary": "ж" * 100_000}})
        assert len(kept.texts["ru"]["summary"]) == 100_000


def test_a_megabyte_of_brackets_by_page_and_by_api(portal, vendor):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0")
    browser = portal.signed_in(vendor.publisher.email)
    page = browser.submit(f"/releases/{release.id}/notes/en", summary="[" * 1_000_000, save="Save")
    assert page.status_code == 422
    assert "at most 100000" in page.text
    answer = browser.put(f"/api/v1/releases/{release.id}/notes", json={"en": {"summary": "[" * 1_000_000}},
                         headers={"X-CSRFToken": browser.get_token("/account")})  # fmt: skip
    assert (answer.status_code, answer.json["code"]) == (422, "notes-too-long")
    legal = browser.submit(f"/releases/{release.id}/notes/ru", summary="ж" * 100_000, known="ж" * 100_000, save="Save")
    assert legal.status_code == 303


def test_a_file_of_notes_falls_into_its_sections():
    text = "News\n\n# Security\nOne CVE\n\n## rollback ##\nBack\n### Other\nmore\n"
    text += "# Upgrade instructions\n\n~~~\n# known\n~~~\n"
    assert split_notes(text) == {
        "summary": "News", "security": "One CVE", "rollback": "Back\n### Other\nmore", "upgrade": "~~~\n# known\n~~~",
    }  # fmt: skip
