import pytest
from sqlalchemy import select

from portal.errors import Forbidden
from portal.tickets import merging, participants, service
from portal.tickets.desk_models import TicketFile, TicketParticipant
from portal.tickets.errors import (
    AlreadyRated,
    MergedWithItself,
    NotClosedYet,
    NothingToSplit,
    NotSameCustomer,
    TicketClosed,
    TicketMerged,
    UnknownContact,
)
from portal.tickets.models import Step, Ticket, TicketEvent, TicketEventKind
from tests.portals import START


def merge(world, number, into, who="tsc"):
    with world.begin() as session:
        both = (world.ticket(session, one) for one in (number, into))
        merging.merge(session, *both, by=world.actors[who], at=START)


def step(world, number, step, who="alpha", **facts):
    with world.begin() as session:
        service.change_state(session, world.ticket(session, number), step, by=world.actors[who], at=START, **facts)


def split(world, number, event_id):
    with world.begin() as session:
        event = session.get_one(TicketEvent, event_id)
        merging.split(session, world.ticket(session, number), event, "x", by=world.actors["tsc"], at=START)


def add(world, number, who, by):
    with world.begin() as session:
        ticket = world.ticket(session, number)
        participants.add(session, ticket, world.people[who].email, by=world.actors[by], at=START)


def follow(world, number):
    with world.portal.sessions() as session:
        return {one.email for one in participants.followers(session, world.ticket(session, number))}


def test_a_merged_ticket_is_closed_points_at_the_other_and_its_people_are_told(world):
    one, other = world.open(title="Same *thing*"), world.open()
    add(world, one, "alpha2", "tsc")
    merge(world, one, other)
    assert world.state(one) == "closed"
    assert follow(world, other) == {world.people["alpha"].email, world.people["alpha2"].email}
    shown = world.of("alpha").get(f"/tickets/{one}").text
    assert f'href="/tickets/{other}"' in shown
    assert "Reopen" not in shown
    assert "Same *thing*" in world.of("alpha").get(f"/tickets/{other}").text
    world.portal.work()
    told = world.portal.mails()
    assert len(told) == 2
    assert all(other in text for text in told)
    with pytest.raises(TicketMerged):
        step(world, one, Step.REOPEN, reason="x")
    with pytest.raises(TicketMerged):
        merge(world, one, other)
    with pytest.raises(TicketClosed):
        merge(world, other, one)


def test_what_can_not_be_merged(world):
    one, foreign = world.open(), world.open("beta")
    with pytest.raises(NotSameCustomer):
        merge(world, one, foreign)
    with pytest.raises(MergedWithItself):
        merge(world, one, one)
    with pytest.raises(Forbidden):
        merge(world, one, one, who="alpha")
    page = f"/tickets/{one}"
    assert world.of("tsc").submit(f"{page}/merge", page=page, into=foreign).status_code == 422
    assert world.of("tsc").submit(f"{page}/merge", page=page, into="T-000099").status_code == 404


def test_a_message_begins_a_ticket_of_its_own_and_a_note_never(world):
    number = world.open(product=None)
    world.answer(number, "alpha", "And the fan is loud.")
    with world.begin() as session:
        note = service.add_note(session, world.ticket(session, number), "hush", by=world.actors["tsc"], at=START)
        said = session.scalars(select(TicketEvent).where(TicketEvent.body == "And the fan is loud.")).one()
        facts = {"person_name": "x", "by_staff": False, "key": "k", "sha256": "0" * 64, "size_bytes": 1}
        session.add(TicketFile(ticket_id=said.ticket_id, event_id=said.id, name="fan.mp3", created_at=START, **facts))
    page = f"/tickets/{number}"
    answer = world.of("tsc").submit(f"{page}/split/{said.id}", page=page, title="Fan")
    assert answer.location == "/tickets/T-000002"
    shown = world.of("alpha").get(answer.location).text
    for words in ("And the fan is loud.", "fan.mp3", number):
        assert words in shown
    assert follow(world, "T-000002") == {world.people["alpha"].email}
    with pytest.raises(NothingToSplit):
        split(world, number, note.id)


def test_only_people_of_the_customer_follow(world):
    number = world.open()
    page = f"/tickets/{number}"
    for who in ("beta", "tsc"):
        with pytest.raises(UnknownContact):
            add(world, number, who, "alpha")
    email = world.people["alpha2"].email
    for _ in range(2):
        assert world.of("alpha").submit(f"{page}/participants", page=page, email=email).status_code == 303
    assert follow(world, number) == {world.people["alpha"].email, email}
    world.answer(number, body="Answer for all")
    world.portal.work()
    assert len([text for text in world.portal.mails() if "Answer for all" in text]) == 2
    with world.portal.sessions() as session:
        [row] = session.scalars(select(TicketParticipant)).all()
    assert world.of("alpha").submit(f"{page}/participants/{row.id}/remove", page=page).status_code == 303
    assert follow(world, number) == {world.people["alpha"].email}


def test_an_opinion_once_after_the_end(world):
    number, page = world.open(), "/tickets/T-000001"
    rate = {"page": page, "score": "4", "words": "Quick <b>work</b>"}
    with pytest.raises(NotClosedYet), world.begin() as session:
        merging.rate(session, world.ticket(session, number), 4, "", by=world.actors["alpha"], at=START)
    step(world, number, Step.CLOSE)
    assert "How was it?" in world.of("alpha").get(page).text
    assert world.of("alpha").submit(f"{page}/opinion", **{**rate, "score": "6"}).status_code == 422
    assert world.of("tsc").submit(f"{page}/opinion", **rate).status_code == 403
    assert world.of("alpha").submit(f"{page}/opinion", **rate).status_code == 303
    assert "Quick &lt;b&gt;work" in world.of("tsc").get(page).text
    with pytest.raises(AlreadyRated), world.begin() as session:
        merging.rate(session, world.ticket(session, number), 1, "", by=world.actors["alpha2"], at=START)


def test_reopening_says_why(world):
    number, page = world.open(), "/tickets/T-000001"
    step(world, number, Step.CLOSE)
    assert world.of("alpha").submit(f"{page}/state", page=page, step="reopen").status_code == 422
    assert world.of("alpha").submit(f"{page}/state", page=page, step="reopen", reason="It **flaps**").status_code == 303
    assert "<strong>flaps</strong>" in world.of("tsc").get(page).text
    with world.portal.sessions() as session:
        states = session.scalars(select(TicketEvent).where(TicketEvent.kind == TicketEventKind.STATE)).all()
        assert "It **flaps**" in {event.body for event in states}
        assert session.scalars(select(Ticket)).one().merged_into_id is None
