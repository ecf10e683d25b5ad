"""The main job as people do it: upload, review, publish; find, take, verify; and to be told why not."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from portal.permissions import OrganisationKind, Role
from tests.factories import make_organisation, make_person, make_product
from tests.journeys.conftest import PHONE, Running, Walker, Walkers
from tests.worlds import make_contract

pytestmark = pytest.mark.browser

CONTENT = hashlib.shake_256(b"a real image").digest(3 * 1024 * 1024 + 17)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "прошивка-15.1R8.img"
PEOPLE = {
    "publisher": ("vendor", Role.PUBLISHER),
    "approver": ("vendor", Role.APPROVER),
    "entitled": ("entitled", Role.CUSTOMER_ENGINEER),
    "expired": ("expired", Role.CUSTOMER_ENGINEER),
}


@pytest.fixture
def people(running: Running) -> dict[str, str]:
    """E-mail addresses; one customer's contract runs, the other's ended some months ago."""
    portal = running.portal
    with portal.sessions.begin() as session:
        product = make_product(session, code="es2400", name="EdgeSwitch ES-2400")
        organisations = {
            "vendor": make_organisation(session, OrganisationKind.VENDOR),
            "entitled": make_organisation(session),
            "expired": make_organisation(session),
        }
        today = portal.clock().date()
        for customer, last in (("entitled", today + timedelta(days=90)), ("expired", today - timedelta(days=90))):
            make_contract(session, organisations[customer], product, starts_on=today - timedelta(days=300),
                          ends_on=last, number=f"17-{customer}")  # fmt: skip
        return {who: make_person(session, organisations[where], role).email for who, (where, role) in PEOPLE.items()}


def test_from_upload_to_a_verified_download(
    running: Running, walker: Walkers, people: dict[str, str], tmp_path: Path
) -> None:
    publisher = walker(people["publisher"], language="ru")
    draft = make_draft(publisher)
    upload(publisher, tmp_path)
    running.portal.work()  # the file is read back
    write_notes(publisher, draft)
    publisher.go(draft)
    press(publisher, "submit")
    review(walker(people["approver"], language="en"), draft)
    customer = walker(language="ru", viewport=PHONE)
    customer.sign_in(people["entitled"])
    take(customer, tmp_path)
    be_refused(walker(people["expired"], language="en"))


def make_draft(walker: Walker) -> str:
    page = walker.page
    walker.go("/releases/new?product=es2400")
    page.fill("input[name=version]", "15.1R8")
    page.click("main button[type=submit], main input[type=submit]")
    page.wait_for_url("**/releases/*-*")
    return page.url.removeprefix(walker.address).split("?")[0]


def upload(walker: Walker, folder: Path) -> None:
    file = folder / NAME
    file.write_bytes(CONTENT)
    page = walker.page
    page.set_input_files("#upload input[type=file]", file)
    page.click("#upload button.btn-primary")
    page.wait_for_function("digest => document.querySelector('#upload').textContent.includes(digest)", arg=SHA256)
    walker.check()


def write_notes(walker: Walker, draft: str) -> None:
    for language, words in (("en", ("Faster.", "Boot bank 2.")), ("ru", ("Быстрее.", "Загрузите банк 2."))):
        walker.go(f"{draft}/notes/{language}")
        walker.page.fill("textarea[name=summary]", words[0])
        walker.page.fill("textarea[name=rollback]", words[1])
        walker.page.click("main form:has(textarea) [type=submit]")
        walker.page.wait_for_url(f"**{draft}*")


def press(walker: Walker, verb: str) -> None:
    walker.page.click(f"form[action$='/{verb}'] button")
    walker.page.wait_for_load_state()


def review(walker: Walker, draft: str) -> None:
    walker.go(draft)
    assert SHA256 in walker.page.content()
    press(walker, "approve")
    press(walker, "publish")
    assert "SHA256SUMS" in walker.page.content()
    walker.check()


def take(walker: Walker, folder: Path) -> None:
    """On a phone: my products, the release, its file; then the ledger says that it was received."""
    page = walker.page
    assert page.url.endswith("/products")
    page.click("text=EdgeSwitch ES-2400")
    page.click("text=15.1R8")
    walker.check()
    with page.expect_download() as download:
        page.click("a.btn-primary[href*='/downloads/']")
    assert download.value.suggested_filename == NAME
    taken = folder / "taken.img"
    download.value.save_as(taken)
    assert hashlib.sha256(taken.read_bytes()).hexdigest() == SHA256
    walker.go("/deliveries")
    assert "EdgeSwitch ES-2400" in page.content()
    page.click("main a[href*='/deliveries/']")
    walker.check()


def be_refused(walker: Walker) -> None:
    """The other customer sees the release, and reads which contract ended when and what would change that."""
    page = walker.page
    walker.go("/products/es2400/15.1R8")
    text = page.inner_text("main")
    assert "17-expired" in text
    assert "contract-expired" in text
    assert page.query_selector("a[href*='/downloads/']") is None
    walker.check()
    page.click("text=See your contracts against the releases")
    assert "17-expired" in page.inner_text("main")
    walker.check()
