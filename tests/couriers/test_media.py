"""The register of media, and writing kits on them as the ledger sees it."""

import threading

import pytest

from portal.couriers import carriers, media, troubles, writing
from portal.couriers.errors import (
    BadTracking,
    CarrierTaken,
    MediumMoveOutOfOrder,
    MediumNotFree,
    MediumOfAnother,
    NoProof,
    SerialTaken,
    UnknownMedium,
)
from portal.couriers.media import Change, Proof
from portal.couriers.models import Medium
from portal.couriers.states import MEDIUM_MOVES, MediumState
from portal.couriers.writing import Written
from portal.deliveries import requests
from portal.deliveries.chain import first_bad
from portal.deliveries.errors import NotEntitled, StepOutOfOrder
from portal.deliveries.states import DeliveryState
from portal.errors import PortalError, WrongState
from portal.texts import TextMissing, TextUnkeepable
from tests.couriers.conftest import KIT

BAD_TEMPLATES = (
    "javascript:alert('{tracking}')", "http://post.example/{tracking}", "https://post.example/", "https://{tracking}",
    "https://{tracking}.example/", "https://post.example/{tracking}/{other}", "https://post.example/{tracking!r}",
    "https://post.example/{tracking:>9}", "https://post.example/{", "https:///{tracking}", "//post.example/{tracking}",
    "https://a@post.example/{tracking}", 'https://post.example/"{tracking}', "https://post.example/#{tracking}",
    "https://post.example/{tracking}<script>", "https://post.example/{tracking} x", "data:text/html,{tracking}",
)  # fmt: skip


def test_a_serial_is_one_however_it_is_typed(depot):
    depot.medium("AB 12-34")
    with pytest.raises(SerialTaken):
        depot.medium("ab1234")
    with depot.sessions() as session:
        assert media.by_serial(session, "ab-12 34").serial == "AB 12-34"
        with pytest.raises(UnknownMedium):
            media.by_serial(session, "nobody's")
    for serial, error in (("", TextMissing), ("  ", TextMissing), ("A\0B", TextUnkeepable)):
        with pytest.raises(error):
            depot.medium(serial)


def test_a_medium_moves_as_the_table_says_and_with_proof(depot):
    medium, proof = depot.medium("A1"), {"text": "act 5"}
    with pytest.raises(MediumMoveOutOfOrder):
        depot.do(media.change_state, medium.id, MediumState.RETURNED, change=Change(proof=proof))
    with pytest.raises(NoProof):
        depot.do(media.change_state, medium.id, MediumState.LOST, change=Change("gone"))
    with pytest.raises(WrongState):
        depot.do(media.change_state, medium.id, MediumState.IN_TRANSIT, change=Change(proof=proof))
    depot.do(media.change_state, medium.id, MediumState.LOST, change=Change("gone", proof=proof))
    depot.do(media.change_state, medium.id, MediumState.IN_STOCK, change=Change("found"))
    with pytest.raises(NoProof):
        depot.do(troubles.destroyed, medium.id, "worn out", Proof("  "))
    depot.do(troubles.destroyed, medium.id, "worn out", Proof("shredded, act 6"))
    assert MEDIUM_MOVES[depot.medium_now("A1").state] == frozenset()
    with depot.sessions() as session:
        loaded = session.get_one(Medium, medium.id)
        session.refresh(loaded, ["moves"])
        assert [move.state.value for move in loaded.moves] == ["in-stock", "lost", "in-stock", "destroyed"]


def test_what_is_read_back_right_prepares_the_delivery(depot):
    delivery, medium = depot.approved(), depot.medium("A1")
    assert depot.write(delivery, medium) is not None
    assert depot.now(delivery).state is DeliveryState.PREPARED
    assert depot.medium_now("A1").state is MediumState.WRITTEN
    assert depot.kinds(delivery)[-2:] == ["medium-written", "prepared"]
    evidence = depot.events(delivery)[-1].evidence
    assert (evidence["sha256"], evidence["read_back_sha256"], evidence["medium_serial"]) == (KIT, KIT, "A1")
    assert evidence["decision"]["basis"] == "active-contract"
    assert first_bad(depot.events(delivery)) is None


def test_what_is_read_back_wrong_prepares_nothing(depot):
    delivery, medium = depot.approved(), depot.medium("A1")
    for read_back in ("00" * 32, ""):
        assert depot.write(delivery, medium, read_back) is None
        assert depot.now(delivery).state is DeliveryState.APPROVED
        assert depot.medium_now("A1").state is MediumState.IN_STOCK
        assert depot.kinds(delivery)[-1] == "medium-differs"
    assert depot.write(delivery, medium) is not None


def test_a_medium_that_is_not_free_or_anothers_is_refused(depot):
    first, second = depot.approved(), depot.approved()
    taken, others = depot.medium("A1"), depot.medium("B1", depot.world.beta)
    depot.write(first, taken)
    with pytest.raises(MediumNotFree):
        depot.write(second, taken)
    with pytest.raises(MediumOfAnother):
        depot.write(second, others)
    with pytest.raises(StepOutOfOrder):
        depot.write(first, depot.medium("C1"))
    depot.write(second, depot.medium("D1", depot.world.alpha))
    assert depot.now(second).state is DeliveryState.PREPARED


def test_the_contract_is_asked_anew_when_a_kit_is_written(depot):
    delivery, medium = depot.approved(), depot.medium("A1")
    depot.world.withdraw()
    with pytest.raises(NotEntitled):
        depot.write(delivery, medium)


def test_a_medium_set_aside_is_free_and_the_delivery_may_be_prepared_again(depot):
    delivery = depot.prepared("A1")
    depot.do(writing.set_aside, delivery.id, "the bag tore")
    assert depot.medium_now("A1").state is MediumState.IN_STOCK
    depot.write(delivery, depot.medium("A2"))
    assert depot.now(delivery).state is DeliveryState.PREPARED


def test_what_is_cancelled_or_failed_elsewhere_frees_its_medium(depot):
    cancelled, failed, idle = depot.prepared("A1"), depot.prepared("A2"), depot.prepared("A3")
    for delivery in (cancelled, idle):
        depot.do(requests.cancel, delivery, reason="not wanted any more")
    medium = depot.medium_now("A3")
    assert depot.do(media.change_state, medium.id, MediumState.IN_STOCK, change=Change()).state is MediumState.IN_STOCK
    depot.do(requests.fail, failed, reason="the wrong bag")
    depot.write(failed, depot.medium_now("A1"))
    depot.write(depot.approved(), depot.medium_now("A2"))
    assert depot.now(failed).state is DeliveryState.PREPARED


def test_of_two_clerks_with_one_medium_one_wins(depot):
    medium = depot.medium("A1")
    deliveries = [depot.approved(), depot.approved()]
    start, outcomes = threading.Barrier(2), []

    def clerk(delivery):
        start.wait()
        try:
            outcomes.append("won" if depot.write(delivery, medium) else "")
        except PortalError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=clerk, args=(delivery,)) for delivery in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["medium-not-free", "won"]
    states = sorted(depot.now(delivery).state.value for delivery in deliveries)
    assert states == ["approved", "prepared"]


def test_written_says_its_outcome(depot):
    medium = depot.medium("A1")
    told = [Written(medium.id, "k", KIT, 1, back).outcome.value for back in (KIT, "0" * 64, "")]
    assert told == ["right", "differs", "failed"]


def test_a_carriers_address_is_https_with_a_place_for_the_number(depot):
    for template in BAD_TEMPLATES:
        with pytest.raises(BadTracking):
            carriers.tracking_template(template)
    with depot.sessions() as session:
        carrier = session.get_one(carriers.Carrier, depot.carrier_id)
        link = carriers.tracking_link(carrier, 'A/b "<x>&c=1\r\n')
        assert link == "https://post.example/t?n=A%2Fb%20%22%3Cx%3E%26c%3D1%0D%0A"
        assert carriers.tracking_link(carrier, "") is None
        with pytest.raises(CarrierTaken):
            carriers.save(session, None, {"name": "ПОЧТА", "tracking_url": "", "phone": ""}, by=depot.by, at=depot.at)
