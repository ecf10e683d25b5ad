"""What the support centre installs stands in the ledger, with the decision of that moment; nothing else does."""

from datetime import timedelta

import pytest

from portal.actors import PORTAL_JOB
from portal.backups import queries as backups
from portal.deliveries import queries as deliveries
from portal.deliveries import requests
from portal.deliveries.chain import first_bad
from portal.deliveries.errors import MovesWithUpdate, NotEntitled
from portal.errors import Forbidden, NotFound
from portal.releases.models import Release, ReleaseState
from portal.updates import access, errors, installing, own_way, running
from portal.updates.states import StepState, UpdateState
from tests.updates.conftest import LATER, WINDOW

DONE, FAILED, BACK = StepState.DONE, StepState.FAILED, StepState.ROLLED_BACK


def ledger(world, update):
    """Every delivery of the update with its events."""
    with world.portal.sessions() as session:
        found = own_way.asked_for(session, world.load(update), visible_to=world.actor("engineer"))
        return [deliveries.get(session, one.id, visible_to=world.actor("engineer")) for one in found]


def test_each_release_is_delivered_by_its_first_device_and_confirmed_by_the_customer(world):
    update = world.running()
    world.step(update, "SN-1", DONE)
    world.step(update, "SN-2", DONE, DONE)
    world.step(update, "SN-1", FAILED, BACK)
    world.do(running.finish, update, at=LATER + timedelta(minutes=20))
    second, third = ledger(world, update)
    assert [(one.number, one.release.version, one.channel.value, one.state.value) for one in (second, third)] == [
        ("D-000001", "2", "remote-installation", "delivered"), ("D-000002", "3", "remote-installation", "delivered"),
    ]  # fmt: skip
    kinds = ["requested", "approved", "prepared", "delivered", "granted", "installed"]
    assert [event.kind.value for event in second.events] == kinds
    assert [event.kind.value for event in third.events] == [*kinds[:4], "granted"]
    approved, delivered = second.events[1], second.events[3]
    assert approved.evidence["decision"]["basis"] == second.decision["basis"] == "active-contract"
    assert approved.evidence["consent"]["name"] == second.recipient["name"] == world.people["engineer"].name
    assert delivered.evidence["session"]["engineer"] == world.people["tsc"].name
    assert (delivered.evidence["device"], second.events[5].evidence["device"]) == ("SN-1", "SN-2")
    assert first_bad(second.events) is None
    with world.portal.sessions() as session:
        copies = session.scalars(backups.copies("", visible_to=world.actor("engineer"))).all()
    assert [release.version for release in copies] == ["3", "2"]

    page = world.of("engineer").get(f"/updates/{update.id}").text
    assert "Confirm the installation" in page
    for who, error in (("tsc", Forbidden), ("stranger", NotFound)):
        with pytest.raises(error):
            world.do(installing.confirm, update, who=who)
    world.portal.clock.at = LATER + timedelta(minutes=30)
    assert world.of("engineer").submit(f"/updates/{update.id}/confirm", f"/updates/{update.id}").status_code == 303
    assert {one.state.value for one in ledger(world, update)} == {"acknowledged"}
    with pytest.raises(errors.NothingInstalled):
        world.do(installing.confirm, update, who="engineer", at=world.portal.clock())
    shown = world.of("engineer").get(f"/deliveries/{second.id}").text
    assert "Installed on one more device" in shown
    assert "Consent to remote access" in shown


def test_what_may_not_be_taken_now_is_not_begun(world):
    update = world.running("SN-1")
    with world.portal.sessions.begin() as session:
        release = session.get_one(Release, world.releases["2"].id)
        release.state, release.withdrawn_at, release.withdrawn_because = ReleaseState.WITHDRAWN, LATER, "It burns."
    due = world.load(update).devices[0].due
    with pytest.raises(NotEntitled):
        world.do(running.begin_step, update, due.id, at=LATER)
    assert world.load(update).devices[0].due.state is StepState.PLANNED
    assert ledger(world, update) == []


def test_without_the_customers_consent_no_step_begins_and_what_has_begun_can_be_told(world):
    update = world.running("SN-1")
    due = world.load(update).devices[0].due
    world.do(running.begin_step, update, due.id, at=LATER)
    [session] = world.load(update).sessions
    assert (session.device.serial, session.consent.given_name) == ("SN-1", world.people["engineer"].name)
    world.do(access.end_access, update, who="engineer", at=LATER)
    world.do(running.end_step, update, due.id, running.Ended(DONE), at=LATER + timedelta(minutes=1))
    due = world.load(update).devices[0].due
    with pytest.raises(errors.ConsentMissing):
        world.do(running.begin_step, update, due.id, at=LATER + timedelta(minutes=2))
    assert "no step can begin" in world.of("tsc").get(f"/updates/{update.id}").text
    assert world.do(running.finish, update, at=LATER + timedelta(minutes=3)) is UpdateState.FAILED


def test_what_was_installed_nowhere_is_cancelled_and_nobody_else_moves_it(world):
    update = world.running("SN-1")
    world.step(update, "SN-1", FAILED)
    [begun] = ledger(world, update)
    for verb, who in ((requests.cancel, world.actor("engineer")), (requests.cancel, world.actor("tsc"))):
        with world.portal.sessions.begin() as session, pytest.raises(MovesWithUpdate):
            verb(
                session,
                deliveries.get(session, begun.id, visible_to=PORTAL_JOB),
                reason="no",
                by=who,
                at=WINDOW.ends_at,
            )
    world.do(running.finish, update, at=WINDOW.ends_at)
    [ended] = ledger(world, update)
    assert (ended.state.value, ended.events[-1].evidence["reason"]) == (
        "cancelled", f"It was installed on no device: {update.number}.",
    )  # fmt: skip
