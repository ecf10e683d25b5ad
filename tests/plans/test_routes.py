from io import BytesIO

import pytest
from pypdf import PdfReader

from portal.inventory import sites
from portal.inventory.terms import SiteFacts
from portal.permissions import OrganisationKind, Role
from portal.releases.models import Artifact, ArtifactRole, IssueRelation, NotesRevision
from tests.factories import make_organisation, make_person
from tests.portals import START


@pytest.fixture
def filled(world):
    first = world.release("1")
    second = world.release("2", is_required=True, downtime_minutes=5)
    third = world.release("3")
    world.recommend(third)
    world.issue("A-1", (first, IssueRelation.AFFECTED), (third, IssueRelation.FIXED), cve="CVE-2026-1")
    with world.portal.sessions.begin() as session:
        texts = {"en": {"summary": "Better.", "rollback": "Boot the other bank."},
                 "ru": {"summary": "Лучше.", "rollback": "Загрузите другой банк."}}  # fmt: skip
        session.add(NotesRevision(release_id=second.id, number=1, texts=texts, at=START))
        session.add(Artifact(release_id=third.id, name="core-3.img", role=ArtifactRole.IMAGE, size_bytes=5,
                             sha256="ab" * 32, key="k", uploaded_at=START))  # fmt: skip
        home = session.merge(world.customer)
        site = sites.add_site(session, home, SiteFacts("HALL", "Hall 1", night_contact="NOC +1"),
                              by=world.actor(), at=START)  # fmt: skip
        tsc = make_organisation(session, OrganisationKind.SUPPORT)
        world.people["tsc"] = make_person(session, tsc, Role.TSC_ENGINEER)
    world.site = site
    world.old = world.device("1", site=site, serial="OLD-1")
    world.new = world.device("3", site=site, serial="NEW-1")
    return world


def test_the_device_says_what_is_next(filled):
    for who in ("engineer", "tsc"):
        page = filled.of(who).get(f"/devices/{filled.old.id}").text
        for words in (
            "Update possible now",
            "Runs well.",
            "required",
            "5 minutes",
            "A-1",
            "CVE-2026-1",
            "83 days left",
        ):
            assert words in page, words
    assert "Up to date" in filled.of("engineer").get(f"/devices/{filled.new.id}").text


@pytest.mark.parametrize(
    ("narrow", "serials"),
    [("behind", {"OLD-1"}), ("insecure", {"OLD-1"}), ("ending", {"OLD-1", "NEW-1"}), ("", {"OLD-1", "NEW-1"}),
     ("nonsense", {"OLD-1", "NEW-1"})],
)  # fmt: skip
def test_the_list_is_narrowed_by_how_devices_stand(filled, narrow, serials):
    for who in ("engineer", "tsc"):
        for path in ("/devices", "/devices.csv"):
            text = filled.of(who).get(f"{path}?narrow={narrow}").text
            assert {serial for serial in ("OLD-1", "NEW-1") if serial in text} == serials


@pytest.mark.parametrize("text", ["old-1", "hall", "core", "hall old"])
def test_the_list_is_searched(filled, text):
    assert "OLD-1" in filled.of("engineer").get(f"/devices?q={text}").text
    assert "OLD-1" not in filled.of("engineer").get(f"/devices?q={text} nowhere").text


def test_the_list_as_csv_says_what_is_recommended_and_can_be_taken_in_again(filled):
    table = filled.of("engineer").get("/devices.csv").data
    assert b"core,OLD-1,,HALL,Hall 1,1" in table
    assert table.splitlines()[2].endswith(b",support-centre,3,2026-06-01")
    page = filled.of("engineer").submit("/devices/import", sheet=(BytesIO(table), "devices.csv"))
    assert "Unchanged: 2" in page.text


def test_nothing_of_it_is_another_customers(filled):
    for path in (f"/devices/{filled.old.id}", f"/sites/{filled.site.id}", f"/api/v1/devices/{filled.old.id}/plan"):
        assert filled.of("stranger").get(path).status_code == 404
        assert filled.of("stranger").get(f"{path}/run-book.pdf").status_code == 404
    for path in ("/devices", "/devices.csv", "/devices?narrow=behind", "/sites"):
        text = filled.of("stranger").get(path).text
        assert "OLD-1" not in text
        assert "Hall 1" not in text


def squeezed(text):
    """Without the places at which a line may end."""
    return "".join(text.replace("\u200b", "").split())


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_run_book_is_in_the_readers_language(filled, language):
    browser = filled.of("engineer")
    browser.set_cookie("language", language)
    words = {
        "en": ("Run-book", "Boot the other bank.", "Install 2.", "required", "5 min", "NOC +1"),
        "ru": ("План работ", "Загрузите другой банк.", "Установите 2.", "обязательный", "5 мин", "NOC +1"),
    }[language]
    for path in (f"/devices/{filled.old.id}/run-book.pdf", f"/sites/{filled.site.id}/run-book.pdf"):
        answer = browser.get(path)
        assert (answer.status_code, answer.content_type) == (200, "application/pdf")
        text = squeezed("".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages))
        for one in (*words, "OLD-1", "core-3.img", "abababab", "A-1"):
            assert squeezed(one) in text, one


def test_pages_ask_as_much_for_fifty_devices_as_for_two(filled):
    def asked():
        counts = {}
        for path in ("/devices", "/devices?narrow=behind", f"/sites/{filled.site.id}"):
            filled.of("engineer").get(path)
            with filled.statements() as found:
                assert filled.of("engineer").get(path).status_code == 200
            counts[path] = len(found)
        return counts

    few = asked()
    for number in range(48):
        filled.device("2" if number % 2 else "1", site=filled.site)
    assert asked() == few
    assert max(few.values()) <= 24
