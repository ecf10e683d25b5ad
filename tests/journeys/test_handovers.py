"""A hand-over on a tablet: the act is read and signed with a finger, also where the network drops before it is sent."""

import os
import re

import pytest

from tests.handovers.conftest import PHONE as TELEPHONE
from tests.handovers.conftest import build
from tests.journeys.conftest import PHONE
from tests.portals import PASSWORD

pytestmark = pytest.mark.browser
TABLET = {"width": 768, "height": 1024}


@pytest.fixture
def world(running):
    made = build(running.portal)
    made.ask("one", "ivan")
    made.ask("two", "ivan")
    made.ask("three", "namesake")
    return made


def look(walker, name):
    """The page is sound; a picture of it where somebody wants to look."""
    walker.check()
    folder = os.environ.get("PORTAL_TEST_PICTURES")
    if folder:
        language = walker.page.evaluate("document.documentElement.lang")
        width = walker.page.viewport_size["width"]
        walker.page.screenshot(path=f"{folder}/handover-{name}-{language}-{width}.png", full_page=True)


def draw(page, pad="signature"):
    box = page.locator(f"[data-pad={pad}] canvas").bounding_box()
    page.locator(f"[data-pad={pad}] canvas").scroll_into_view_if_needed()
    box = page.locator(f"[data-pad={pad}] canvas").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 120)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 40 + 18 * step, box["y"] + 120 - (50 if step % 2 else 0), steps=4)
    page.mouse.up()


def to_the_pad(walker, world):
    """From the list to the pad with a code that was sent; the code."""
    page = walker.page
    walker.go("/handovers/new")
    look(walker, "1-choose")
    form = page.locator("form", has_text="sokolov@alpha.example")
    for box in form.locator("input[type=checkbox]").all():
        box.check()
    form.locator("button").click()
    page.locator("[name=ending]").fill("4821")
    page.locator("[name=place]").fill("Москва, зал 3")
    page.locator("[name=is_compared]").check()
    look(walker, "2-identity")
    page.locator("main form input[type=submit]").click()
    page.locator(".act-text").wait_for()
    look(walker, "3-act")
    page.locator("main form input[type=submit]").click()
    page.locator("[data-pad] canvas").first.wait_for()
    return world.newest_code()


@pytest.mark.parametrize(("language", "viewport"), [("ru", TABLET), ("en", PHONE)], ids=["tablet", "phone"])
def test_the_recipient_reads_and_signs(walker, world, language, viewport):
    dispatcher = walker(world.people["dispatcher"].email, language=language, viewport=viewport)
    page = dispatcher.page
    code = to_the_pad(dispatcher, world)
    look(dispatcher, "4-sign")
    page.locator("[name=code]").fill(code)
    page.locator("[data-handover] input[type=submit]").click()
    page.locator("[data-handover-state=signature-empty]").wait_for()
    draw(page)
    page.locator("[data-pad] [data-clear]").click()
    assert page.locator("[name=signature]").input_value() == ""
    draw(page)
    look(dispatcher, "5-drawn")
    page.locator("[data-handover] input[type=submit]").click()
    page.wait_for_url(re.compile(r"/handovers/acts/[0-9a-f-]+$"))
    look(dispatcher, "6-done")
    assert world.states("one", "two", "three") == ["acknowledged", "acknowledged", "approved"]
    [act] = world.acts()
    assert TELEPHONE not in act.code_address
    assert page.evaluate("Object.keys(localStorage).length") == 0
    if folder := os.environ.get("PORTAL_TEST_PICTURES"):
        with world.portal.store.open_range(act.pdf_key) as reader, open(f"{folder}/act-{language}.pdf", "wb") as file:  # noqa: PTH123
            file.write(b"".join(reader))


def test_a_signature_waits_for_the_network_and_is_taken_once(walker, world):
    """The network drops after the drawing; the page is even loaded anew; the code has expired meanwhile."""
    dispatcher = walker(world.people["dispatcher"].email, viewport=TABLET)
    page, portal = dispatcher.page, world.portal
    code = to_the_pad(dispatcher, world)
    draw(page)
    drawn = page.locator("[name=signature]").input_value()
    page.locator("[name=code]").fill(code)
    dispatcher.context.set_offline(True)
    page.locator("[data-handover] input[type=submit]").click()
    page.locator("[data-handover-state=kept]").wait_for()
    assert "kept on this device" in page.locator("[data-handover-state]").inner_text()
    assert world.states("one", "two") == ["prepared", "prepared"]
    portal.clock.advance(minutes=20)
    dispatcher.context.set_offline(False)
    page.locator("[data-handover-state=code-expired]").wait_for()
    assert page.locator("[name=signature]").input_value() == drawn
    with page.expect_navigation():
        page.locator("[data-code-form] input[type=submit]").click()
    page.locator("[data-handover-state=restored]").wait_for()
    assert page.locator("[name=signature]").input_value() == drawn
    page.locator("[name=code]").fill(world.newest_code())
    dispatcher.complaints.clear()
    page.locator("[data-handover] input[type=submit]").click()
    page.wait_for_url(re.compile(r"/handovers/acts/[0-9a-f-]+$"))
    assert world.states("one", "two") == ["acknowledged", "acknowledged"]
    assert world.kinds("one").count("delivered") == 1


@pytest.mark.parametrize("arrives", [True, False], ids=["answer-lost", "request-lost"])
def test_a_lost_answer_and_an_ended_session_lose_nothing(walker, world, arrives):
    """Whether or not the portal got the signature; meanwhile the session ended: signed in again, it is taken once."""
    dispatcher = walker(world.people["dispatcher"].email, viewport=TABLET)
    page = dispatcher.page
    code = to_the_pad(dispatcher, world)
    draw(page)
    page.locator("[name=code]").fill(code)

    def swallow(route):
        if arrives:
            route.fetch(max_redirects=0)
        route.abort()

    page.route("**/sign", swallow)
    page.locator("[data-handover] input[type=submit]").click()
    page.locator("[data-handover-state=kept]").wait_for()
    assert world.states("one") == ["acknowledged" if arrives else "prepared"]
    page.unroute("**/sign")
    dispatcher.context.clear_cookies(name="portal")
    page.locator("[data-handover-state=sign-in]").wait_for()
    page.locator("[data-handover-state] a").click()
    page.fill("input[name=email]", world.people["dispatcher"].email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit], main input[type=submit]")
    page.wait_for_url(re.compile(r"/handovers/acts/[0-9a-f-]+$"))
    assert page.evaluate("Object.keys(localStorage).length") == 0
    assert world.states("one", "two") == ["acknowledged", "acknowledged"]
    assert world.kinds("one").count("delivered") == 1
    assert len(world.acts()) == 1
