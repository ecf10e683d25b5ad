"""Every page, in both languages, on a phone and on a desk: axe, width, scripts, policy.

Each page is looked at by the first of these people who may open it, and customers' pages by a customer too.
"""

import pytest

from portal.permissions import ROLE_PERMISSIONS, Permission
from portal.web.guard import PUBLIC, guard_of
from tests.house.test_access import rows
from tests.journeys.conftest import WAYS, Running, Walkers
from tests.worlds import PEOPLE, make_world

pytestmark = pytest.mark.browser

NOT_PAGES = (
    "_api.", "authority.scan", "evidence.pack", "recalls.notice", "couriers.paper", "couriers.signature",
    "deliveries.download",
    "desk.state", "deliveries.side_file", "csv", ".sheet", "key_file", "export", "run_book",
)  # fmt: skip
CUSTOMERS = ("engineer A", "manager A")
STAFF = ("administrator", "publisher", "auditor", "TSC engineer", "dispatcher")


def is_theirs(who: str, needed: Permission | str | None) -> bool:
    """The page is this person's to look at: nobody before them in the list may open it."""
    if who == "nobody" or needed == PUBLIC:
        return who == "nobody" and needed == PUBLIC
    peers = CUSTOMERS if who in CUSTOMERS else STAFF
    first = next((peer for peer in peers if needed in ROLE_PERMISSIONS[PEOPLE[peer][1]]), None)
    return first == who


@pytest.mark.parametrize("who", ["nobody", *CUSTOMERS, *STAFF])
def test_pages_are_accessible_and_fit(running: Running, walker: Walkers, who: str) -> None:
    world = make_world(running.portal)
    pages = [
        address
        for endpoint, method, address in rows(world)
        if method == "GET"
        and not any(word in endpoint for word in NOT_PAGES)
        and is_theirs(who, guard_of(running.portal.app, endpoint))
    ]
    assert pages, f"{who} has no page"
    faults, seen = [], 0
    person = walker(None if who == "nobody" else world.people[who].email)
    for language, viewport in WAYS:
        person.turn(language, viewport)
        for address in pages:
            if person.go(address) < 400:
                seen += 1
                faults += person.faults()
            person.complaints.clear()
    assert not faults, "\n".join(faults)
    assert seen >= len(pages), f"{who} could open only {seen} of {2 * len(pages)}"
