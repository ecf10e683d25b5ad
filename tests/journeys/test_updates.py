"""Updates walked in a browser: by the support centre, where one device goes well and one fails and is rolled back; and
by the customer's own specialists, with a kit that a courier brings.
"""

import os
from datetime import timedelta

import pytest

from portal.accounts.models import Organisation
from portal.actors import PORTAL_JOB
from portal.inventory import queries as inventory
from portal.releases.models import Product, Release
from portal.updates import queries
from tests.factories import make_device
from tests.journeys import test_deliveries as channels
from tests.journeys.conftest import DESKTOP, PHONE
from tests.updates.conftest import WINDOW, build

pytestmark = pytest.mark.browser
running, desk = channels.running, channels.desk
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
    look(engineer, "checklist")
    customer = walker(world.people["engineer"].email, language="ru", viewport=DESKTOP)
    back_up(customer, world.devices["SN-1"].id, world.portal)
    engineer.go(path)
    do_without(engineer, "A spare stands beside it.")
    tick(engineer)
    look(engineer, "prepared")
    page = customer.page
    customer.go(f"{path}/secrets")
    page.locator("[name=label]").fill("jump host")
    page.locator("[name=text]").fill(SECRET)
    page.locator("main form [type=submit]").click()
    customer.go(f"{path}/access")
    page.locator("main form [type=submit]").click()
    page.locator("#access").wait_for()


def back_up(walker, device_id, portal):
    """The device's configuration is stored on its page, and read back by the portal."""
    walker.go(f"/devices/{device_id}/backups")
    walker.page.set_input_files("input[name=file]", {"name": "running.cfg", "mimeType": "text/plain", "buffer": b"x"})
    walker.page.locator("#upload button.btn-primary").click()
    walker.page.locator("#upload [data-after]").wait_for()
    portal.work()


def do_without(walker, reason):
    """The points that the portal would see for itself and does not."""
    while (point := walker.page.locator("#checklist details").first).count():
        point.locator("summary").click()
        point.locator("[name=reason]").fill(reason)
        point.locator("button").click()
        walker.page.wait_for_load_state()


def tick(walker):
    while walker.page.locator("form.act[action$='/check'] button").count():
        press(walker, "/check")


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
    engineer.page.get_by_role("link", name="How did it end?").click()
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
    customer.go(path)
    press(customer, "/confirm")
    look(customer, "confirmed")
    for walking, place in ((customer, "/updates"), (engineer, "/updates/calendar"), (customer, "/updates/calendar")):
        walking.go(place)
        look(walking, place.rpartition("/")[2])
    with world.portal.sessions() as session:
        shown = queries.by_number(session, "U-000001", visible_to=world.actor("tsc"))
    assert shown.state.value == "rolled-back"
    assert (world.installed("SN-1"), world.installed("SN-2")) == ("3", "1")
    assert [(one.device.serial, one.ended_because) for one in shown.sessions] == [
        ("SN-1", "consent-ended"), ("SN-2", "consent-ended"),
    ]  # fmt: skip
    assert all(secret.destroyed_at for secret in shown.secrets)


def test_an_update_by_the_customer_with_a_courier_kit(desk, walker, tmp_path, monkeypatch):
    recipient = desk.recipient("Кирилл Складской")
    with desk.portal.sessions.begin() as session:
        customer = session.get_one(Organisation, desk.organisation_id)
        product = session.get_one(Release, desk.release_id).product_id
        device = make_device(session, customer, session.get_one(Product, product), serial="СН-1",
                             installed_version="2024.11")  # fmt: skip
        device_id = device.id
    manager, page = desk.manager, desk.manager.page
    manager.go("/updates/new")
    page.locator("[name=devices]").check()
    page.locator("[name=way][value=own]").check()
    page.locator("[name=begins]").fill("2026-03-11T02:00")
    page.locator("[name=ends]").fill("2026-03-11T06:00")
    channels.press(manager, "main form [type=submit]")
    path = page.url.removeprefix(manager.address).partition("#")[0]
    desk.dispatcher.go(path)
    press(desk.dispatcher, "/consent")

    manager.go(f"{path}/files")
    page.locator("[name=channel]").select_option("courier")
    page.locator("[name=recipient]").select_option(label="Кирилл Складской")
    page.locator("[name=address]").select_option(label="Склад")
    look(manager, "files")
    channels.press(manager, "main form [type=submit]")
    desk.work()
    delivery = desk.newest()
    assert delivery.number in page.locator("#files").inner_text()
    look(manager, "asked")
    reader = walker(language="ru", viewport=PHONE)
    channels.by_courier(desk, delivery, reader, recipient, tmp_path, monkeypatch)

    back_up(manager, device_id, desk.portal)
    manager.go(path)
    assert page.locator("#checklist details").count() == 0, "backup and files are seen"
    tick(manager)
    look(manager, "own-prepared")
    desk.portal.clock.advance(hours=12)
    manager = walker(desk.emails["manager"], language="ru", viewport=PHONE)
    manager.go(path)
    press(manager, "/start")
    end(manager, "done", "Поставлено с носителя.")
    press(manager, "/finish")
    look(manager, "own-finished")
    with desk.portal.sessions() as session:
        installed = inventory.get_device(session, device_id, visible_to=PORTAL_JOB)
    assert (installed.installed_version, installed.how_known.value) == ("2025.02", "update-request")
    desk.work()
    desk.mailbox.newest(desk.emails["dispatcher"], "2024.11 → 2025.02")
