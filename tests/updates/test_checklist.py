"""Backup and files are seen, not ticked: what stands by itself, what does not, and what is done without."""

from datetime import timedelta

import pytest

from portal.entitlements import service as entitlements
from portal.texts import TextMissing
from portal.updates import checklist, errors, own_way, planning, running
from portal.updates.states import CHECKS_ONCE, Check, UpdateState, Way
from tests.factories import make_backup, make_recipient
from tests.portals import START
from tests.updates.conftest import LATER, WINDOW


def back_up(world, serial, at, **facts):
    with world.portal.sessions.begin() as session:
        device = session.merge(world.devices[serial])
        make_backup(world.portal.store, session, device, b"config", stored_at=at, **facts)


def seen(world, update, who="tsc"):
    """The devices (or "files") whose point stands by itself."""
    loaded = world.load(update)
    serials = {str(device.id): device.device.serial for device in loaded.devices}
    with world.portal.sessions() as session:
        found = checklist.on_record(session, loaded, visible_to=world.actor(who))
    return {serials.get(key, name.value) for name, key in found.points}


def test_a_backup_of_the_device_since_the_agreement_that_can_be_read_ticks_its_point(world):
    back_up(world, "SN-1", START - timedelta(minutes=1), checked_at=START)
    update = world.agreed()
    world.do(running.take_on, update)
    back_up(world, "SN-9", START, checked_at=START)
    back_up(world, "SN-1", START + timedelta(minutes=1), checked_at=START, problem="backup-damaged")
    assert seen(world, update) == set(), "too old, another's, and one that can't be read"
    back_up(world, "SN-1", START + timedelta(minutes=2))
    assert seen(world, update) == set()
    assert "is being read back" in world.of("tsc").get(f"/updates/{update.id}").text
    world.portal.clock.at = START + timedelta(minutes=5)
    world.portal.work()
    assert seen(world, update) == {"SN-1"}

    second = str(world.load(update).devices[1].id)
    for name in CHECKS_ONCE:
        world.do(checklist.check, update, (name, ""))
    with pytest.raises(errors.NotPrepared):
        world.do(running.start, update, at=LATER)
    with pytest.raises(TextMissing):
        world.do(checklist.check, update, (Check.BACKUP, second), "  ")
    path = f"/updates/{update.id}"
    page = world.of("tsc").submit(f"{path}/check", path, name="backup", key=second, reason="The disk is new.")
    assert page.status_code == 303
    world.do(running.start, update, at=LATER)
    notes = {row.key: row.note for row in world.load(update).checks if row.name is Check.BACKUP}
    assert notes[second] == "The disk is new."
    assert "running.cfg, SHA-256" in notes[str(world.load(update).devices[0].id)]
    text = world.of("engineer").get(path).text
    assert "The disk is new." in text
    assert "running.cfg" in text


def test_a_window_that_is_agreed_anew_wants_a_backup_of_its_own(world):
    update = world.agreed("SN-1")
    back_up(world, "SN-1", START, checked_at=START)
    assert seen(world, update) == {"SN-1"}
    later = START + timedelta(minutes=30)
    moved = type(WINDOW)(WINDOW.begins_at, WINDOW.ends_at + timedelta(hours=1), WINDOW.time_zone)
    world.do(planning.set_window, update, moved, at=later)
    for who in ("engineer", "tsc"):
        world.do(planning.consent, update, who=who, at=later)
    assert seen(world, update) == set()


def test_the_files_of_the_customers_own_way_have_come_when_every_release_was_received(world):
    update = world.agreed("SN-1", way=Way.OWN)
    with world.portal.sessions.begin() as session:
        recipient = make_recipient(session, session.merge(world.customer))
    handing = own_way.Handing(own_way.Channel.EMAIL, recipient)
    made = world.do(own_way.ask_for_files, update, handing, who="engineer")
    page = world.of("engineer").get(f"/updates/{update.id}").text
    assert "The dispatcher checks contract" in page, "the delivery's state and who is next"
    assert "The files came another way" in page
    for version in ("2", "3"):
        assert seen(world, update, "engineer") == set(), "not every release is there"
        with world.portal.sessions.begin() as session:
            release = world.releases[version]
            entitlements.record_received(session, world.customer.id, release.id, START)
    assert seen(world, update, "engineer") == {"files"}
    assert (made[0].state.value, world.load(update).state) == ("requested", UpdateState.PREPARING)
    remote = world.agreed("SN-2")
    world.do(running.take_on, remote)
    world.do(checklist.check, remote, (Check.FILES, ""), "nobody asks for it")
    assert world.load(remote).checks == []


def test_files_are_asked_for_anew_only_when_nothing_comes_of_what_was_asked_for(world):
    update = world.agreed("SN-1", way=Way.OWN)
    with world.portal.sessions.begin() as session:
        recipient = make_recipient(session, session.merge(world.customer))
    handing = own_way.Handing(own_way.Channel.HAND_OVER, recipient)
    made = world.do(own_way.ask_for_files, update, handing, who="engineer")
    customer = world.of("engineer")
    for delivery in made:
        with pytest.raises(errors.AlreadyAskedFor):
            world.do(own_way.ask_for_files, update, handing, who="engineer")
        address = f"/deliveries/{delivery.id}"
        assert customer.submit(f"{address}/cancel", address, reason="The wrong person").status_code == 303
    again = world.do(own_way.ask_for_files, update, handing, who="engineer")
    assert [one.number for one in again] == ["D-000003", "D-000004"]
    assert world.load(update).delivery_request_id == again[0].request_id
