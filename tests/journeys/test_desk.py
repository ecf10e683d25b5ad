"""The engineers' board in a browser: it counts, and shows what happens elsewhere, without being loaded again."""

import pytest
from playwright.sync_api import Browser

from portal.actors import Actor, Via
from portal.permissions import Role, permissions_of
from portal.tickets.models import TicketChannel
from tests.factories import make_ticket
from tests.journeys.conftest import PHONE, Running, Walkers
from tests.portals import PASSWORD
from tests.worlds import World, make_world

pytestmark = pytest.mark.browser

FIRST = ".desk-lane-next .desk-card"
MOVED_ON = "before => document.querySelector('.desk-lane-next .countdown').textContent !== before"
ASKED = "() => performance.getEntriesByType('resource').some(one => one.name.endsWith('/desk/state'))"
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
SHAPE = f"""() => [...document.querySelectorAll("{FIRST} > *, {FIRST} .countdown")]
    .map(one => one.getBoundingClientRect()).map(box => [box.x, box.y, box.width, box.height])"""


def call(world: World, title: str) -> str:
    """A call of customer A's engineer, now; its number."""
    with world.portal.sessions.begin() as session:
        person = world.people["engineer A"]
        by = Actor(Via.SESSION, person.name, person.id, world.customer_a.id, world.customer_a.kind,
                   permissions=permissions_of([Role.CUSTOMER_ENGINEER]))  # fmt: skip
        return str(make_ticket(session, session.merge(world.customer_a), by, title=title,
                               channel=TicketChannel.TELEPHONE))  # fmt: skip


def test_it_counts_and_shows_a_call_without_being_loaded_again(running: Running, walker: Walkers) -> None:
    world = make_world(running.portal)
    number = call(world, "The first call")
    engineer = walker(world.people["TSC engineer"].email)
    engineer.go("/desk")
    page = engineer.page
    first = page.locator(FIRST).first
    assert number in first.inner_text()
    before, shape = first.locator(".countdown").inner_text(), page.evaluate(SHAPE)
    page.wait_for_function(
        "before => document.querySelector('.desk-lane-next .countdown').textContent !== before", arg=before
    )
    assert before.startswith("00:"), before
    assert page.evaluate(SHAPE) == shape, "the board moved while it counted"

    page.evaluate("window.isTheSamePage = true")
    page.evaluate(LOOK_AGAIN)
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(one => one.name.endsWith('/desk/state'))"
    )
    later = call(world, "The second call")
    with page.expect_response("**/desk/state") as answered:
        page.evaluate(LOOK_AGAIN)
    assert answered.value.status == 200
    page.get_by_text(later).first.wait_for()
    with page.expect_response("**/desk/state") as answered:
        page.evaluate(LOOK_AGAIN)
    assert answered.value.status == 304
    assert page.evaluate("window.isTheSamePage")

    page.locator(FIRST, has_text=later).get_by_role("button").click()
    page.wait_for_url(f"**/tickets/{later}")
    page.set_viewport_size(PHONE)
    engineer.go("/desk")
    engineer.check()


def test_two_engineers_reach_for_one_ticket(running: Running, walker: Walkers) -> None:
    world = make_world(running.portal)
    number = call(world, "A call")
    people = [walker(world.people[who].email) for who in ("TSC engineer", "dispatcher")]
    for one in people:
        one.go("/desk")
    for one in people:
        one.page.locator(FIRST, has_text=number).get_by_role("button").click()
        one.page.wait_for_load_state()
    assert f"Ticket {number} is with {world.people['TSC engineer'].name} already." in people[1].page.inner_text("main")


def test_without_scripts_the_board_is_a_plain_page(chromium: Browser, running: Running) -> None:
    world = make_world(running.portal)
    number = call(world, "A call")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{running.address}/sign-in")
    page.fill("input[name=email]", world.people["TSC engineer"].email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit], main input[type=submit]")
    page.goto(f"{running.address}/desk")
    assert page.locator(FIRST, has_text=number).locator(".countdown").inner_text() == "00:30:00"
    page.locator(FIRST, has_text=number).get_by_role("button").click()
    assert page.url.endswith(f"/tickets/{number}")
    context.close()
