"""An update by the support centre, walked in a browser: one device goes well, one fails and is rolled back."""

import os
from datetime import timedelta

import pytest

from portal.updates import queries
from tests.journeys.conftest import DESKTOP, PHONE
from tests.updates.conftest import WINDOW, build

pytestmark = pytest.mark.browser
SECRET = "the-pass-word-of-the-jump-host"


@pytest.fixture
def world(running):
    return build(running.portal)


def look(walker, name):
    """The page is sound; a picture of it where somebody wants to look."""
    walker.check()
    folder = os.environ.get("PORTAL_TEST_PICTURES")
    if folder:
        language = walker.page.evaluate("document.documentElement.lang")
        width = walker.page.viewport_size["width"]
        walker.page.screenshot(path=f"{folder}/update-{name}-{language}-{width}.png", full_page=True)


def press(walker, part):
    """The button of the form whose address ends so."""
    walker.page.locator(f"form[action$='{part}'] button").first.click()
    walker.page.wait_for_load_state()


def end(walker, outcome, note):
    """Begin the step that is due, and say how it ended."""
    walker.page.locator("form[action$='/begin'] button").first.click()
    walker.page.locator("[name=note]").fill(note)
    look(walker, f"step-{outcome}")
    walker.page.locator(f"button[value={outcome}]").click()
    walker.page.wait_for_load_state()


def proposed(walker, world):
    """The customer proposes; the address of the update's page."""
    customer = walker(world.people["engineer"].email, language="ru", viewport=DESKTOP)
    customer.go("/updates/new")
    page = customer.page
    for box in page.locator("[name=devices]").all():
        box.check()
    page.locator("[name=release]").select_option(label="3")
    page.locator("[name=begins]").fill("2026-03-10T23:00")
    page.locator("[name=ends]").fill("2026-03-11T03:00")
    look(customer, "new")
    page.locator("main form [type=submit]").click()
    page.locator("#devices").wait_for()
    return page.url.removeprefix(customer.address).partition("#")[0]


def prepared(walker, world, path):
    """Both sides do what comes before the window."""
    engineer = walker(world.people["tsc"].email, language="en", viewport=PHONE)
    engineer.go(path)
    look(engineer, "proposed")
    press(engineer, "/consent")
    press(engineer, "/take-on")
    while engineer.page.locator("form[action$='/check'] button").count():
        press(engineer, "/check")
    look(engineer, "prepared")
    customer = walker(world.people["engineer"].email, language="ru", viewport=DESKTOP)
    page = customer.page
    customer.go(f"{path}/secrets")
    page.locator("[name=label]").fill("jump host")
    page.locator("[name=text]").fill(SECRET)
    look(customer, "secret")
    page.locator("main form [type=submit]").click()
    customer.go(f"{path}/access")
    look(customer, "access")
    page.locator("main form [type=submit]").click()
    page.locator("#access").wait_for()


def reached(engineer, path):
    """The engineer begins the work and a remote session, and looks once at the access information."""
    engineer.go(path)
    press(engineer, "/start")
    press(engineer, "/sessions")
    press(engineer, engineer.page.locator("form[action*='/secrets/']").first.get_attribute("action"))
    assert SECRET in engineer.page.content()
    look(engineer, "session")
    engineer.page.locator("[name=text]").fill("show version\nreload")
    engineer.page.locator("form[action$='/notes'] [type=submit]").click()
    engineer.page.wait_for_load_state()


def test_an_update_with_a_failing_device(walker, world):
    path = proposed(walker, world)
    prepared(walker, world, path)
    world.portal.clock.at = WINDOW.begins_at + timedelta(minutes=10)
    customer = walker(world.people["engineer"].email, language="ru", viewport=DESKTOP)
    engineer = walker(world.people["tsc"].email, language="en", viewport=PHONE)
    reached(engineer, path)
    customer.go(path)
    look(customer, "watched")
    assert SECRET not in customer.page.content()
    assert "SN-1" in customer.page.locator("[role=status].alert").inner_text()

    engineer.go(path)
    for outcome in ("done", "done"):
        end(engineer, outcome, "as planned")
    end(engineer, "failed", "It does not come up.")
    look(engineer, "failed")
    engineer.page.locator("a[href*='/steps/']").click()
    engineer.page.locator("[name=note]").fill("The old image runs again.")
    engineer.page.locator("button[value=rolled-back]").click()
    engineer.page.wait_for_load_state()

    customer.go(path)
    press(customer, "/access/end")
    press(engineer, "/finish")
    look(engineer, "finished")
    customer.turn("ru", PHONE)
    customer.go(path)
    look(customer, "finished")
    customer.page.locator("a[href*='/tickets/T-']").click()
    customer.page.wait_for_load_state()
    assert "It does not come up." in customer.page.content()
    for walking, place in ((customer, "/updates"), (engineer, "/updates/calendar"), (customer, "/updates/calendar")):
        walking.go(place)
        look(walking, place.rpartition("/")[2])
    with world.portal.sessions() as session:
        shown = queries.by_number(session, "U-000001", visible_to=world.actor("tsc"))
    assert shown.state.value == "rolled-back"
    assert (world.installed("SN-1"), world.installed("SN-2")) == ("3", "1")
    assert [one.ended_because for one in shown.sessions] == ["consent-ended"]
    assert all(secret.destroyed_at for secret in shown.secrets)
