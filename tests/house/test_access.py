"""The access table: every route, every person, what each gets. `access.txt` is read by people; a difference fails.

Cells: `in` (let in, whatever the form then says), `sign-in`, `403`, `404`. Rows name things of customer A: customer
B's columns are 404 wherever a row names one. After a wanted change: REFRESH_ACCESS=1 pytest tests/house, and read the
difference before committing it.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from tests.portals import Browser, Portal
from tests.worlds import PEOPLE, World, make_world

TABLE = Path(__file__).with_name("access.txt")
AUTHORIZED = "authorized person"
COLUMNS = ("nobody", AUTHORIZED, *PEOPLE)
"""An authorized person has no sign-in, only the cookie of their own link."""


def values(world: World) -> dict[str, object]:
    """What stands in an address, always customer A's."""
    return {
        "artifact_id": world.artifact.id,
        "name": "SHA256SUMS",
        "release_id": world.published.id,
        "delivery_id": world.delivery.id,
        "code": world.product.code,
        "version": world.published.version,
        "public_id": world.issue.public_id,
        "number": f"T-{world.ticket.number:06d}",
        "person_id": world.people["engineer A"].id,
        "organisation_id": world.customer_a.id,
        "token_id": world.token_id,
        "contract_id": world.contract.id,
        "grant_id": world.grant.id,
        "agreement_id": world.agreement.agreement_id,
        "version_id": world.agreement.id,
        "train_id": world.train.id,
        "rule_id": world.export_rule.id,
        "job_id": world.job.id,
        "holder_id": world.recipient.id,
        "power_id": world.power.id,
        "address_id": world.address.id,
        "medium_id": world.medium.id,
        "act_id": world.act.id,
        "carrier_id": world.carrier.id,
        "incident_id": world.medium.id,  # nobody's
        "shift_id": world.medium.id,  # nobody's
        "note_id": world.medium.id,  # nobody's
        "programme_id": world.medium.id,  # nobody's
        "sequence": 1,
        "secret": "wrong-secret",
        "token": "wrong-token",
        "holding_id": world.holding.id,
        "link_id": world.link.id,
        "device_id": world.device.id,
        "site_id": world.site.id,
        "update_id": world.update.id,
        "step_id": world.update.devices[0].steps[0].id,
        "session_id": world.update.sessions[0].id,
        "remote_id": world.ticket_session.id,
        "secret_id": world.update.secrets[0].id,
        "backup_id": world.backup.id,
        "contact_id": world.contact.id,
        "file_id": world.file.id,
        "statement_id": world.statement.id,
        "mail_id": world.medium.id,  # nobody's
        "event_id": world.medium.id,  # nobody's
        "participant_id": world.medium.id,  # nobody's
        "language": "en",
        "key_id": world.portal.resources.keys.active().key_id,
    }


SPECIAL = {
    "locale.choose": {"code": "ru"},
    "releases.notes_revision": {"number": 1},
    "backups_api.put_backup": {"name": "running.cfg"},
    "couriers.medium_proof": {"number": 1},
    "couriers.happened": {"what": "lost"},
    "couriers.paper": {"paper": "packing"},
}
DOWNLOAD = "deliveries.download"
OF_A_REQUEST = {f"deliveries.{verb}" for verb in ("approve", "cancel", "fail", "stop", "resume", "change_recipient")}
"""Routes about a delivery that was asked for; the others are asked about a download."""


def asked(world: World) -> dict[str, dict[str, object]]:
    """What a route reads from the query or the form to know which thing is meant, by endpoint."""
    line = {"line": world.contract.lines[0].id}
    return {
        "entitlements.why": {"customer": world.customer_a.id},
        "entitlements_api.decisions": {"customer": world.customer_a.id, "release": world.published.id},
        "entitlements.edit_line": line,
        "entitlements.remove_line": line,
        "tickets.state": {"step": "close"},
        "tickets.take_call": {"contact": world.contact.id},
        "tickets.rate": {"score": "5"},
        "updates.begin_ticket_session": {"device": world.device.id},
        "deliveries.new": {"release": world.published.id},
        "handovers.check": {"delivery": world.handed.id},
        "handovers.prepare": {"delivery": world.handed.id},
        "authority.mend": {"person": world.recipient.id, "product": world.product.id},
    }


def rows(world: World) -> list[tuple[str, str, str]]:
    """(endpoint, method, address) of every route but static files."""
    app, known = world.portal.app, values(world)
    found = []
    with app.test_request_context():
        for rule in sorted(app.url_map.iter_rules(), key=lambda r: (str(r), r.endpoint)):
            if rule.endpoint.endswith("static"):
                continue
            adapter = app.url_map.bind("localhost")
            special: dict[str, object] = dict(SPECIAL.get(rule.endpoint, {}))
            if rule.endpoint == DOWNLOAD:
                special["name"] = world.artifact.name
            if rule.endpoint in OF_A_REQUEST or rule.endpoint.startswith("couriers."):
                special["delivery_id"] = world.requested.id
            if rule.endpoint.startswith("recalls."):
                special["release_id"] = world.withdrawn.id
            if rule.endpoint.startswith("handovers."):
                special["delivery_id"] = world.handed.id
            arguments = {name: special.get(name) or _value(rule, name, known) for name in rule.arguments}
            address = adapter.build(rule.endpoint, arguments, method=_any(rule))
            if rule.endpoint in asked(world):
                address += "?" + urlencode(asked(world)[rule.endpoint])
            found += [(rule.endpoint, method, address) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return found


def _any(rule: Rule) -> str:
    return next(iter(sorted(rule.methods - {"HEAD", "OPTIONS"})))


def _value(rule: Rule, name: str, known: dict[str, object]) -> object:
    assert name in known, f"{rule}: say in values() what stands for <{name}>"
    return known[name]


@dataclass
class Frozen:
    """A world in which no request leaves a trace, and everybody's cookie and form token of before the first one."""

    world: World
    passes: dict[str, tuple[str, str]]

    def browser(self, who: str) -> tuple[Browser, dict[str, str]]:
        cookie, token = self.passes[who]
        browser = self.world.authorized() if who == AUTHORIZED else self.world.portal.browser()
        browser.set_cookie("portal", cookie)
        return browser, {"X-CSRFToken": token}


def cell(frozen: Frozen, who: str, method: str, address: str) -> str:
    browser, headers = frozen.browser(who)
    form = dict(parse_qsl(urlsplit(address).query)) if method == "POST" else None
    answer = browser.open(address, method=method, headers=headers, data=form)
    status, location = answer.status_code, answer.headers.get("Location", "")
    answer.close()
    assert status < 500, f"{who} {method} {address}: {status}\n{answer.text[:2000]}"
    if status == 401 or (status == 303 and location.startswith("/sign-in")):
        return "sign-in"
    return str(status) if status in (403, 404) else "in"


@pytest.fixture
def frozen(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Frozen:
    world = make_world(portal)
    passes = {}
    for who in COLUMNS:
        is_known = who in PEOPLE
        browser = world.browser(who) if is_known else portal.browser()
        token = browser.get_token("/account" if is_known else "/sign-in")
        cookie = browser.get_cookie("portal")
        assert cookie is not None
        passes[who] = (cookie.decoded_value, token)
    monkeypatch.setattr(Session, "commit", Session.flush)
    return Frozen(world, passes)


def measured(frozen: Frozen) -> dict[str, list[str]]:
    return {
        f"{method} {endpoint}": [cell(frozen, who, method, address) for who in COLUMNS]
        for endpoint, method, address in rows(frozen.world)
    }


def written(table: dict[str, list[str]]) -> str:
    width = max(len(row) for row in table)
    lines = [" " * width + "  " + "  ".join(column.ljust(13) for column in COLUMNS).rstrip()]
    lines += [row.ljust(width) + "  " + "  ".join(c.ljust(13) for c in cells).rstrip() for row, cells in table.items()]
    return "\n".join(lines) + "\n"


def test_every_route_admits_whom_the_table_says(frozen: Frozen) -> None:
    table = measured(frozen)
    if os.environ.get("REFRESH_ACCESS"):
        TABLE.write_text(written(table))
    stored = {
        parts[0]: parts[1:]
        for parts in (re.split(r"\s{2,}", line.strip()) for line in TABLE.read_text().splitlines()[1:])
    }
    assert table == stored


def test_what_is_customer_a_s_is_nothing_to_customer_b(frozen: Frozen) -> None:
    """Said apart from the table, so that refreshing it can't hide a leak."""
    shared = {"locale.choose", "releases.key_file", "accounts.invitation", "accounts.reset"}
    leaks = []
    for endpoint, method, address in rows(frozen.world):
        rule = next(r for r in frozen.world.portal.app.url_map.iter_rules() if r.endpoint == endpoint)
        if not rule.arguments or endpoint in shared:
            continue
        for who, peer in (("engineer B", "engineer A"), ("manager B", "manager A")):
            got = cell(frozen, who, method, address)
            # 403 only where the role may never do it, to its own things neither: otherwise it tells that they exist.
            if got != "404" and not (got == "403" == cell(frozen, peer, method, address)):
                leaks.append(f"{who} {method} {address}: {got}")
    assert not leaks, "\n".join(leaks)
