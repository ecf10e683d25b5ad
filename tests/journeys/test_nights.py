"""Two calls at three in the morning of a public holiday: one answered after 29 minutes, one after 31 (P1, P3)."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.mail.words import translator
from portal.permissions import OrganisationKind, Role
from portal.tickets import contacts, rota
from portal.tickets.clock import Standing
from portal.tickets.clock_words import STANDING_TITLES
from portal.tickets.rota_models import DutyRole
from tests.factories import make_organisation, make_person, make_product
from tests.journeys.conftest import PHONE, Mailbox, Running, Walker, Walkers
from tests.worlds import actor_for, make_contract

pytestmark = pytest.mark.browser

CALLED = datetime(2026, 5, 9, 0, 0, tzinfo=UTC)
"""Victory Day, 03:00 in Moscow."""
ON_DUTY_PHONE = "+79161234567"
RESPONSE = "#clock + dl dd:first-of-type"


class Night:
    """Who is awake: the engineer on duty, a colleague at home, the customer's engineer who calls."""

    def __init__(self, running: Running, walker: Walkers, mailbox: Mailbox) -> None:
        self.portal, self.mailbox = running.portal, mailbox
        self.portal.clock.at = CALLED
        with self.portal.sessions.begin() as session:
            centre = make_organisation(session, OrganisationKind.SUPPORT, time_zone="Europe/Moscow")
            customer = make_organisation(session, name="Operator", time_zone="Europe/Moscow", language="ru")
            on_duty = make_person(session, centre, Role.TSC_ENGINEER, Role.DISPATCHER, name="Petr Night")
            make_person(session, centre, Role.TSC_ENGINEER, name="At home")
            caller = make_person(session, customer, Role.CUSTOMER_ENGINEER, name="Olga Morning", language="ru")
            make_contract(session, customer, make_product(session), number="17-204", time_zone="Europe/Moscow")
            by = actor_for(on_duty, centre)
            facts = contacts.ContactFacts(caller.name, "+7 916 000 00 02", caller.email, language="ru")
            contacts.save(session, customer, None, facts, by=by, at=CALLED)
            hours = timedelta(hours=8)
            shift = rota.ShiftFacts(on_duty.id, DutyRole.ON_DUTY, CALLED - hours, CALLED + hours, ON_DUTY_PHONE)
            rota.add_shift(session, shift, by=by, at=CALLED)
        self.on_duty, self.caller = on_duty.email, caller.email
        self.engineer = walker(on_duty.email)
        self.engineer.context.clock.set_fixed_time(CALLED)  # else the page counts on while it is read
        self.customer = walker(caller.email, language="ru", viewport=PHONE)

    def minute(self, minutes: int) -> None:
        """So long after the call. The worker comes twice, as after a restart."""
        self.portal.clock.at = CALLED + timedelta(minutes=minutes)
        for _ in range(2):
            self.portal.work()

    def take(self, title: str) -> str:
        """The ticket of a call, by the engineer's form."""
        page = self.engineer.page
        self.engineer.go("/desk/call?q=916 000 00 02")
        page.locator("[role=option]", has_text="Olga Morning").click()
        assert "Expert 24X7" in page.inner_text("main")
        page.fill("#title", title)
        page.fill("#body", "Nothing goes out.")
        page.select_option("#impact", "high")
        page.locator("form.call #submit").click()
        page.wait_for_url("**/tickets/T-*")
        return page.url.rpartition("/")[2]

    def answer(self, number: str) -> None:
        self.engineer.go(f"/tickets/{number}")
        self.engineer.page.fill("[aria-labelledby=answering] #body", "We are at it.")
        self.engineer.page.locator("[aria-labelledby=answering] #submit").click()
        self.engineer.page.wait_for_load_state()

    def response(self, who: Walker, number: str) -> str:
        """The first promise on the ticket's page, as this person reads it."""
        who.go(f"/tickets/{number}")
        return who.page.inner_text(RESPONSE)

    def card(self, number: str) -> str:
        self.engineer.go("/desk")
        return self.engineer.page.locator(".desk-lane-next .desk-card", has_text=number).inner_text()

    def late(self) -> str:
        self.engineer.go("/desk")
        return self.engineer.page.locator(".desk-figures dd").first.inner_text()

    def called(self, number: str) -> list[str]:
        """Subjects of what the one on duty got about this ticket; nobody else got any of it."""
        letters = self.mailbox.about(f"{number}: ")
        assert {to for to, _ in letters} <= {self.on_duty}
        return [subject for _, subject in letters]


@pytest.fixture
def running(writing: Running) -> Running:
    return writing


@pytest.fixture
def night(running: Running, walker: Walkers, mailbox: Mailbox) -> Night:
    return Night(running, walker, mailbox)


def test_a_holiday_at_three_in_the_morning(night: Night) -> None:
    kept, broken = (night.take(title) for title in ("No calls go out", "The ring is down"))
    assert "00:30:00" in night.card(kept)
    assert "2026-05-09 03:30" in night.response(night.customer, kept), "the customer reads it in its own time"
    night.minute(19)
    assert (night.called(kept), night.called(broken)) == ([], [])
    night.minute(20)
    for number in (kept, broken):
        assert night.called(number) == [f"{number}: First answer due at 2026-05-09 03:30"]

    night.minute(29)
    assert "00:01:00" in night.card(kept)
    night.answer(kept)
    night.minute(31)
    late = f"{broken}: First answer is late, was due at 2026-05-09 03:30"
    assert (len(night.called(kept)), night.called(broken)[1:]) == (1, [late])
    assert [text.count(broken) > 0 for text in night.portal.texts()].count(True) == 2
    assert night.late() == "1"
    assert "−00:01:00" in night.card(broken)
    night.engineer.check()
    night.answer(broken)

    night.minute(46)
    assert (len(night.called(kept)), len(night.called(broken))) == (1, 2), "nobody calls the shift lead any more"
    assert night.late() == "0"
    say = translator("ru")
    for number, standing in ((kept, Standing.KEPT), (broken, Standing.BROKEN)):
        assert "First answer" not in night.card(number), "the next promise runs"
        assert STANDING_TITLES[standing] in night.response(night.engineer, number)
        assert say(STANDING_TITLES[standing]) in night.response(night.customer, number)
        assert "We are at it." in night.mailbox.newest(night.caller, number)
    night.customer.check()
