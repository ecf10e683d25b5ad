"""From a fault on the web to "fixed for you" and closed; to "what is missing" for another customer; and back again."""

import hashlib
import re
from datetime import date
from pathlib import Path

import pytest

from portal.actors import PORTAL_COMMAND
from portal.mail.words import translator
from portal.permissions import OrganisationKind, Role
from portal.releases import service as releases
from portal.releases.models import Severity
from portal.tickets import fixing
from portal.tickets.models import TICKET_STATE_TITLES_FOR_CUSTOMER, Ticket, TicketState
from tests.factories import make_artifact, make_notes, make_organisation, make_person, make_product, make_release
from tests.journeys.conftest import PHONE, Mailbox, Running, Walker, Walkers
from tests.portals import START
from tests.worlds import make_contract

pytestmark = pytest.mark.browser

CONTENT = hashlib.shake_256(b"a release with the fix").digest(300_000)
SUBMIT = "main form [type=submit]"


class Cast:
    """Two customers with the same fault, the support centre, and a vendor with a draft that cures it."""

    def __init__(self, running: Running, walker: Walkers, mailbox: Mailbox) -> None:
        self.portal, self.mailbox, self.walker = running.portal, mailbox, walker
        with self.portal.sessions.begin() as session:
            vendor = make_organisation(session, OrganisationKind.VENDOR)
            centre = make_organisation(session, OrganisationKind.SUPPORT)
            covered, ended = (make_organisation(session, language="ru") for _ in range(2))
            product = make_product(session, code="es2400", name="EdgeSwitch ES-2400")
            make_contract(session, covered, product, number="17-204")
            make_contract(session, ended, product, number="16-001", ends_on=date(2026, 2, 28))
            words = {language: releases.IssueWords("The link flaps") for language in ("en", "ru")}
            issue = releases.IssueFacts("NX-1", Severity.HIGH, is_public=True, texts=words, cves=())
            releases.create_issue(session, product, issue, by=PORTAL_COMMAND, at=START)
            draft = make_release(session, product, "15.2")
            make_artifact(session, self.portal.store, draft, "image-15.2.bin", CONTENT)
            make_notes(session, draft)
            roles = {"covered": (covered, Role.CUSTOMER_ENGINEER), "ended": (ended, Role.CUSTOMER_ENGINEER),
                     "tsc": (centre, Role.TSC_ENGINEER), "publisher": (vendor, Role.PUBLISHER),
                     "approver": (vendor, Role.APPROVER)}  # fmt: skip
            languages = {"covered": "ru", "ended": "ru"}
            self.emails = {
                who: make_person(session, home, role, language=languages.get(who, "en")).email
                for who, (home, role) in roles.items()
            }
        self.walkers: dict[str, Walker] = {}
        self.draft = f"/releases/{draft.id}"

    def of(self, who: str) -> Walker:
        if who not in self.walkers:
            way = {"language": "ru", "viewport": PHONE} if who in ("covered", "ended") else {}
            self.walkers[who] = self.walker(self.emails[who], **way)
        return self.walkers[who]

    def letter(self, who: str, *words: str) -> str:
        """The newest letter to this person; all of the words stand in it."""
        self.portal.work()
        text = self.mailbox.newest(self.emails[who], words[0])
        assert all(one in text for one in words), text
        return text

    def state(self, number: str) -> TicketState:
        with self.portal.sessions() as session:
            return session.query(Ticket).filter_by(number=int(number[2:])).one().state


@pytest.fixture
def running(writing: Running) -> Running:
    return writing


@pytest.fixture
def cast(running: Running, walker: Walkers, mailbox: Mailbox) -> Cast:
    return Cast(running, walker, mailbox)


def reported(customer: Walker, title: str) -> str:
    """A fault, on the customer's own page; the number of its ticket."""
    page = customer.page
    customer.go("/tickets/new?product=es2400")
    page.fill("[name=title]", title)
    page.fill("[name=body]", "Каждую ночь.")
    page.fill("[name=installed_version]", "15.1")
    page.locator(SUBMIT).last.click()
    page.wait_for_url("**/tickets/T-*")
    return page.url.rpartition("/")[2]


def link(engineer: Walker, number: str) -> None:
    engineer.go(f"/tickets/{number}")
    engineer.page.fill("#issue-issue", "NX-1")
    engineer.page.locator("#issue-submit").click()
    engineer.page.wait_for_load_state()


def press(walker: Walker, ending: str) -> None:
    walker.page.locator(f"form[action$='{ending}'] button").first.click()
    walker.page.wait_for_load_state()


def publish(cast: Cast) -> None:
    """The publisher says what is fixed and hands it in; another approves and publishes."""
    publisher, approver = cast.of("publisher"), cast.of("approver")
    publisher.go(cast.draft)
    publisher.page.select_option("form[action$='/issues'] [name=issue]", "NX-1")
    press(publisher, "/issues")
    press(publisher, "/submit")
    approver.go(cast.draft)
    press(approver, "/approve")
    press(approver, "/publish")


def withdraw(cast: Cast, reason: str) -> None:
    approver = cast.of("approver")
    approver.go(f"{cast.draft}/withdraw")
    approver.page.fill("[name=reason]", reason)
    approver.page.locator(SUBMIT).last.click()
    approver.page.wait_for_url(f"**{cast.draft}")


def take(customer: Walker, letter: str, folder: Path) -> str:
    """From the letter to the file: the page that it names, the download, the digest."""
    address = re.search(r"https?://[^/\s]+(/products/\S+)", letter)
    assert address, letter
    customer.go(address.group(1))
    with customer.page.expect_download() as coming:
        customer.page.locator("a.btn-primary[href*='/downloads/']").first.click()
    coming.value.save_as(folder / "taken.bin")
    assert (folder / "taken.bin").read_bytes() == CONTENT
    return customer.page.inner_text("main")


def test_a_fault_is_fixed_for_one_and_out_of_reach_for_another(cast: Cast, tmp_path: Path) -> None:
    say, titles = translator("ru"), TICKET_STATE_TITLES_FOR_CUSTOMER
    covered, ended, engineer = cast.of("covered"), cast.of("ended"), cast.of("tsc")
    first, second, third = reported(covered, "Линк флапает"), reported(covered, "И второй"), reported(ended, "И у нас")
    for number in (first, second, third):
        link(engineer, number)
    publish(cast)

    lowest = "младшая из доступных вам версий с исправлением — EdgeSwitch ES-2400 15.2"
    letter = cast.letter("covered", first, lowest, say(fixing.CONFIRM))
    shown = take(covered, letter, tmp_path)
    assert first in shown
    assert third not in shown, "another customer's ticket stands on the page of the release"
    assert cast.state(first) is TicketState.FIX_AVAILABLE
    covered.go(f"/tickets/{first}")
    assert say(titles[TicketState.FIX_AVAILABLE]) in covered.page.inner_text("main")
    covered.check()
    covered.page.locator("form:has(input[name=step][value=close]) button").click()
    covered.page.wait_for_load_state()
    assert cast.state(first) is TicketState.CLOSED

    no = say(fixing.MISSING).partition("%(release)s")[2].partition("%")[0]
    assert lowest not in cast.letter("ended", third, "16-001", no)
    ended.go(f"/tickets/{third}")
    missing = ended.page.inner_text("[aria-labelledby=fixed-in]")
    assert "16-001" in missing
    assert ended.page.locator("a[href*='/deliveries/new'], a[href*='/downloads/'], .btn-primary[href]").count() == 0
    ended.check()

    withdraw(cast, "Она не держит линк.")
    for who, number in (("covered", second), ("ended", third)):
        cast.letter(who, "Она не держит линк.", number)
        assert cast.state(number) is TicketState.WAITING_FOR_RELEASE
    assert cast.state(first) is TicketState.CLOSED
    covered.go(f"/tickets/{second}")
    told = covered.page.inner_text("main")
    assert "Она не держит линк." in told
    assert say(titles[TicketState.WAITING_FOR_RELEASE]) in told
    assert covered.page.locator("[aria-labelledby=fixed-in] .btn-primary").count() == 0
