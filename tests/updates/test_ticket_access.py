"""Remote sessions on a ticket: on whose consent, what was done, who sees it, how it is stopped, what is exported."""

import hashlib
import json
import zipfile
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest

from portal.errors import Forbidden, NotFound
from portal.tickets import queries as tickets
from portal.tickets.errors import TicketClosed
from portal.tickets.models import TicketState
from portal.updates import errors, queries, ticket_access
from tests.factories import make_ticket
from tests.portals import START

UNTIL = START + timedelta(hours=4)
DIGEST = hashlib.sha256(b"log").hexdigest()


@pytest.fixture
def number(world):
    with world.portal.sessions.begin() as session:
        return str(make_ticket(session, session.merge(world.customer), world.actor()))


def do(world, verb, number, *arguments, who="tsc", at=START):
    with world.portal.sessions.begin() as session:
        ticket = tickets.get(session, number, visible_to=world.actor("tsc"))
        return verb(session, ticket, *arguments, by=world.actor(who), at=at)


def access_of(world, number):
    with world.portal.sessions() as session:
        return queries.access_of(session, tickets.get(session, number, visible_to=world.actor("tsc")))


def begun(world, number, serial="SN-1", who="tsc", at=START):
    return do(world, ticket_access.begin, number, world.devices[serial].id, who=who, at=at).id


def test_without_consent_nothing_begins_and_only_the_customer_gives_it(world, number):
    with pytest.raises(errors.ConsentMissing):
        begun(world, number)
    for who, error in (("tsc", Forbidden), ("stranger", NotFound)):
        with pytest.raises(error):
            do(world, ticket_access.give, number, UNTIL, who=who)
    with pytest.raises(errors.ConsentPast):
        do(world, ticket_access.give, number, START, who="engineer")
    do(world, ticket_access.give, number, UNTIL, who="engineer")
    with pytest.raises(Forbidden):
        begun(world, number, who="engineer")
    for device_id in (world.devices["SN-9"].id, uuid4()):
        with pytest.raises(errors.UnknownDevice):
            do(world, ticket_access.begin, number, device_id)
    begun(world, number)
    with pytest.raises(errors.SessionRunning):
        begun(world, number, who="colleague")
    begun(world, number, "SN-2", who="colleague", at=START + timedelta(minutes=1))
    [first, second] = access_of(world, number).sessions
    assert (first.engineer_name, second.device.serial) == (world.people["tsc"].name, "SN-2")
    with world.portal.sessions.begin() as session:
        tickets.get(session, number, visible_to=world.actor("tsc")).state = TicketState.CLOSED
    with pytest.raises(TicketClosed):
        do(world, ticket_access.give, number, UNTIL, who="engineer")


def test_the_whole_record_stands_in_the_thread_and_in_the_export(world, number):
    do(world, ticket_access.give, number, UNTIL, who="engineer")
    session_id = begun(world, number)
    do(world, ticket_access.add_note, number, session_id, "show version\n```\n<b>fan</b> alarm")
    do(world, ticket_access.add_file, number, session_id, ("boot.log", DIGEST.upper()))
    for who, error in (("colleague", NotFound), ("engineer", Forbidden)):
        with pytest.raises(error):
            do(world, ticket_access.add_note, number, session_id, "mine", who=who)
    with pytest.raises(errors.NotADigest):
        do(world, ticket_access.add_file, number, session_id, ("boot.log", "short"))
    do(world, ticket_access.finish, number, session_id, "The fan was replaced.", at=START + timedelta(minutes=20))
    with pytest.raises(errors.SessionEnded):
        do(world, ticket_access.add_note, number, session_id, "one more")
    customer = world.of("engineer")
    page = customer.get(f"/tickets/{number}").text
    packed = zipfile.ZipFile(BytesIO(customer.get(f"/tickets/{number}/export.zip").data))
    exported = [one for one in json.loads(packed.read("ticket.json"))["events"] if one["kind"] == "session"]
    assert [one["by"] for one in exported] == [world.people[who].name for who in ("engineer", "tsc", "tsc")]
    record = exported[-1]["body"]
    parts = ("SN-1", "fan</b> alarm", DIGEST, "boot.log", "The fan was replaced.", "12:00:00", "12:20:00")
    for part in (*parts, world.people["engineer"].name, world.people["tsc"].name):
        assert part in record
    assert "The fan was replaced." in page
    assert "<b>fan</b>" not in page
    assert world.of("stranger").get(f"/tickets/{number}/sessions/{session_id}").status_code == 404


def test_the_customer_sees_a_running_session_and_stops_it_on_the_page(world, number):
    path, customer, engineer = f"/tickets/{number}", world.of("engineer"), world.of("tsc")
    assert customer.submit(f"{path}/access", until="2026-03-10T11:00").status_code == 422
    assert customer.submit(f"{path}/access", until="2026-03-10T16:00").status_code == 303
    remote = engineer.submit(f"{path}/sessions", path, device=world.devices["SN-1"].id).location
    world.portal.work()
    [letter] = [text for text in world.portal.mails() if "end the consent" in text]
    assert world.people["engineer"].email in letter
    for page in (path, remote):
        assert "End the consent to remote access now" in customer.get(page).text
        assert "End the consent" not in engineer.get(page).text
    assert engineer.submit(f"{remote}/notes", remote, text="show version").status_code == 303
    assert engineer.submit(f"{remote}/notes", remote, text="").status_code == 422
    assert engineer.submit(f"{remote}/files", remote, name="log", digest="short").status_code == 422
    assert engineer.submit(f"{remote}/files", remote, name="log", digest=DIGEST).status_code == 303
    assert "show version" in customer.get(remote).text
    assert customer.submit(f"{path}/access/end", path).status_code == 303
    assert "is in a remote session" not in customer.get(path).text
    assert engineer.submit(f"{remote}/notes", path, text="one more").status_code == 409
    assert "stopped: the customer ended its consent" in engineer.get(remote).text
    with pytest.raises(errors.ConsentMissing):
        do(world, ticket_access.end, number, who="engineer")


def test_a_session_ends_with_its_consent_also_when_nobody_does_anything(world, number):
    do(world, ticket_access.give, number, UNTIL, who="engineer")
    begun(world, number)
    for _ in range(2):
        world.portal.clock.at = UNTIL + timedelta(minutes=5)
        world.portal.work()
    [one] = access_of(world, number).sessions
    assert (one.ended_because, one.ended_at) == ("consent-expired", UNTIL)
    assert not [text for text in world.portal.mails() if "end the consent" in text], "of what is over nothing is said"
