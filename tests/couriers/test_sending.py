"""Packing, dispatch, and what goes wrong on the way."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerState
from portal.couriers import dispatching, incidents, troubles
from portal.couriers.dispatching import HandingOver
from portal.couriers.errors import (
    AlreadyReplaced,
    IncidentClosed,
    NoProof,
    NothingConsigned,
    NotPacked,
    NotReplaceable,
    SealUsed,
)
from portal.couriers.incidents import Difference
from portal.couriers.media import Proof
from portal.couriers.states import IncidentKind, IncidentOutcome, MediumState
from portal.couriers.troubles import Trouble
from portal.deliveries import steps
from portal.deliveries.chain import first_bad
from portal.deliveries.errors import (
    DeliveryStopped,
    NotAuthorized,
    NotEntitled,
    ReportStands,
    StepOutOfOrder,
    TimeBeforeLastStep,
    TimeInFuture,
)
from portal.deliveries.models import DeliveryAddress
from portal.deliveries.states import DeliveryState
from portal.documents.codes import digest_words
from portal.errors import PortalError
from portal.jobs import service as jobs
from portal.mail.models import OutgoingMail
from portal.texts import TextMissing, TextUnkeepable
from tests.couriers.conftest import KIT

SHOWN = Proof("letter 17 of the carrier")
MINUTE = timedelta(minutes=1)


def trouble(depot, **facts):
    return Trouble(**{"reason": "the van burnt out", "happened_at": depot.at, "proof": SHOWN, **facts})


def test_from_the_written_medium_to_the_carrier(depot):
    delivery = depot.prepared("A1")
    with pytest.raises(NotPacked):
        depot.do(dispatching.dispatch, delivery.id, HandingOver("T1", depot.at))
    depot.pack(delivery, "SEAL-1")
    depot.pack(delivery, "SEAL-2")
    depot.do(dispatching.dispatch, delivery.id, HandingOver("  RB\r\n12 ", depot.at))
    assert depot.now(delivery).state is DeliveryState.DISPATCHED
    assert depot.medium_now("A1").state is MediumState.IN_TRANSIT
    consignment = depot.consignment(delivery)
    assert (consignment.seal, consignment.tracking, consignment.handed_over_at) == ("SEAL-2", "RB 12", depot.at)
    evidence = depot.events(delivery)[-1].evidence
    assert {name: evidence[name] for name in ("seal", "carrier", "tracking", "medium_serial")} == {
        "seal": "SEAL-2", "carrier": "Почта", "tracking": "RB 12", "medium_serial": "A1",
    }  # fmt: skip
    assert evidence["decision"]["basis"] == "active-contract"
    assert evidence["authority"]["number"].startswith("POA-")


def test_a_hand_over_that_makes_no_sense(depot):
    delivery = depot.prepared("A1")
    depot.pack(delivery, "SEAL-1")
    for shift, tracking, error in (
        (MINUTE, "T1", TimeInFuture),
        (-MINUTE, "T1", TimeBeforeLastStep),
        (0 * MINUTE, "", TextMissing),
        (0 * MINUTE, "A\0B", TextUnkeepable),
    ):
        with pytest.raises(error):
            depot.do(dispatching.dispatch, delivery.id, HandingOver(tracking, depot.at + shift))
    assert depot.now(delivery).state is DeliveryState.PREPARED


def test_minutes_are_enough_for_what_happened_in_the_minute_of_the_step_before(depot):
    depot.portal.clock.advance(seconds=40)
    delivery = depot.prepared("A1")
    depot.pack(delivery, "SEAL-1")
    depot.do(dispatching.dispatch, delivery.id, HandingOver("T1", depot.at.replace(second=0)))
    assert depot.consignment(delivery).handed_over_at == depot.at


def test_steps_are_not_skipped_nor_reversed(depot):
    delivery = depot.approved()
    for verb in (troubles.lost, troubles.refused, troubles.returned):
        with pytest.raises(StepOutOfOrder):
            depot.do(verb, delivery.id, trouble(depot))
    with pytest.raises(StepOutOfOrder):
        depot.pack(delivery, "S1")
    with pytest.raises((StepOutOfOrder, NothingConsigned)):
        depot.do(dispatching.delivered, delivery.id, depot.at, SHOWN)
    sent = depot.dispatched("A1")
    with pytest.raises(StepOutOfOrder):
        depot.pack(sent, "S9")
    with pytest.raises(StepOutOfOrder):
        depot.do(dispatching.dispatch, sent.id, HandingOver("T2", depot.at))
    depot.do(dispatching.delivered, sent.id, depot.at, SHOWN)
    for verb in (troubles.lost,):
        with pytest.raises(StepOutOfOrder):
            depot.do(verb, sent.id, trouble(depot))
    with pytest.raises(StepOutOfOrder):
        depot.do(dispatching.delivered, sent.id, depot.at, SHOWN)


def test_a_seal_goes_out_once(depot):
    depot.dispatched("A1", "BAG 7")
    with pytest.raises(SealUsed):
        depot.pack(depot.prepared("A2"), "bag-7")


def test_contract_and_authority_are_asked_anew_at_dispatch(depot):
    first, second = depot.prepared("A1"), depot.prepared("A2")
    depot.pack(first, "S1")
    depot.pack(second, "S2")
    with depot.sessions.begin() as session:
        holder = session.get_one(AuthorizedPerson, depot.recipient_id)
        [power] = session.scalars(select(PowerOfAttorney).where(PowerOfAttorney.holder_id == holder.id))
        power.state = PowerState.REVOKED
    with pytest.raises(NotAuthorized):
        depot.do(dispatching.dispatch, first.id, HandingOver("T1", depot.at))
    depot.world.withdraw()
    with pytest.raises(NotEntitled):
        depot.do(dispatching.dispatch, second.id, HandingOver("T2", depot.at))
    assert depot.medium_now("A1").state is MediumState.WRITTEN


def test_of_two_clerks_at_the_carriers_door_one_wins(depot):
    delivery = depot.prepared("A1")
    depot.pack(delivery, "S1")
    start, outcomes = threading.Barrier(2), []

    def clerk(tracking):
        start.wait()
        try:
            depot.do(dispatching.dispatch, delivery.id, HandingOver(tracking, depot.at))
            outcomes.append(tracking)
        except PortalError:
            pass

    threads = [threading.Thread(target=clerk, args=(word,)) for word in ("T1", "T2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [depot.consignment(delivery).tracking] == outcomes
    assert depot.kinds(delivery).count("dispatched") == 1
    assert first_bad(depot.events(delivery)) is None


def test_what_was_lost_may_turn_up(depot):
    delivery = depot.dispatched("A1")
    depot.portal.clock.advance(days=3)
    with pytest.raises(NoProof):
        depot.do(troubles.lost, delivery.id, trouble(depot, proof=Proof()))
    depot.do(troubles.lost, delivery.id, trouble(depot))
    assert (depot.now(delivery).state, depot.medium_now("A1").state) == (DeliveryState.LOST, MediumState.LOST)
    depot.portal.clock.advance(days=3)
    depot.do(dispatching.delivered, delivery.id, depot.at - timedelta(days=1), SHOWN)
    assert (depot.now(delivery).state, depot.medium_now("A1").state) == (
        DeliveryState.DELIVERED, MediumState.AT_CUSTOMER,
    )  # fmt: skip


def test_what_is_refused_comes_back(depot):
    delivery = depot.dispatched("A1")
    depot.do(troubles.refused, delivery.id, trouble(depot, reason="nobody there"))
    assert depot.medium_now("A1").state is MediumState.IN_TRANSIT
    depot.portal.clock.advance(days=1)
    with pytest.raises(TimeBeforeLastStep):
        depot.do(troubles.returned, delivery.id, trouble(depot, happened_at=depot.at - timedelta(days=2)))
    depot.do(troubles.returned, delivery.id, trouble(depot, reason="it came back"))
    assert (depot.now(delivery).state, depot.medium_now("A1").state) == (
        DeliveryState.RETURNED, MediumState.RETURNED,
    )  # fmt: skip
    assert depot.consignment(delivery).closed_at == depot.at
    assert depot.events(delivery)[-1].evidence["proof"] == {"text": SHOWN.text}


def test_a_medium_destroyed_on_the_way_is_noted_with_its_delivery(depot):
    delivery = depot.dispatched("A1")
    with pytest.raises(PortalError):
        depot.do(troubles.destroyed, depot.medium_now("A1").id, "by the recipient", SHOWN)
    depot.do(troubles.refused, delivery.id, trouble(depot, reason="crushed"))
    depot.do(troubles.destroyed, depot.medium_now("A1").id, "by the recipient", SHOWN)
    assert depot.kinds(delivery)[-1] == "medium-destroyed"
    assert depot.medium_now("A1").state is MediumState.DESTROYED


def address_of(depot, session):
    return session.get_one(DeliveryAddress, depot.address_id)


def replaced(depot, delivery):
    with depot.sessions.begin() as session:
        return troubles.replace(session, delivery.id, address_of(depot, session), by=depot.by, at=depot.at)


def test_what_is_lost_is_sent_once_more_under_a_new_number(depot):
    delivery = depot.dispatched("A1")
    with pytest.raises(NotReplaceable):
        replaced(depot, delivery)
    depot.do(troubles.lost, delivery.id, trouble(depot))
    new = replaced(depot, delivery)
    assert (new.state, new.replaces_id, new.organisation_id) == (
        DeliveryState.REQUESTED, delivery.id, delivery.organisation_id,
    )  # fmt: skip
    assert new.number != delivery.number
    assert depot.events(delivery)[-1].evidence == {"replaced_by": new.number}
    assert depot.events(new)[-1].evidence == {"replaces": delivery.number}
    with pytest.raises(AlreadyReplaced):
        replaced(depot, delivery)


def test_the_contract_is_asked_anew_for_a_replacement(depot):
    delivery = depot.dispatched("A1")
    depot.do(troubles.lost, delivery.id, trouble(depot))
    depot.world.withdraw()
    with pytest.raises(NotEntitled):
        replaced(depot, delivery)


def difference(**facts):
    return Difference(**{"kind": IncidentKind.BROKEN_SEAL, "reporter": "Olga", "seal": "torn", **facts})


def test_a_difference_stops_the_delivery_and_tells_the_dispatchers(depot):
    delivery = depot.dispatched("A1")
    base = {"base_url": "https://portal.example"}
    first = depot.do(incidents.report, delivery.id, difference(), **base)
    again = depot.do(incidents.report, delivery.id, difference(), **base)
    assert (first.id, len(depot.incidents(delivery))) == (again.id, 1)
    other = depot.do(incidents.report, delivery.id, difference(kind=IncidentKind.OTHER, text="wet <b>"), **base)
    assert depot.now(delivery).stopped_at == depot.at
    with pytest.raises(DeliveryStopped):
        depot.do(dispatching.delivered, delivery.id, depot.at, SHOWN)
    with depot.sessions() as session:
        letters = session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("couriers.incident"))).all()
    assert len(letters) == 2
    assert "остановлена" in letters[0].subject
    assert f"https://portal.example/couriers/{delivery.id}" in letters[0].text
    depot.do(incidents.close, first.id, IncidentOutcome.UNFOUNDED, "only the outer bag")
    assert depot.now(delivery).stopped_at is not None
    with pytest.raises(ReportStands):
        depot.do(lambda session, one, **by: steps.resume(session, one, reason="never mind", **by), delivery)
    depot.do(incidents.close, other.id, IncidentOutcome.UNFOUNDED, "dried")
    assert depot.now(delivery).stopped_at is None
    with pytest.raises(IncidentClosed):
        depot.do(incidents.close, other.id, IncidentOutcome.STANDS, "no")
    depot.do(dispatching.delivered, delivery.id, depot.at, SHOWN)


def test_a_difference_that_stands_keeps_it_stopped_and_it_can_be_replaced(depot):
    delivery = depot.dispatched("A1")
    incident = depot.do(incidents.report, delivery.id, difference(), base_url="https://portal.example")
    depot.do(incidents.close, incident.id, IncidentOutcome.STANDS, "the bag was cut")
    with pytest.raises(ReportStands):
        depot.do(lambda session, one, **by: steps.resume(session, one, reason="never mind", **by), delivery)
    assert replaced(depot, delivery).replaces_id == delivery.id
    depot.do(troubles.returned, delivery.id, trouble(depot, reason="sent back"))
    assert depot.now(delivery).state is DeliveryState.RETURNED


def test_the_register_follows_an_act_of_return_once_and_for_its_own_media_only(depot):
    delivery, other = depot.dispatched("A1"), depot.dispatched("B1")
    for _ in range(2):
        with depot.sessions.begin() as session:
            jobs.enqueue(session, "couriers.media-returned", at=depot.at, delivery_id=str(delivery.id),
                         serials=["a-1", "B1", "unknown"], act_number="A-000007")  # fmt: skip
        depot.portal.work()
    assert depot.medium_now("A1").state is MediumState.RETURNED
    assert depot.medium_now("B1").state is MediumState.IN_TRANSIT
    assert depot.consignment(delivery).closed_at is not None
    assert depot.consignment(other).closed_at is None


def test_the_recipient_is_told_once_what_is_on_its_way_and_what_to_compare(depot):
    delivery = depot.dispatched("A1")
    for _ in range(2):
        with depot.sessions.begin() as session:
            jobs.enqueue(session, "couriers.left", at=depot.at, delivery_id=str(delivery.id))
        depot.portal.work()
    with depot.sessions() as session:
        [letter] = session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("couriers.left")))
    words = " ".join(digest_words(KIT, "ru" if "поставка" in letter.text else "en"))
    for fact in (delivery.number, "A1", "SEAL-A1", "RB 123/456", words, "/r"):
        assert fact in letter.text, fact


def test_who_has_not_confirmed_is_reminded_once_in_each_interval(depot):
    late, arrived = depot.dispatched("A1"), depot.dispatched("A2")
    depot.do(troubles.lost, arrived.id, trouble(depot))

    def reminders():
        depot.portal.work()
        with depot.sessions() as session:
            rows = session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("couriers.remind")))
            return [(mail.recipient, mail.subject) for mail in rows]

    depot.portal.clock.advance(days=4)
    assert reminders() == []
    depot.portal.clock.advance(days=1, minutes=1)
    assert {recipient for recipient, _ in reminders()} == {"olga@alpha.example", depot.world.people["dispatcher"].email}
    assert f"Подтвердите, пожалуйста, получение по поставке {late.number}" in {subject for _, subject in reminders()}
    assert len(reminders()) == 2
    depot.portal.clock.advance(days=5, minutes=1)
    assert len(reminders()) == 4
    assert depot.kinds(late).count("reminded") == 2
    assert depot.kinds(arrived).count("reminded") == 0
