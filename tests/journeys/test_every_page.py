"""Every page, in both languages, on a phone and on a desk: axe, width, scripts, policy.

Each page is looked at by the first of these people who may open it, and customers' pages by a customer too.
"""

import pytest

from portal.mailings import links
from portal.permissions import ROLE_PERMISSIONS, Permission
from portal.recalls import service as recalls
from portal.web.guard import PUBLIC, guard_of
from tests.house.test_access import rows
from tests.journeys.conftest import WAYS, Running, Walkers
from tests.worlds import PEOPLE, World, make_world

pytestmark = pytest.mark.browser

NOT_PAGES = (
    "_api.", "authority.scan", "evidence.pack", "recalls.notice", "couriers.paper", "couriers.signature",
    "deliveries.download", "desk.state", "deliveries.side_file", "csv", ".sheet", "key_file", "export", "run_book",
)  # fmt: skip
BY_SECRET = ("mail_links.", "receipts.", "recalls.answer_by_link")
"""The table asks these with a wrong secret. Here the right one is used; behind the code, the journeys look."""
DOWNLOADS = ("tickets.file", "backups.download", "updates.report", "tickets.callers")
CUSTOMERS = ("engineer A", "manager A")
STAFF = ("administrator", "publisher", "auditor", "TSC engineer", "dispatcher")


def is_theirs(who: str, needed: Permission | str | None) -> bool:
    """The page is this person's to look at: nobody before them in the list may open it."""
    if who == "nobody" or needed == PUBLIC:
        return who == "nobody" and needed == PUBLIC
    peers = CUSTOMERS if who in CUSTOMERS else STAFF
    first = next((peer for peer in peers if needed in ROLE_PERMISSIONS[PEOPLE[peer][1]]), None)
    return first == who


def by_secret(world: World) -> list[str]:
    """What somebody without a sign-in opens with what a letter or a paper told them."""
    secret_key = world.portal.resources.config.secret_key
    token = recalls.answer_token(world.holding, secret_key)
    return [f"/m/{links.secret_of(world.link, secret_key)}", f"/recalls/answer/{token}", "/r"]


@pytest.mark.parametrize(("language", "viewport"), WAYS, ids=[language for language, _ in WAYS])
@pytest.mark.parametrize("who", ["nobody", *CUSTOMERS, *STAFF])
def test_pages_are_accessible_and_fit(
    running: Running, walker: Walkers, who: str, language: str, viewport: dict[str, int]
) -> None:
    world = make_world(running.portal)
    pages = [
        address
        for endpoint, method, address in rows(world)
        if method == "GET"
        and endpoint not in DOWNLOADS
        and not any(word in endpoint for word in (*NOT_PAGES, *BY_SECRET))
        and is_theirs(who, guard_of(running.portal.app, endpoint))
    ]
    if who == "nobody":
        pages += by_secret(world)
    assert pages, f"{who} has no page"
    faults, seen = [], 0
    person = walker(None if who == "nobody" else world.people[who].email, language=language, viewport=viewport)
    for address in pages:
        if person.go(address) < 400:
            seen += 1
            faults += person.faults()
        person.complaints.clear()
    assert not faults, "\n".join(faults)
    assert 2 * seen >= len(pages), f"{who} could open only {seen} of {len(pages)}"
