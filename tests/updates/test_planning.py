"""Drawing up, windows, consents, cancelling; what an update may not be."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.errors import NotFound, PortalError
from portal.inventory.errors import NotATimeZone
from portal.permissions import Permission
from portal.updates import errors, planning
from portal.updates.models import UpdateRequest
from portal.updates.states import CLOSED, TRANSITIONS, Origin, UpdateState, Way
from portal.updates.windows import window_of
from tests.factories import make_product
from tests.portals import START
from tests.updates.conftest import WINDOW


def test_the_way_of_each_device_leads_through_required_releases(world):
    update = world.draw_up()
    shown = world.load(update, "engineer")
    assert shown.number == "U-000001"
    assert (shown.origin, shown.state, shown.time_zone) == (Origin.DEMANDED, UpdateState.DRAFT, "Asia/Vladivostok")
    assert [[step.version for step in device.steps] for device in shown.devices] == [["2", "3"], ["2", "3"]]
    with pytest.raises(NotFound):
        world.load(update, "stranger")


def test_what_is_no_update_is_refused(world):
    with world.portal.sessions.begin() as session:
        strange = make_product(session)
    world.release("9", product=strange)
    world.release("4", lowest="3.5")
    with world.portal.sessions.begin() as session:
        ids = {serial: device.id for serial, device in world.devices.items()}
        customer = session.merge(world.customer)
        good = planning.NewUpdate(customer, session.merge(world.releases["3"]), (ids["SN-1"],), Way.REMOTE)
        cases = [
            (replace(good, device_ids=()), "update-no-devices"),
            (replace(good, device_ids=(ids["SN-9"],)), "update-unknown-device"),
            (replace(good, device_ids=(ids["SN-1"], ids["SN-9"])), "update-unknown-device"),
            (replace(good, release=session.merge(world.releases["1"])), "update-already-there"),
            (replace(good, release=session.merge(world.releases["4"])), "update-no-way-vendor"),
            (replace(good, release=session.merge(world.releases["9"])), "update-device-of-other-product"),
            (replace(good, organisation=session.merge(world.other)), "not-found"),
        ]
        for new, code in cases:
            with pytest.raises(PortalError) as caught:
                planning.draw_up(session, new, by=world.actor(), at=START)
            assert caught.value.code == code
        planning.draw_up(session, good, by=world.actor(), at=START)
        with pytest.raises(errors.DeviceInOtherUpdate, match="U-000001"):
            planning.draw_up(session, good, by=world.actor(), at=START)


def test_a_missing_way_says_which_release_and_whose_reason(world):
    world.release("4", lowest="3.5")
    with pytest.raises(errors.NoWay) as vendor:
        world.draw_up("SN-1", to="4")
    assert vendor.value.facts["reason"] == "vendor"
    assert "4" in str(vendor.value)
    assert "3.5" in str(vendor.value)
    world.portal.clock.advance(days=400)
    late = world.release("5", published_at=START + timedelta(days=399), open_from=START + timedelta(days=399))
    with world.portal.sessions.begin() as session:
        new = planning.NewUpdate(
            session.merge(world.customer), session.merge(late), (world.devices["SN-1"].id,), Way.OWN
        )
        with pytest.raises(errors.NoWay) as contract:
            planning.draw_up(session, new, by=world.actor(), at=world.portal.clock())
    assert contract.value.code == "update-no-way-contract"
    assert contract.value.sentence_in(lambda text: text).startswith("SN-1: The way is shut at 5, by the contract")


@pytest.mark.parametrize(
    ("window", "error"),
    [
        (replace(WINDOW, begins_at=START - timedelta(seconds=1)), errors.WindowPast),
        (replace(WINDOW, ends_at=WINDOW.begins_at), errors.WindowBackwards),
        (replace(WINDOW, ends_at=WINDOW.begins_at + timedelta(days=15)), errors.WindowTooLong),
        (replace(WINDOW, time_zone="Mars/Base"), NotATimeZone),
    ],
)
def test_windows_that_are_none(window, error):
    with pytest.raises(error):
        window.require_sensible(START)


def test_an_hour_that_the_clock_skips_is_none_and_one_that_comes_twice_is_its_first():
    with pytest.raises(errors.NoSuchHour):
        window_of(datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 5), "Europe/Berlin")
    made = window_of(datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 4), "Europe/Berlin")
    assert made.ends_at - made.begins_at == timedelta(hours=2, minutes=30)


def test_a_changed_window_takes_both_consents_away(world):
    update = world.agreed()
    shown = world.load(update)
    assert shown.state is UpdateState.AGREED
    assert shown.customer_consent["name"] == world.people["engineer"].name
    world.do(planning.set_window, update, WINDOW)
    assert world.load(update).customer_consent, "the same window changes nothing"
    world.do(planning.set_window, update, replace(WINDOW, ends_at=WINDOW.ends_at + timedelta(hours=1)))
    shown = world.load(update)
    assert (shown.state, shown.customer_consent, shown.support_consent) == (UpdateState.PROPOSED, None, None)
    world.do(planning.consent, update)
    with pytest.raises(errors.AlreadyConsented):
        world.do(planning.consent, update)
    with pytest.raises(errors.WindowPast):
        world.do(planning.consent, update, who="engineer", at=WINDOW.ends_at + timedelta(hours=2))
    with pytest.raises(NotFound):
        world.do(planning.consent, update, who="stranger")


def test_without_a_window_nothing_is_proposed(world):
    update = world.draw_up()
    with pytest.raises(errors.NoWindow):
        world.do(planning.propose, update)
    world.do(planning.cancel, update, reason="not now")
    with pytest.raises(errors.UpdateStepNotPossible):
        world.do(planning.set_window, update, WINDOW)
    assert world.load(update).events[-1].detail == "cancelled: not now"
    assert Permission.UPDATES_RUN not in world.actor("engineer").permissions


@settings(max_examples=200)
@given(st.lists(st.sampled_from(UpdateState), max_size=12))
def test_whatever_is_tried_a_request_goes_by_the_table_and_never_leaves_its_end(wanted):
    update = UpdateRequest(number="U-000001", state=UpdateState.DRAFT)
    agreed_before_running = False
    for state in wanted:
        before = update.state
        try:
            update.become(state)
        except errors.UpdateStepNotPossible:
            assert state not in TRANSITIONS[before]
            assert update.state is before
        else:
            assert before not in CLOSED
            agreed_before_running = agreed_before_running or state is UpdateState.AGREED
        if update.state in (UpdateState.RUNNING, UpdateState.DONE, UpdateState.FAILED, UpdateState.ROLLED_BACK):
            assert agreed_before_running, "nobody agreed to it"
