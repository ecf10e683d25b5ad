"""Who holds what was broken off or came back: only whoever may still have bytes of it is asked."""

import pytest
from sqlalchemy import func, select

from portal.couriers import dispatching, troubles
from portal.couriers.media import Proof
from portal.couriers.troubles import Trouble
from portal.couriers.writing import set_aside
from portal.deliveries import requests
from portal.deliveries.models import Delivery, DeliveryPolicy
from portal.jobs import service as jobs
from portal.mail.models import OutgoingMail
from portal.mail.receiving import receive
from portal.mailings import service as mailings
from portal.recalls.models import Holding
from portal.releases.models import Release
from tests.couriers.conftest import furnish as furnish_depot
from tests.handovers.conftest import build as furnish_act
from tests.mailings.conftest import furnish as furnish_desk
from tests.mailings.reports import report


@pytest.fixture
def desk(portal):
    return furnish_desk(portal)


@pytest.fixture
def depot(portal):
    return furnish_depot(portal)


def withdraw(portal, release_id) -> None:
    with portal.sessions.begin() as session:
        session.get_one(Release, release_id).withdraw("It bricks the device.", portal.clock(), None)
        jobs.enqueue(session, "releases.withdrawn", at=portal.clock(), release_id=str(release_id))
    portal.work()


def held(portal) -> list[tuple[str, str]]:
    """Number and place of what the recall lists."""
    with portal.sessions() as session:
        rows = select(Delivery.number, Holding.place).join(Holding, Holding.delivery_id == Delivery.id)
        return [tuple(row) for row in session.execute(rows.order_by(Delivery.number))]


def cancel(desk, delivery_id) -> None:
    desk.do(lambda session, one, **by: requests.cancel(session, session.get_one(Delivery, one), **by), delivery_id,
            reason="Not needed")  # fmt: skip


def attach(desk) -> None:
    with desk.sessions.begin() as session:
        session.merge(DeliveryPolicy(organisation_id=desk.world.alpha.id, may_attach=True))


@pytest.mark.parametrize("way", ["attached", "fetched", "untouched"])
def test_of_a_cancelled_letter_whoever_has_its_bytes_is_asked(desk, way):
    if way == "attached":
        attach(desk)
    delivery_id = desk.sent()
    if way == "fetched":
        browser, where = desk.opened()
        file = desk.items(delivery_id)[0].artifact
        assert browser.get(f"{where}/files/{file.id}/{file.name}").status_code == 200
    cancel(desk, delivery_id)
    assert desk.state(delivery_id) == "cancelled"
    withdraw(desk.portal, desk.world.release_id)
    assert len(held(desk.portal)) == (0 if way == "untouched" else 1)


@pytest.mark.parametrize("again", [False, True], ids=["came back", "sent again"])
def test_an_attachment_that_came_back_is_held_by_nobody(desk, again):
    attach(desk)
    delivery_id = desk.sent()
    [message] = desk.messages()
    receive(desk.portal.resources, report("postfix", message), at=desk.at)
    assert desk.state(delivery_id) == "failed"
    if again:
        desk.do(mailings.prepare, delivery_id)
        desk.portal.clock.advance(minutes=1)
        desk.do(mailings.dispatch, delivery_id, config=desk.config)
        desk.portal.work()
        cancel(desk, delivery_id)
    withdraw(desk.portal, desk.world.release_id)
    assert len(held(desk.portal)) == again


def test_a_medium_that_never_left_is_held_by_nobody_and_whom_it_reached_is_asked(depot):
    aside = depot.prepared("A1")
    depot.do(set_aside, aside.id, "Scratched")
    unopened, given_back, waiting = depot.dispatched("A2"), depot.dispatched("A3"), depot.approved()
    depot.portal.clock.advance(hours=1)
    depot.do(dispatching.delivered, given_back.id, depot.at, Proof("Slip 6"))
    for delivery in (unopened, given_back):
        depot.do(troubles.returned, delivery.id, Trouble("Back", depot.at, Proof("Slip 7")))
    assert [depot.now(one).state.value for one in (aside, unopened, waiting)] == ["failed", "returned", "approved"]
    withdraw(depot.portal, depot.world.release_id)
    assert [number for number, _ in held(depot.portal)] == [given_back.number]


def test_who_only_waits_for_it_is_not_told_that_they_have_it(depot):
    depot.approved()
    depot.portal.work()
    with depot.sessions() as session:
        before = session.scalar(select(func.count()).select_from(OutgoingMail))
    withdraw(depot.portal, depot.world.release_id)
    with depot.sessions() as session:
        assert session.scalar(select(func.count()).select_from(OutgoingMail)) == before


def test_what_was_handed_over_in_person_is_where_the_act_was_signed(portal):
    world = furnish_act(portal)
    world.ask("one", "ivan")
    act = world.opened("one")
    assert world.sign(act, world.send_code(act)).status_code == 303
    with portal.sessions() as session:
        release_id = session.get_one(Delivery, world.deliveries["one"]).release_id
    withdraw(portal, release_id)
    assert held(portal) == [("D-000001", "Berlin, Hall 3")]
