"""The demonstration as somebody walks it who follows every link: nothing breaks, and nothing leads nowhere."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from portal.demo.build import build
from portal.demo.people import PASSWORD, PEOPLE
from tests.portals import Browser, Portal

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
LINK = re.compile(r'<a\b[^>]*?\shref="([^"]+)"')
NO_AREA = ("accounts.", "receipts.", "releases.keys")
"""Pages that no entry of the menu leads to."""
MOST_OF_A_KIND = 1
"""Pages of one address pattern that each person opens."""


def links(page: str, text: str) -> Iterator[str]:
    for found in LINK.findall(text):
        address = urldefrag(urljoin(page, unescape(found))).url
        if not urlsplit(address).netloc and address.startswith("/"):
            yield address


def walk(portal: Portal, browser: Browser) -> tuple[Counter[str], list[str]]:
    """How many pages of each kind were opened, and what went wrong on the way."""
    adapter = portal.app.url_map.bind("localhost")
    kinds: Counter[str] = Counter()
    seen, waiting, faults = {"/"}, deque([("/", "")]), []
    while waiting:
        page, origin = waiting.popleft()
        try:
            kind = str(adapter.match(urlsplit(page).path)[0])
        except HTTPException as error:
            faults.append(f"{page} on {origin}: {error}")
            continue
        if kinds[kind] == MOST_OF_A_KIND:
            continue
        kinds[kind] += 1
        answer = browser.get(page, follow_redirects=True)
        if answer.status_code >= 400:
            faults.append(f"{page} on {origin}: {answer.status_code}")
        elif answer.mimetype == "text/html" and answer.status_code == 200:
            if not kind.startswith(NO_AREA) and 'aria-current="' not in answer.text.partition("<main")[0]:
                faults.append(f"{page} on {origin}: the menu does not say where one is")
            fresh = [(one, page) for one in links(page, answer.text) if one not in seen]
            seen.update(one for one, _page in fresh)
            waiting.extend(fresh)
        answer.close()
    return kinds, faults


def test_every_link_of_everybody_leads_somewhere(portal):
    build(portal.resources)
    reached: Counter[str] = Counter()
    for person in PEOPLE:
        kinds, faults = walk(portal, portal.signed_in(person.email, PASSWORD))
        assert not faults, f"{person.email}:\n" + "\n".join(faults)
        reached += kinds
    assert {"catalogue.release", "deliveries.show", "evidence.pack", "couriers.show", "recalls.show"} <= reached.keys()
