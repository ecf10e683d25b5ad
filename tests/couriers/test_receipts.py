"""The receipt as its verbs see it: codes, comparison, one effect."""

import threading

import pytest

from portal.couriers import incidents, receipts, slips, troubles
from portal.couriers.errors import (
    NotTheRecipient,
    ReceiptNotOpen,
    ReceiptUnknown,
    SeenDiffers,
    SignatureMissing,
    TooManyCodes,
)
from portal.couriers.incidents import Difference
from portal.couriers.media import Proof
from portal.couriers.receipts import Attempt
from portal.couriers.states import IncidentKind, MediumState
from portal.couriers.troubles import Trouble
from portal.deliveries.chain import first_bad
from portal.deliveries.errors import DeliveryStopped, NotAuthorized
from portal.deliveries.states import DeliveryState
from portal.documents.codes import digest_words, short_digest
from tests.couriers.conftest import KIT, SIGNATURE


def confirm(depot, delivery, receipt):
    return depot.do(receipts.confirm, depot.consignment(delivery).id, receipt)


def test_a_right_receipt_delivers_and_acknowledges_at_once_and_once(depot):
    delivery = depot.dispatched("A1")
    depot.portal.clock.advance(days=2)
    said = depot.receipt("a 1", seal="seal a1", digest=short_digest(KIT), is_verified=True)
    assert confirm(depot, delivery, said)
    assert not confirm(depot, delivery, said)
    assert depot.now(delivery).state is DeliveryState.ACKNOWLEDGED
    assert depot.medium_now("A1").state is MediumState.AT_CUSTOMER
    assert depot.kinds(delivery)[-2:] == ["delivered", "acknowledged"]
    evidence = depot.events(delivery)[-1].evidence
    assert evidence["signature_sha256"] == SIGNATURE["sha256"]
    assert (evidence["medium_serial"], evidence["seal"], evidence["sha256"]) == ("A1", "SEAL-A1", KIT)
    assert evidence["seen"] == {"serial": "a 1", "seal": "seal a1", "digest": short_digest(KIT)}
    consignment = depot.consignment(delivery)
    assert (consignment.received_at, consignment.received_by) == (depot.at, "Ольга Королёва")
    assert first_bad(depot.events(delivery)) is None


WRONG = (
    ({"serial": "A2"}, SeenDiffers),
    ({"seal": "SEAL-A2"}, SeenDiffers),
    ({"seal": ""}, SeenDiffers),
    ({"digest": "ab" * 32}, SeenDiffers),
    ({"digest": KIT[:15]}, SeenDiffers),
    ({"signature": {}}, SignatureMissing),
    ({"name": "Ольга Королева-Лис"}, NotTheRecipient),
    ({"name": ""}, NotTheRecipient),
)


def test_a_receipt_that_says_something_else_changes_nothing(depot):
    delivery = depot.dispatched("A1")
    for facts, error in WRONG:
        with pytest.raises(error):
            confirm(depot, delivery, depot.receipt("A1", **facts))
    assert depot.now(delivery).state is DeliveryState.DISPATCHED


def test_a_receipt_before_its_time_or_while_stopped(depot):
    prepared, stopped = depot.prepared("A1"), depot.dispatched("A2")
    with pytest.raises(ReceiptNotOpen):
        confirm(depot, prepared, depot.receipt("A1"))
    found = Difference(IncidentKind.WRONG_DIGEST, "Olga", digest="0" * 64)
    depot.do(incidents.report, stopped.id, found, base_url="")
    with pytest.raises(DeliveryStopped):
        confirm(depot, stopped, depot.receipt("A2"))
    with pytest.raises(ReceiptNotOpen):
        depot.do(incidents.report, prepared.id, found, base_url="")


def test_a_power_that_ended_this_morning_signs_nothing(depot):
    delivery = depot.dispatched("A1")
    depot.portal.clock.advance(days=300)
    with pytest.raises(NotAuthorized):
        confirm(depot, delivery, depot.receipt("A1"))


def test_a_receipt_sent_twice_at_once_has_one_effect(depot):
    delivery = depot.dispatched("A1")
    start, outcomes = threading.Barrier(2), []

    def send():
        start.wait()
        outcomes.append(confirm(depot, delivery, depot.receipt("A1")))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True]
    assert depot.kinds(delivery).count("acknowledged") == 1


def test_codes_are_guessed_in_vain(depot):
    delivery, other = depot.dispatched("A1"), depot.dispatched("A2")

    def attempt(number, code, address="203.0.113.9"):
        return receipts.by_code(depot.sessions, Attempt(number, code, address), at=depot.at)

    code = depot.code(delivery)
    assert attempt(f" {delivery.number.lower()} ", code.lower().replace("-", " ")).delivery_id == delivery.id
    for number, guess in ((other.number, code), (delivery.number, "AAAAA-AAAAA"), ("D-999999", code), ("\0", "\0")):
        with pytest.raises(ReceiptUnknown):
            attempt(number, guess)
    for _ in range(9):
        with pytest.raises(ReceiptUnknown):
            attempt(delivery.number, "22222-22222")
    with pytest.raises(TooManyCodes):
        attempt(delivery.number, code, "198.51.100.1")
    depot.portal.clock.advance(minutes=16)
    assert attempt(delivery.number, code).delivery_id == delivery.id


def test_the_secret_opens_its_own_parcel_only(depot):
    first, second = depot.dispatched("A1"), depot.dispatched("A2")
    one, other, code = depot.secret(first), depot.secret(second), depot.code(first)
    with depot.sessions() as session:
        assert receipts.by_secret(session, one).delivery_id == first.id
        assert receipts.by_secret(session, other).delivery_id == second.id
        for guess in ("", one[:-1], one.swapcase(), code):
            with pytest.raises(ReceiptUnknown):
                receipts.by_secret(session, guess)


def test_codes_are_of_letters_that_nobody_mistakes(depot):
    code = depot.code(depot.dispatched("A1"))
    assert len(code) == 11
    assert set(code) <= set(slips.ALPHABET) | {"-"}


def test_a_digest_agrees_in_hex_and_in_words_of_either_language():
    for language in ("en", "ru"):
        words = " ".join(digest_words(KIT, language))
        assert receipts.digest_agrees(words.upper().replace(" ", ", "), KIT)
        assert not receipts.digest_agrees(words.rsplit(" ", 1)[0], KIT)
    assert receipts.digest_agrees(f"SHA256:{KIT.upper()}", KIT)
    assert not receipts.digest_agrees(KIT[:-1] + "0", KIT)
    assert not receipts.digest_agrees(KIT + "00", KIT)


def test_what_was_lost_turns_up_at_its_recipient(depot):
    delivery = depot.dispatched("A1")
    said = Trouble("gone", depot.at, Proof("letter 5"))
    depot.do(troubles.lost, delivery.id, said)
    depot.portal.clock.advance(days=1)
    assert confirm(depot, delivery, depot.receipt("A1"))
    assert depot.now(delivery).state is DeliveryState.ACKNOWLEDGED
    assert depot.medium_now("A1").state is MediumState.AT_CUSTOMER
