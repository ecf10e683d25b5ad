"""The pages as both sides use them, the calendar, the API, what nobody else may see."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

from icalendar import Calendar
from pypdf import PdfReader
from sqlalchemy import event

from portal.accounts.models import Organisation
from portal.releases.models import Release
from portal.updates import running
from portal.updates.states import StepState, Way
from tests.factories import make_backup
from tests.portals import START
from tests.updates.conftest import LATER, SECRET, WINDOW


def propose(world, who, **facts):
    address = "/updates/new" if who == "engineer" else f"/updates/new?customer={world.customer.code}"
    given = {"devices": [str(world.devices["SN-1"].id)], "release": str(world.releases["3"].id), "way": "remote",
             "begins": "2026-03-11T02:00", "ends": "2026-03-11T06:00", "origin": "agreed", **facts}  # fmt: skip
    return world.of(who).submit(address, **given)


def test_a_customer_proposes_and_the_support_centre_carries_it_out(world):
    portal, customer, engineer = world.portal, world.of("engineer"), world.of("tsc")
    page = propose(world, "engineer")
    assert page.status_code == 303, page.text
    path = page.location
    assert "2026-03-11 02:00" in customer.get(path).text
    assert engineer.submit(f"{path}/consent", path).status_code == 303
    customer.submit(f"{path}/secrets", label="jump host", text=SECRET)
    customer.submit(f"{path}/access", until="2026-03-11T06:00")
    engineer.submit(f"{path}/take-on", path)
    for _ in range(5):
        page = engineer.get(path).text
        pattern = r'name="name" value="([^"]+)"><input type="hidden" name="key" value="([^"]*)"'
        name, key = re.search(pattern, page).groups()
        engineer.submit(f"{path}/check", path, name=name, key=key, reason="A spare stands beside it.")
    portal.clock.at = WINDOW.begins_at + timedelta(hours=3)
    customer, engineer = world.of("engineer"), world.of("tsc")
    engineer.submit(f"{path}/start", path)
    device = re.search(r'name="device" value="([^"]+)"', engineer.get(path).text).group(1)
    remote = engineer.submit(f"{path}/sessions", path, device=device).location
    assert world.people["tsc"].name in customer.get(path).text
    assert "End the consent to remote access now" in customer.get(path).text
    look = re.search(rf'action="({path}/sessions/[^"]+/secrets/[^"]+)"', engineer.get(remote).text).group(1)
    shown = engineer.submit(look, remote)
    assert SECRET in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    for who in (customer, engineer):
        for page in (path, remote, f"{path}/report.pdf", f"/api/v1{path}", "/updates", "/api/v1/updates"):
            assert SECRET.encode() not in who.get(page).data
    assert engineer.submit(look, remote).status_code == 403
    assert engineer.submit(f"{remote}/notes", remote, text="show version").status_code == 303
    assert engineer.submit(f"{remote}/files", remote, name="log", digest="short").status_code == 422
    assert engineer.submit(f"{remote}/files", remote, name="log", digest="ab" * 32).status_code == 303
    assert "show version" in customer.get(remote).text
    for _ in range(2):
        begin = re.search(rf'action="({path}/steps/[^"]+/begin)"', engineer.get(path).text).group(1)
        step = engineer.submit(begin, path).location
        assert engineer.submit(step, state="failed", note="").status_code == 422
        assert engineer.submit(step, state="done", minutes="0").status_code == 303
    [back] = re.findall(rf'href="({path}/steps/[^"]+)"', engineer.get(path).text)
    assert back in step, "the last step alone can go back"
    assert "By going back. Empty: it interrupted nothing." in engineer.get(back).text
    assert f"/devices/{world.devices['SN-1'].id}/backups" in engineer.get(back).text
    assert "It is done" not in engineer.get(back).text
    assert engineer.submit(f"{remote}/finish", remote, result="done").status_code == 303
    assert engineer.submit(f"{path}/finish", path).status_code == 303
    assert world.installed("SN-1") == "3"
    shown = customer.get(f"/api/v1{path}").json
    assert (shown["state"], shown["sessions"][0]["files"][0]["sha256"]) == ("done", "ab" * 32)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(customer.get(f"{path}/report.pdf").data)).pages)
    assert "U-000001" in text
    assert "show version" in text


def test_the_window_stands_there_on_the_clock_of_the_site_and_on_ones_own(world):
    with world.portal.sessions.begin() as session:
        session.get_one(Organisation, world.tsc.id).time_zone = "Europe/Moscow"
    path = propose(world, "engineer").location
    shown = world.of("tsc").get(path).text
    for said in ("2026-03-11 02:00", "Asia/Vladivostok", "2026-03-10 19:00", "Europe/Moscow", "2026-03-10 15:00"):
        assert said in shown, "the site's clock, one's own, and when the customer consented"


def test_refusals_stand_beside_their_fields(world):
    for facts, words in (
        ({"devices": [str(world.devices["SN-9"].id)]}, "not a valid choice"),
        ({"devices": []}, "Choose at least one device."),
        ({"begins": "2026-03-01T02:00"}, "The window lies in the past."),
        ({"begins": "2026-03-12T02:00"}, "The window ends before it begins."),
        ({"release": str(world.releases["1"].id)}, "runs 1 already"),
    ):
        page = propose(world, "engineer", **facts)
        assert page.status_code == 422
        assert words in page.text, words
    world.release("4", lowest="3.5")
    page = propose(world, "engineer", release=str(world.releases["4"].id))
    assert page.status_code == 422
    assert "SN-1: The way is shut at 4, by the vendor: it can be installed over 3.5 or newer" in unescape(page.text)
    world.portal.clock.advance(days=400)
    late = world.release("5", published_at=START + timedelta(days=399), open_from=START + timedelta(days=399))
    page = propose(world, "engineer", release=str(late.id), begins="2027-05-11T02:00", ends="2027-05-11T06:00")
    assert page.status_code == 422
    assert "SN-1: The way is shut at 5, by the contract" in unescape(page.text)
    assert world.of("engineer").get("/api/v1/updates").json["updates"] == []


def test_a_draft_without_a_window_is_given_one_later(world):
    path = propose(world, "tsc", begins="", ends="", origin="demanded").location
    engineer = world.of("tsc")
    assert engineer.submit(f"{path}/window", begins="2026-03-01T01:00", ends="2026-03-11T03:00",
                           time_zone="Asia/Vladivostok").status_code == 422  # fmt: skip
    skipped = engineer.submit(f"{path}/window", begins="2026-03-29T02:30", ends="2026-03-29T05:00",
                              time_zone="Europe/Berlin")  # fmt: skip
    assert skipped.status_code == 422
    assert "the clock in Europe/Berlin never shows 02:30" in skipped.text
    assert engineer.submit(f"{path}/window", begins="2026-03-12T01:00", ends="2026-03-12T03:00",
                           time_zone="Asia/Vladivostok").status_code == 303  # fmt: skip
    assert engineer.submit(f"{path}/propose", path).status_code == 303
    assert engineer.submit(f"{path}/cancel", reason="").status_code == 422
    assert engineer.submit(f"{path}/cancel", reason="not needed").status_code == 303
    assert engineer.get(f"/api/v1{path}").json["state"] == "cancelled"


def test_the_customer_stops_a_running_session_on_the_page(world):
    update = world.running("SN-1")
    session_id = world.session(update)
    world.portal.clock.at = LATER
    path = f"/updates/{update.id}"
    assert "is in a remote session on SN-1" in world.of("engineer").get(path).text
    assert world.of("engineer").submit(f"{path}/access/end", path).status_code == 303
    assert "is in a remote session" not in world.of("engineer").get(path).text
    page = world.of("tsc").get(f"{path}/sessions/{session_id}").text
    assert "stopped: the customer ended its consent" in page
    assert "Show once" not in page


def test_the_own_way_is_prepared_and_reported_on_the_pages(world):
    update = world.agreed("SN-1", way=Way.OWN)
    path, customer = f"/updates/{update.id}", world.of("engineer")
    assert "name an authorized person first" in customer.get(f"{path}/files").text
    assert customer.submit(f"{path}/prepare", path).status_code == 303
    world.tick(update, "engineer")
    world.portal.clock.at = LATER
    assert world.of("engineer").submit(f"{path}/start", path).status_code == 303


def test_what_was_withdrawn_since_it_was_planned_is_not_begun(world):
    update = world.running("SN-1", way=Way.OWN)
    world.step(update, "SN-1", StepState.DONE, who="engineer")
    world.portal.clock.at = LATER
    path, customer = f"/updates/{update.id}", world.of("engineer")
    assert "was withdrawn" not in customer.get(path).text
    with world.portal.sessions.begin() as session:
        session.get_one(Release, world.releases["3"].id).withdraw("It burns.", LATER, None)
    begin = re.search(rf'action="({path}/steps/[^"]+/begin)"', customer.get(path).text).group(1)
    assert "3 was withdrawn: It burns. No step to it can begin." in customer.get(path).text
    refused = customer.submit(begin, path)
    assert refused.status_code == 409
    assert "3 was withdrawn: It burns." in refused.text
    world.do(running.finish, update, who="engineer", at=LATER)
    assert "No step to it can begin." not in customer.get(path).text


def test_the_engineer_reads_a_devices_backup_while_the_update_runs_and_nobody_else_of_the_desk(world):
    update, portal = world.running("SN-1"), world.portal
    with portal.sessions.begin() as session:
        backup = make_backup(portal.store, session, session.merge(world.devices["SN-1"]), b"hostname core-1")
        other = make_backup(portal.store, session, session.merge(world.devices["SN-2"]), b"hostname core-2")
    address = f"/backups/{backup.id}"
    assert world.of("tsc").get(address).data == b"hostname core-1"
    statuses = [world.of(who).get(address).status_code for who in ("engineer", "colleague", "stranger")]
    assert statuses == [200, 403, 404]
    assert world.of("tsc").get(f"/backups/{other.id}").status_code == 403, "it is not part of the update"
    world.step(update, "SN-1", StepState.DONE, StepState.DONE)
    world.do(running.finish, update, at=LATER)
    assert world.of("tsc").get(address).status_code == 403


def test_the_calendar_is_read_by_whoever_has_the_address_until_it_is_shut(world):
    update = world.agreed()
    customer, nobody = world.of("engineer"), world.portal.browser()
    assert update.number in customer.get("/updates/calendar").text
    assert update.number not in world.of("stranger").get("/updates/calendar").text
    page = customer.submit("/updates/calendar").text
    address = re.search(r'data-copy="http://[^/]+(/calendar/[^"]+\.ics)"', page).group(1)
    answer = nobody.get(address)
    assert answer.content_type == "text/calendar; charset=utf-8"
    [planned] = Calendar.from_ical(answer.data).walk("VEVENT")
    assert (planned["dtstart"].dt, planned["dtend"].dt) == (WINDOW.begins_at, WINDOW.ends_at)
    assert update.number in planned["summary"]
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))
    stranger = re.search(r"/calendar/[^\"]+\.ics", world.of("stranger").submit("/updates/calendar").text).group()
    assert not Calendar.from_ical(nobody.get(stranger).data).walk("VEVENT")
    assert nobody.get("/calendar/wrong.ics").status_code == 404
    customer.submit("/updates/calendar/revoke", "/updates/calendar")
    assert nobody.get(address).status_code == 404


def test_another_customer_sees_none_of_it(world):
    update = world.running("SN-1")
    session_id, stranger = world.session(update), world.of("stranger")
    [step] = world.load(update).devices[0].steps[:1]
    path = f"/updates/{update.id}"
    for page in ("", "/report.pdf", "/window", "/cancel", "/secrets", "/access", "/files", f"/steps/{step.id}",
                 f"/sessions/{session_id}"):  # fmt: skip
        assert stranger.get(path + page).status_code == 404, page
    assert stranger.get(f"/api/v1{path}").status_code == 404
    for page in ("/updates", "/updates/calendar", "/api/v1/updates"):
        assert update.number not in stranger.get(page).text
    assert update.number in world.of("engineer").get("/updates?q=core&open=1").text


def test_the_list_and_one_update_ask_a_fixed_number_of_statements(world):
    counts = []
    for serial in ("SN-1", "SN-2"):
        update = world.running(serial)
        world.step(update, serial, StepState.DONE)
        pages = ("/updates", f"/updates/{update.id}")
        counts.append([statements(world, page) for page in pages])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 16


def statements(world, page):
    asked, engine, browser = [], world.portal.resources.engine, world.of("tsc")

    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    browser.get(page)
    event.remove(engine, "before_cursor_execute", note)
    return len(asked)


def test_what_stands_in_an_address_belongs_together(world):
    """Step, device, remote session and access information of one update are nothing within another's address."""
    mine, other = world.running("SN-1"), world.running("SN-2")
    session_id, step = world.session(other, "SN-2"), world.load(other).devices[0].due
    page, tsc = f"/updates/{mine.id}", world.of("tsc")
    secrets = [world.load(update).secrets[0].id for update in (mine, other)]
    for path, fields in (
        (f"sessions/{session_id}/notes", {"text": "x"}),
        (f"sessions/{session_id}/finish", {"result": "x"}),
        (f"sessions/{session_id}/secrets/{secrets[0]}", {}),
        (f"sessions/{world.session(mine)}/secrets/{secrets[1]}", {}),
        ("sessions", {"device": str(world.load(other).devices[0].id)}),
        (f"steps/{step.id}", {"state": "done"}),
    ):
        answer = tsc.submit(f"{page}/{path}", page=page, **fields)
        assert (answer.status_code, SECRET in answer.text) == (404, False), path
    assert tsc.submit(f"{page}/steps/{step.id}/begin", page=page).status_code == 409


def test_a_host_clock_that_was_set_back_keeps_nobody_from_saying_how_a_step_ended(world):
    update = world.running("SN-1")
    step = world.load(update).devices[0].due
    world.do(running.begin_step, update, step.id, at=LATER)
    ended = running.Ended(StepState.DONE, "", timedelta(minutes=4))
    world.do(running.end_step, update, step.id, ended, at=LATER - timedelta(minutes=30))
    assert world.load(update).devices[0].steps[0].downtime_seconds == 240


def test_what_is_sent_by_hand_breaks_nothing(world):
    """A point of the checklist without its device; instants at the ends of the calendar, where zones have no date."""
    world.portal.app.testing = False  # what nobody foresaw becomes an answer, as it does where customers are
    update = world.agreed()
    world.do(running.take_on, update)
    page = f"/updates/{update.id}"
    for fields in ({"name": "backup", "key": ""}, {"name": "backup"}, {"name": "notes", "key": "x"}):
        assert world.of("tsc").submit(f"{page}/check", page=page, **fields).status_code == 404
    for year in ("0001-01-01", "9999-12-31"):
        assert world.of("engineer").submit(f"{page}/access", until=f"{year}T23:59").status_code == 422
        window = {"begins": f"{year}T20:00", "ends": f"{year}T23:59", "time_zone": "America/New_York"}
        assert world.of("engineer").submit(f"{page}/window", **window).status_code == 422
