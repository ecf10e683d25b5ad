"""A withdrawal: everybody who holds the release is listed, told, asked again, and answers, until 100 %."""

from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.actors import PORTAL_COMMAND
from portal.authority.models import AuthorizedPerson
from portal.deliveries import chain
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.jobs import service as jobs
from portal.mail.models import OutgoingMail
from portal.permissions import OrganisationKind, Role
from portal.recalls import queries, service
from portal.recalls.errors import ReasonNeeded, ToldBefore, ToldByMail
from portal.recalls.models import Answer, Holding
from portal.recalls.service import Told
from portal.recalls.wording import medium_in
from tests.deliveries.conftest import build
from tests.factories import make_organisation, make_person

NUMBERS = count(1)


@pytest.fixture
def world(portal):
    world = build(portal)
    with portal.sessions.begin() as session:
        centre = make_organisation(session, OrganisationKind.SUPPORT, name="Centre")
        world.people["dispatcher"] = make_person(session, centre, Role.DISPATCHER, name="Dina")
    return world


def given(world, channel: Channel, state: DeliveryState, organisation=None, *, name: str, serial: str = "") -> UUID:
    """A delivery as its channel would have left it, with the entry that names its medium."""
    customer, at = organisation or world.alpha, world.portal.clock()
    with world.portal.sessions.begin() as session:
        email = f"recipient-{next(NUMBERS)}@example.org"
        person = AuthorizedPerson(organisation_id=customer.id, name=name, email=email, language="ru", created_at=at)
        session.add(person)
        session.flush()
        delivery = Delivery(
            channel=channel, state=state, organisation_id=customer.id, release_id=world.release_id, person_name="Anna",
            created_at=at, decision={}, number=f"D-{next(NUMBERS):06}", recipient_id=person.id,
            recipient={"name": name, "email": email, "phone": "", "language": "ru"},
            destination={"label": "HQ", "lines": ["Street 1", "Town"], "country": "RU", "phone": ""},
        )  # fmt: skip
        session.add(delivery)
        session.flush()
        if serial:
            proof = {"medium_kind": "usb", "medium_serial": serial}
            chain.append(session, delivery, EventKind.PREPARED, proof, by=PORTAL_COMMAND, at=at)
        return delivery.id


def recall(world, **arguments) -> None:
    world.withdraw(**arguments)
    tell(world)


def tell(world) -> None:
    with world.portal.sessions.begin() as session:
        jobs.enqueue(session, "releases.withdrawn", at=world.portal.clock(), release_id=str(world.release_id))
    world.portal.work()


def holdings(world) -> dict[str, Holding]:
    with world.portal.sessions() as session:
        return {holding.holder_name: holding for holding in session.scalars(select(Holding))}


def letters(world) -> list[OutgoingMail]:
    with world.portal.sessions() as session:
        return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.created_at)))


def link_in(letter: OutgoingMail) -> str:
    return letter.text[letter.text.index("/recalls/answer/") :].split()[0]


def page(world, who: str) -> str:
    return world.of(who).get(f"/recalls/{world.release_id}").text


def test_every_holder_of_every_channel_is_listed_with_medium_and_place_and_told_its_own_way(world):
    world.get("alpha")
    given(world, Channel.EMAIL, DeliveryState.DELIVERED, name="Ирина Письмова")
    given(world, Channel.COURIER, DeliveryState.DISPATCHED, name="Kirill Courier", serial="SN-77")
    given(world, Channel.HAND_OVER, DeliveryState.ACKNOWLEDGED, name="Hanna Hand")
    given(world, Channel.COURIER, DeliveryState.PREPARED, name="Nobody Yet", serial="SN-78")
    given(world, Channel.COURIER, DeliveryState.RETURNED, name="Came Back", serial="SN-79")
    recall(world)
    found = holdings(world)
    assert set(found) == {"Anna Alpha", "Ирина Письмова", "Kirill Courier", "Hanna Hand"}
    assert (found["Kirill Courier"].medium, found["Kirill Courier"].place) == ("usb SN-77", "Street 1, Town, RU")
    assert {name for name, holding in found.items() if holding.told_at} == {"Anna Alpha", "Ирина Письмова"}
    assert "USB flash drive SN-77, Street 1, Town, RU" in page(world, "dispatcher")
    assert "USB-флешка SN-77" in page(world, "alpha-2")
    [letter] = [letter for letter in letters(world) if "/recalls/answer/" in letter.text]
    assert (letter.recipient, letter.subject) == (found["Ирина Письмова"].holder_email, "Отозвано: Router R1 4.10")


def test_telling_twice_tells_once_and_finds_who_came_since(world):
    given(world, Channel.EMAIL, DeliveryState.DELIVERED, name="First")
    recall(world)
    first = len(letters(world))
    tell(world)
    assert len(letters(world)) == first
    given(world, Channel.EMAIL, DeliveryState.DISPATCHED, name="Second")
    tell(world)
    assert set(holdings(world)) == {"First", "Second"}
    assert len(letters(world)) == first + 1


def test_whom_a_release_reaches_while_it_is_withdrawn_is_found(world):
    recall(world)
    given(world, Channel.EMAIL, DeliveryState.DISPATCHED, name="Late")
    world.portal.clock.advance(hours=7)
    world.portal.work()
    assert holdings(world)["Late"].told_at == world.portal.clock()


def test_a_recipient_without_a_sign_in_answers_by_the_link_and_the_page_counts_to_the_end(world):
    delivery_id = given(world, Channel.EMAIL, DeliveryState.DELIVERED, name="Irina")
    world.get("alpha")
    recall(world)
    assert "0 % answered" in page(world, "dispatcher")
    address = link_in(next(letter for letter in letters(world) if "/recalls/answer/" in letter.text))
    browser = world.portal.browser()
    assert browser.submit(address, answer="kept", reason=" ", name="Irina").status_code == 422
    assert browser.submit(address, answer="kept", reason="In the laboratory only", name="Irina I.").status_code == 303
    assert "50 % answered" in page(world, "dispatcher")
    assert browser.submit(address, answer="removed", reason="", name="Irina I.").status_code == 303
    mine = holdings(world)["Anna Alpha"].id
    assert world.of("alpha").submit(f"/recalls/holdings/{mine}", answer="removed", reason="").status_code == 303
    assert "100 % answered" in page(world, "dispatcher")
    with world.portal.sessions() as session:
        entries = session.scalars(select(DeliveryEvent).where(DeliveryEvent.delivery_id == delivery_id)).all()
        said = [event.evidence["answer"] for event in entries if event.kind is EventKind.RECALL_ANSWERED]
        assert said == ["kept", "removed"]
        assert chain.first_bad(sorted(entries, key=lambda event: event.sequence)) is None


def test_whoever_finds_the_letter_fills_no_ledger_and_the_link_stands_in_no_log(world, caplog, monkeypatch):
    given(world, Channel.EMAIL, DeliveryState.DELIVERED, name="Irina")
    recall(world)
    address = link_in(next(letter for letter in letters(world) if "/recalls/answer/" in letter.text))
    monkeypatch.setattr(service, "MOST_ANSWERS", 2)
    browser = world.portal.browser()
    said = [browser.submit(address, answer="kept", reason=f"No. {n}", name="Finder").status_code for n in range(3)]
    assert said == [303, 303, 409]
    assert holdings(world)["Irina"].answer_reason == "No. 1"
    assert browser.get(address).headers["Referrer-Policy"] == "strict-origin"
    world.portal.app.testing = False
    monkeypatch.setattr(queries, "of_link", lambda *_: 1 / 0)
    assert browser.get(address).status_code == 500
    assert "/recalls/answer/…" in caplog.text
    assert address not in caplog.text


def test_a_link_that_is_not_ours_leads_nowhere(world):
    given(world, Channel.EMAIL, DeliveryState.DELIVERED, name="Irina")
    recall(world)
    address = link_in(next(letter for letter in letters(world) if "/recalls/answer/" in letter.text))
    for bad in (address[:-1], address + "A", "/recalls/answer/x", f"/recalls/answer/{holdings(world)['Irina'].id.hex}"):
        assert world.portal.browser().get(bad).status_code == 404


def test_a_recall_of_what_nobody_holds_is_complete_at_once(world):
    recall(world)
    listed = world.of("dispatcher").get("/recalls")
    assert listed.status_code == 200
    assert "100 %" in listed.text


def test_another_customer_sees_and_answers_nothing_of_it(world):
    world.get("alpha")
    recall(world)
    holding = holdings(world)["Anna Alpha"]
    beta = world.of("beta")
    for address in (
        f"/recalls/{world.release_id}",
        f"/recalls/{world.release_id}.csv",
        f"/recalls/holdings/{holding.id}",
    ):
        assert beta.get(address).status_code == 404
    token = beta.get_token("/recalls")
    answer = beta.post(f"/recalls/holdings/{holding.id}", data={"csrf_token": token, "answer": "removed"})
    assert answer.status_code == 404
    assert "Router R1" not in beta.get("/recalls").text
    assert holdings(world)["Anna Alpha"].answer is None


def test_each_customer_sees_its_own_holders_only(world):
    given(world, Channel.COURIER, DeliveryState.DELIVERED, name="Of Alpha", serial="A-1")
    given(world, Channel.COURIER, DeliveryState.DELIVERED, world.beta, name="Of Beta", serial="B-1")
    recall(world)
    assert "Of Alpha" in page(world, "alpha")
    assert "Of Beta" not in page(world, "alpha")
    assert "A-1" not in world.of("beta").get(f"/recalls/{world.release_id}.csv").text


def test_the_dispatcher_notes_how_somebody_was_told_and_prints_the_notice(world):
    given(world, Channel.COURIER, DeliveryState.DELIVERED, name="Kirill", serial="=1+1")
    recall(world)
    holding, dispatcher = holdings(world)["Kirill"], world.of("dispatcher")
    address = f"/recalls/holdings/{holding.id}"
    assert dispatcher.get(f"{address}/notice.pdf").data.startswith(b"%PDF-")
    world.portal.clock.advance(hours=2)
    assert (
        dispatcher.submit(f"{address}/told", how="Registered letter 4711", told_at="2026-03-10T11:00").status_code
        == 422
    )
    assert (
        dispatcher.submit(f"{address}/told", how="Registered letter 4711", told_at="2026-03-10T13:00").status_code
        == 303
    )
    for never in ("0001-01-01T00:00", "9999-12-31T23:59"):
        assert dispatcher.submit(f"{address}/told", how="By hand", told_at=never).status_code == 422
    assert holdings(world)["Kirill"].told_how == "Registered letter 4711"
    assert "'usb =1+1" not in dispatcher.get(f"/recalls/{world.release_id}.csv").text
    assert world.of("alpha").get(f"{address}/notice.pdf").status_code == 403


def test_whoever_does_not_answer_is_asked_again_each_week_and_no_longer_after_the_answer(world):
    given(world, Channel.EMAIL, DeliveryState.DELIVERED, name="Irina")
    recall(world)
    first = len(letters(world))
    for _ in range(2):
        world.portal.clock.advance(days=7, hours=1)
        for _ in range(2):
            with world.portal.sessions.begin() as session:
                jobs.enqueue(session, "recalls.remind", at=world.portal.clock())
            world.portal.work()
    reminders = letters(world)[first:]
    assert [letter.subject for letter in reminders] == ["Ответьте, пожалуйста: Router R1 4.10 отозван"] * 2
    world.portal.browser().submit(link_in(reminders[-1]), answer="removed", reason="", name="Irina")
    world.portal.clock.advance(days=8)
    with world.portal.sessions.begin() as session:
        jobs.enqueue(session, "recalls.remind", at=world.portal.clock())
    world.portal.work()
    assert len(letters(world)) == first + 2


def test_what_makes_no_sense_is_refused_with_its_code(world):
    given(world, Channel.EMAIL, DeliveryState.DELIVERED, name="Irina")
    given(world, Channel.COURIER, DeliveryState.DELIVERED, name="Kirill")
    recall(world)
    at, by, held = world.portal.clock(), PORTAL_COMMAND, holdings(world)
    with world.portal.sessions() as session:
        irina, kirill = (queries.holding(session, held[name].id, visible_to=by) for name in ("Irina", "Kirill"))
        with pytest.raises(ToldByMail):
            service.note_told(session, irina, Told("telephone", at), by=by, at=at)
        for moment in (at - timedelta(days=1), at + timedelta(seconds=1)):
            with pytest.raises(ToldBefore):
                service.note_told(session, kirill, Told("telephone", moment), by=by, at=at)
        with pytest.raises(ReasonNeeded):
            service.answer(session, kirill, Answer.KEPT, "\n", by=by, at=at)


@pytest.mark.parametrize(
    ("kept", "words"),
    [("usb USB-0007", "USB flash drive USB-0007"), ("ssd A 1", "Portable SSD A 1"), ("tape T-1", "tape T-1"), ("", "")],
)
def test_a_medium_is_named_in_words(kept, words):
    assert medium_in(kept, str) == words
