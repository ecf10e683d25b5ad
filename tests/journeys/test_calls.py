"""A call is taken down by keyboard alone, in a minute with room to spare."""

from time import monotonic

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.tickets import contacts
from portal.tickets.models import Ticket, TicketEvent, TicketSeverity
from tests.journeys.conftest import PHONE, Running, Walkers
from tests.portals import START
from tests.worlds import actor_for, make_world

pytestmark = pytest.mark.browser

MOST_KEYS = 12
"""Besides the words that are said and the number: Tab, Enter, arrows and Space."""


class Keys:
    """Somebody without a mouse."""

    def __init__(self, page):
        self.page, self.pressed = page, 0

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def say(self, words):
        self.page.keyboard.type(words)


def known_caller(portal):
    world = make_world(portal)
    with portal.sessions.begin() as session:
        customer = session.merge(world.customer_a)
        by = actor_for(
            world.people["TSC engineer"], session.get_one(type(customer), world.people["TSC engineer"].organisation_id)
        )
        for name, phone in (("Anna First", "+7 916 000 00 01"), ("Olga Second", "+7 916 000 00 02")):
            contacts.save(
                session, customer, None, contacts.ContactFacts(name, phone, is_night_contact=True), by=by, at=START
            )
    return world


def test_a_ticket_in_under_a_minute_by_keyboard_alone(running: Running, walker: Walkers):
    world = known_caller(running.portal)
    engineer = walker(world.people["TSC engineer"].email)
    engineer.go("/desk/call")
    keys, began = Keys(engineer.page), monotonic()
    keys.say("8 (916) 000-00")
    options = engineer.page.locator("[role=option]")
    expect(options).to_have_count(2)
    engineer.check()
    keys.press("ArrowDown", "Enter")
    expect(engineer.page.locator("h1")).to_have_text("Olga Second")
    expect(engineer.page.locator("main")).to_contain_text(world.contract.number)
    expect(engineer.page.locator("#title")).to_be_focused()
    keys.say("No calls go out")
    keys.press("Tab")
    keys.say("Since midnight.")
    keys.press("Tab")
    keys.say("Service is down")
    expect(engineer.page.locator("[data-severity]")).to_contain_text("Critical")
    keys.press("Tab", "Tab")
    engineer.page.keyboard.press("ArrowDown")  # the device
    keys.press("Tab", "Space", "Enter")
    expect(engineer.page.locator("h1")).to_contain_text("No calls go out")
    assert keys.pressed <= MOST_KEYS
    assert monotonic() - began < 60
    engineer.check()
    with running.portal.sessions() as session:
        ticket = session.scalars(select(Ticket).order_by(Ticket.number.desc())).first()
        events = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)).all()
    assert (ticket.caller, ticket.severity, ticket.device_id is not None) == (
        "Olga Second", TicketSeverity.CRITICAL, True,
    )  # fmt: skip
    assert [event.by_staff for event in events if event.kind.value == "message"] == [True]


def test_the_pages_of_the_desk_fit_and_can_be_read(running: Running, walker: Walkers):
    world = known_caller(running.portal)
    engineer = walker(world.people["TSC engineer"].email, language="ru", viewport=PHONE)
    with running.portal.sessions() as session:
        contact = session.scalars(select(contacts.Contact)).first()
    for path in (f"/desk/call?contact={contact.id}", "/desk/call?q=916", "/desk/mail", "/contacts",
                 f"/contacts/{contact.id}", f"/tickets/{world.ticket}/print"):  # fmt: skip
        assert engineer.go(path) == 200
        engineer.check()
