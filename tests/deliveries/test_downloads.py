"""Taking a file: entitlement, then the event, then the bytes; each time anew."""

import json
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, select

from portal.audit.models import AuditEvent
from portal.deliveries import service
from portal.deliveries.chain import first_bad, hash_of
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from portal.entitlements.models import (
    Agreement,
    AgreementVersion,
    Contract,
    ProductAgreement,
    ReceivedRelease,
)
from portal.releases.models import Release
from portal.web import files
from tests.deliveries.conftest import CONTENT

SIZE = len(CONTENT)


def test_a_granted_file_arrives_and_the_ledger_says_all_about_it(world):
    answer = world.get("alpha", User_Agent="curl/8")
    assert (answer.status_code, answer.data) == (200, CONTENT)
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    [delivery] = world.deliveries()
    assert (delivery.state, delivery.open_key) == (DeliveryState.DELIVERED, None)
    assert delivery.organisation_id == world.alpha.id
    assert delivery.decision["basis"] == "active-contract"
    granted, transferred = world.events()
    assert [granted.kind.value, transferred.kind.value] == ["granted", "transferred"]
    assert granted.evidence["decision"]["contract"] == "17-ALPHA"
    assert granted.evidence["range"] == [0, SIZE]
    assert granted.evidence["user_agent"] == "curl/8"
    assert (granted.person_name, granted.address) == ("Anna Alpha", "127.0.0.1")
    assert transferred.evidence == {"bytes": SIZE, "requests": 1}
    assert first_bad([granted, transferred]) is None


def test_the_grant_is_committed_before_the_first_byte(world):
    answer = world.portal.browser().get(world.address, headers=world.bearing("alpha"))
    assert world.kinds() == ["granted"]
    assert world.items()[0].sent_bytes == 0
    answer.close()


def test_the_audit_tells_of_grant_and_completion(world):
    world.get("alpha")
    with world.portal.sessions() as session:
        tags = session.scalars(select(AuditEvent.tag).where(AuditEvent.tag.startswith("delivery."))).all()
    assert sorted(tags) == ["delivery.completed", "delivery.granted"]


def test_ranges_of_one_download_are_one_delivery(world):
    world.get("alpha", Range="bytes=0-99")
    world.get("alpha", Range="bytes=500-")
    assert [item.ranges[0].start for item in world.items()] == [0]
    assert world.deliveries()[0].state is DeliveryState.DISPATCHED
    world.get("alpha", Range="bytes=90-499")
    [delivery] = world.deliveries()
    assert delivery.state is DeliveryState.DELIVERED
    assert world.items()[0].sent["ranges"] == [[0, SIZE]]
    assert world.items()[0].sent["requests"] == 3
    assert world.kinds() == ["granted", "transferred"]


def test_a_resume_next_day_joins_the_delivery_and_is_noted_once(world):
    world.get("alpha", Range="bytes=0-99")
    world.portal.clock.advance(days=1)
    for start in range(100, 1000, 100):
        world.get("alpha", Range=f"bytes={start}-{start + 99}")
    assert world.kinds() == ["granted", "resumed"]
    assert world.items()[0].sent["ranges"] == [[0, 1000]]


def test_a_later_download_is_another_delivery_but_a_lost_tail_is_not(world):
    world.get("alpha")
    assert world.get("alpha", Range=f"bytes={SIZE - 10}-").data == CONTENT[-10:]
    assert len(world.deliveries()) == 1
    world.portal.clock.advance(hours=1)
    world.get("alpha")
    assert [delivery.state.value for delivery in world.deliveries()] == ["delivered", "delivered"]


def test_a_client_whose_every_connection_broke_at_once_is_the_same_delivery(world):
    """All bytes had left, into buffers that were lost; it is back at once, with the first one."""
    world.get("alpha")
    world.portal.clock.advance(seconds=59)
    assert world.get("alpha", Range="bytes=0-99").data == CONTENT[:100]
    world.get("alpha")
    assert len(world.deliveries()) == 1
    assert world.items()[0].sent["requests"] == 3
    world.portal.clock.advance(seconds=60)
    world.get("alpha")
    assert len(world.deliveries()) == 2


def test_what_was_confirmed_is_over_and_the_file_once_more_is_another_delivery(world):
    world.get("alpha")
    path = f"/api/v1/deliveries/{world.deliveries()[0].id}/confirm"
    said = world.portal.browser().post(path, headers=world.bearing("alpha"), json={"sha256": world.items()[0].sha256})
    assert said.status_code == 200
    world.portal.clock.advance(seconds=1)
    world.get("alpha")
    assert [delivery.state.value for delivery in world.deliveries()] == ["acknowledged", "delivered"]


def test_each_person_has_deliveries_of_their_own(world):
    world.get("alpha", Range="bytes=0-99")
    world.get("alpha-2", Range="bytes=0-99")
    assert len({delivery.person_id for delivery in world.deliveries()}) == 2


def test_an_interrupted_download_is_recorded_as_far_as_it_came(world):
    answer = world.portal.browser().get(world.address, headers=world.bearing("alpha"))
    next(answer.iter_encoded())
    answer.close()
    assert world.items()[0].sent["ranges"] == [[0, files.BLOCK_BYTES]]
    assert world.deliveries()[0].state is DeliveryState.DISPATCHED


def test_looking_is_no_delivery(world):
    browser = world.portal.browser()
    assert browser.head(world.address, headers=world.bearing("alpha")).content_length == SIZE
    digest = browser.head(world.address, headers=world.bearing("alpha")).headers["ETag"]
    assert world.get("alpha", If_None_Match=digest).status_code == 304
    assert world.get("alpha", If_Match='"other"').status_code == 412
    assert world.get("alpha", Range=f"bytes={SIZE}-").status_code == 416
    assert world.deliveries() == []


def test_nobody_signed_in_gets_nothing(world):
    assert world.portal.browser().get(world.address).status_code == 303
    assert world.portal.browser().get(world.address, headers={"Accept": "application/json"}).status_code == 401
    assert world.deliveries() == []


def test_another_customer_is_told_why_not(world):
    answer = world.get("beta")
    assert answer.status_code == 403
    told = answer.get_json()
    assert told["code"] == "no-contract"
    assert told["detail"]
    assert told["facts"]["release_id"] == str(world.release_id)
    assert world.deliveries() == []


def test_the_page_of_a_refusal_leads_to_why(world):
    answer = world.of("beta").get(world.address)
    assert answer.status_code == 403
    assert "no-contract" in answer.text
    assert f"/why/{world.release_id}" in answer.text


def test_who_may_not_know_of_the_release_gets_404(world):
    world.change((Release, world.release_id), open_from=None)
    for who in ("alpha", "beta"):
        assert world.get(who).status_code == 404
    assert world.get("beta", f"/downloads/{world.release_id}/SHA256SUMS").status_code == 404


def test_a_wrong_name_or_id_is_404(world):
    assert world.get("alpha", f"/downloads/{world.artifact_id}/other.bin").status_code == 404
    assert world.get("alpha", f"/downloads/{uuid4()}/x").status_code == 404
    assert world.get("alpha", f"/downloads/{uuid4()}/SHA256SUMS").status_code == 404


def test_staff_do_not_download_as_a_customer(world):
    assert world.of("publisher").get(world.address).status_code == 403


def test_a_withdrawn_release_does_not_resume(world):
    world.get("alpha", Range="bytes=0-99")
    world.withdraw()
    answer = world.get("alpha", Range="bytes=100-")
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "withdrawn"
    assert "It bricks the device." in answer.get_json()["detail"]
    assert world.items()[0].sent["ranges"] == [[0, 100]]


def test_a_withdrawal_between_the_two_looks_is_seen(world, monkeypatch):
    send = files.send

    def withdrawn_meanwhile(file, on_grant):
        world.withdraw()
        return send(file, on_grant)

    monkeypatch.setattr(files, "send", withdrawn_meanwhile)
    assert world.get("alpha").get_json()["code"] == "withdrawn"
    assert world.deliveries() == []


def test_an_ended_contract_refuses_even_a_resume_and_says_until_when(world):
    world.get("alpha", Range="bytes=0-99")
    with world.portal.sessions.begin() as session:
        contract = session.get_one(Contract, world.contract_id)
        contract.set_term(date(2020, 1, 1), date(2025, 1, 1), "UTC")
    told = world.get("alpha", Range="bytes=100-").get_json()
    assert told["code"] == "contract-expired"
    assert told["facts"]["remedy"]


def test_whoever_received_it_in_full_keeps_a_right_to_a_backup_copy(world):
    world.get("alpha", Range="bytes=0-99")
    with world.portal.sessions() as session:
        assert session.scalars(select(ReceivedRelease)).all() == []
    world.get("alpha", Range="bytes=100-")
    with world.portal.sessions.begin() as session:
        assert session.scalars(select(ReceivedRelease.release_id)).all() == [world.release_id]
        session.get_one(Contract, world.contract_id).set_term(date(2020, 1, 1), date(2025, 1, 1), "UTC")
    world.portal.clock.advance(hours=1)
    assert world.get("alpha").data == CONTENT
    assert world.deliveries()[-1].decision["basis"] == "backup-copy"


def test_an_agreement_has_to_be_accepted_first(world):
    with world.portal.sessions.begin() as session:
        agreement = Agreement(code="licence", created_at=world.portal.clock())
        session.add(agreement)
        session.flush()
        texts = {"en": {"title": "Licence", "body": "…"}, "ru": {"title": "Лицензия", "body": "…"}}
        effective = world.portal.clock() - timedelta(days=1)
        session.add(AgreementVersion(agreement_id=agreement.id, number=1, texts=texts, effective_from=effective))
        session.add(ProductAgreement(product_id=world.product.id, agreement_id=agreement.id))
    assert world.get("alpha").get_json()["code"] == "agreement-required"
    assert "To the agreement" in world.of("alpha").get(world.address).text


def test_refusals_are_recorded(world):
    world.get("beta")
    with world.portal.sessions() as session:
        [refusal] = session.scalars(select(AuditEvent).where(AuditEvent.tag == "request.refused"))
    assert refusal.facts["code"] == "no-contract"
    assert refusal.person_name == "Bella Beta"


def test_signed_documents_lie_beside_the_files(world):
    sums = world.get("alpha", f"/downloads/{world.release_id}/SHA256SUMS")
    assert sums.status_code == 200
    assert "прошивка 4.10.bin" in sums.text
    assert world.get("alpha", f"/downloads/{world.release_id}/SHA256SUMS.sig").data
    manifest = world.get("alpha", f"/downloads/{world.release_id}/manifest.dsse.json")
    assert json.loads(manifest.data)["payloadType"]
    assert world.deliveries() == []
    for name in ("SHA256SUMS", "SHA256SUMS.sig", "manifest.dsse.json"):
        assert world.get("beta", f"/downloads/{world.release_id}/{name}").get_json()["code"] == "no-contract"


def test_an_object_that_is_gone_is_a_fault_of_the_portal_and_no_delivery(world):
    for stored in list(world.portal.store.list()):
        world.portal.store.delete(stored.key)
    assert world.get("alpha").status_code == 503
    assert world.deliveries() == []


def test_events_do_not_pile_up_without_end(world, monkeypatch):
    monkeypatch.setattr(service, "MOST_EVENTS", 3)
    for start in range(10):
        world.get("alpha", Range=f"bytes={start}-{start}")
        world.portal.clock.advance(hours=1)
    assert world.kinds() == ["granted", "resumed", "resumed"]


def test_an_altered_event_is_noticed(world):
    world.get("alpha")
    events = world.events()
    events[0].evidence = events[0].evidence | {"user_agent": "another"}
    assert first_bad(events) == 1
    events[0].hash = hash_of(events[0])
    assert first_bad(events) == 2
    assert first_bad(world.events()[1:]) == 1


@pytest.mark.parametrize("what", ["whole", "resumed"])
def test_a_request_asks_the_database_a_bounded_number_of_times(world, what):
    if what == "resumed":
        world.get("alpha", Range="bytes=0-9")
        world.portal.clock.advance(hours=1)
    statements = []

    def count(*arguments):
        if arguments[2].startswith(("SELECT", "INSERT", "UPDATE")):
            statements.append(arguments[2])

    event.listen(world.portal.resources.engine, "before_cursor_execute", count)
    world.get("alpha", **({"Range": "bytes=10-19"} if what == "resumed" else {}))
    event.remove(world.portal.resources.engine, "before_cursor_execute", count)
    assert len(statements) <= 32, "\n".join(statements)


def test_deliveries_of_a_person_are_found_by_their_key(world):
    world.get("alpha", Range="bytes=0-9")
    with world.portal.sessions() as session:
        key = session.scalars(select(Delivery.open_key)).one()
    assert key == f"{world.people['alpha'].id}:{world.artifact_id}"
