"""Two at one thing at the same moment, with two real sessions: one is first, and the other is told."""

from datetime import timedelta

from sqlalchemy import func, select

from portal.deliveries.models import Delivery
from portal.errors import PortalError
from portal.tickets.models import Ticket
from portal.updates import access, planning, remote, running
from portal.updates.states import StepState, UpdateEventKind, UpdateState
from tests.handovers.test_races import at_once
from tests.updates.conftest import LATER, WINDOW


def codes(answers):
    return sorted(answer.code if isinstance(answer, PortalError) else "" for answer in answers)


def kinds(world, update):
    return [event.kind for event in world.load(update).events]


def test_two_engineers_at_one_step(world):
    update = world.running("SN-1")
    step = world.load(update).devices[0].due.id

    def begin(who="tsc"):
        return lambda: world.do(running.begin_step, update, step, who=who, at=LATER)

    assert codes(at_once(begin(), begin(), begin("colleague"))) == ["", "update-not-yours", "update-step-order"]
    assert kinds(world, update).count(UpdateEventKind.STEP) == 1
    assert [one.is_running(LATER) for one in world.load(update).sessions] == [True]

    def end(state):
        ended, at = running.Ended(state, "seen"), LATER + timedelta(minutes=5)
        return lambda: world.do(running.end_step, update, step, ended, at=at)

    assert codes(at_once(end(StepState.FAILED), end(StepState.FAILED))) == ["", "update-step-order"]
    with world.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 1
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_a_consent_that_ends_while_a_session_begins_leaves_none_running(world):
    update = world.running("SN-1")
    device = world.load(update).devices[0].id
    at_once(
        lambda: world.do(remote.begin, update, device, at=LATER),
        lambda: world.do(access.end_access, update, who="engineer", at=LATER),
    )
    after = world.load(update)
    assert not any(one.is_running(LATER) for one in after.sessions)
    assert not any(consent.is_open(LATER) for consent in after.access)


def test_both_sides_consent_at_once_and_it_is_agreed_once(world):
    update = world.draw_up("SN-1")
    world.do(planning.set_window, update, WINDOW)
    world.do(planning.propose, update)
    answers = codes(at_once(*(
        lambda who=who: world.do(planning.consent, update, who=who) for who in ("engineer", "tsc", "colleague")
    )))  # fmt: skip
    assert answers[:2] == ["", ""]
    assert answers[2] in ("update-already-consented", "update-step-not-possible")
    assert [event.detail for event in world.load(update).events].count(UpdateState.AGREED.value) == 1
