"""The routes as the application itself knows them.

`urls.txt` lists every address with its methods, endpoint and guard, so that none vanishes, opens or closes unnoticed.
After a wanted change: REFRESH_URLS=1 pytest tests/house/test_routes.py, and read the difference before committing it.
"""

import os
from pathlib import Path

from portal.app import MENU
from portal.permissions import Permission
from portal.web.guard import PUBLIC, guard_of

LISTED = Path(__file__).with_name("urls.txt")
SAFE = {"GET", "HEAD", "OPTIONS"}


def lines(app):
    found = set()
    for rule in app.url_map.iter_rules():
        guard = guard_of(app, rule.endpoint)
        methods = ",".join(sorted(rule.methods - {"HEAD", "OPTIONS"}))
        found.add(f"{rule.rule} {methods} {rule.endpoint} {getattr(guard, 'value', guard)}")
    return sorted(found)


def test_every_route_says_who_may_come_in(app):
    undeclared = [rule.endpoint for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is None]
    assert undeclared == []
    guards = {guard_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    assert guards <= {PUBLIC, *Permission}


def test_no_address_vanishes_or_appears_unnoticed(app):
    found = lines(app)
    if os.environ.get("REFRESH_URLS"):
        LISTED.write_text("\n".join(found) + "\n")
    listed = LISTED.read_text().splitlines()
    assert {"vanished": sorted(set(listed) - set(found)), "new": sorted(set(found) - set(listed))} == {
        "vanished": [], "new": [],
    }  # fmt: skip
    assert listed == found


def test_no_two_endpoints_share_an_address(app):
    taken = {}
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert taken.setdefault((rule.rule, method), rule.endpoint) == rule.endpoint
    assert len(taken) > 10


def test_the_menu_leads_somewhere_that_its_reader_may_go(app):
    for entry in (entry for area in MENU for entry in area.entries):
        assert entry.endpoint in app.view_functions, entry.endpoint
        assert guard_of(app, entry.endpoint) is entry.permission, entry.endpoint


def test_the_api_stands_under_its_version(app):
    for rule in app.url_map.iter_rules():
        assert rule.rule.startswith("/api/v1/") == rule.endpoint.partition(".")[0].endswith("_api"), rule


def test_a_view_is_named_once(app):
    """Two endpoints on one function would share its guard by accident, not by decision."""
    seen = {}
    for endpoint, view in app.view_functions.items():
        if endpoint.endswith("static"):
            continue
        assert seen.setdefault(id(view), endpoint) == endpoint
