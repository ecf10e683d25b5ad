"""The way to a file by keyboard alone: every step is reached with Tab, seen by its focus, and taken with Enter."""

import hashlib
from pathlib import Path

import pytest

from tests.journeys.conftest import Running, Walker, Walkers
from tests.portals import PASSWORD
from tests.worlds import CONTENT, make_world

pytestmark = pytest.mark.browser

MOST_STEPS = 60
FOCUSED = """() => {
  const at = document.activeElement;  // a table that scrolls can have the focus too, and holds every word
  return at.matches("a, button, input") ? (at.textContent || at.name).trim() : "";
}"""
OUTLINE = (
    "() => getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow"
)


def tab_to(walker: Walker, words: str) -> None:
    for _ in range(MOST_STEPS):
        walker.page.keyboard.press("Tab")
        if words in walker.page.evaluate(FOCUSED):
            assert walker.page.evaluate(OUTLINE) != "nonenone", f"the focus on {words} can't be seen"
            return
    raise AssertionError(f"{words} is not reached by Tab on {walker.page.url}")


def press_enter(walker: Walker) -> None:
    before = walker.page.url
    walker.page.keyboard.press("Enter")
    walker.page.wait_for_url(lambda address: address != before)


def test_from_sign_in_to_the_file(running: Running, walker: Walkers, tmp_path: Path) -> None:
    world = make_world(running.portal)
    person = walker()
    person.go("/sign-in")
    assert person.page.evaluate(FOCUSED) == "email"  # the page begins where the hand has to be
    person.page.keyboard.type(world.people["engineer A"].email)
    person.page.keyboard.press("Tab")
    person.page.keyboard.type(PASSWORD)
    press_enter(person)
    tab_to(person, world.product.name)
    press_enter(person)
    tab_to(person, world.published.version)
    press_enter(person)
    tab_to(person, "Download")
    with person.page.expect_download() as download:
        person.page.keyboard.press("Enter")
    taken = tmp_path / "taken"
    download.value.save_as(taken)
    assert hashlib.sha256(taken.read_bytes()).digest() == hashlib.sha256(CONTENT).digest()


def test_the_first_tab_skips_to_the_content(running: Running, walker: Walkers) -> None:
    make_world(running.portal)
    person = walker()
    person.go("/keys")
    person.page.keyboard.press("Tab")
    assert person.page.evaluate(FOCUSED) == "Skip to the content"
    person.page.keyboard.press("Enter")
    assert person.page.evaluate("() => document.activeElement.id") == "main"
