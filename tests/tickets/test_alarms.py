"""Warnings and the ladder: each once, in order, whatever restarts, whoever runs twice."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.mail.models import OutgoingMail
from portal.tickets import alarms, rota, service
from portal.tickets.models import Step, Ticket, TicketAlarm, TicketChannel
from portal.tickets.rota import ShiftFacts
from portal.tickets.rota_models import DutyRole
from tests.portals import START

MINUTE = timedelta(minutes=1)
LADDER = [("response", "warning"), ("response", "1"), ("response", "2"), ("response", "3")]


def call(world, who="alpha"):
    return world.open(who, channel=TicketChannel.TELEPHONE)


def watch(world, minutes):
    world.portal.clock.at = START + minutes * MINUTE
    alarms.watch(world.portal.resources, at=world.portal.clock.at)


def told(world):
    """(measure, rung, minutes after the opening), in the order in which they were told."""
    with world.portal.sessions() as session:
        rows = session.scalars(
            select(TicketAlarm).order_by(TicketAlarm.at, TicketAlarm.rung != "warning", TicketAlarm.rung)
        )
        return [(row.measure, row.rung, (row.at - START) / MINUTE) for row in rows]


def letters(world):
    world.portal.work()
    return world.portal.mails()


def test_nobody_answers_a_call_at_night(world):
    call(world)
    for minute in range(0, 100, 5):
        watch(world, minute)
    assert told(world) == [
        ("response", "warning", 20),
        ("response", "1", 30),
        ("response", "2", 45),
        ("response", "3", 90),
    ]


def test_twice_is_once(world):
    call(world)
    for _ in range(3):
        watch(world, 31)
    assert [(measure, rung) for measure, rung, _ in told(world)] == LADDER[:2]
    assert len([mail for mail in letters(world) if "T-000001" in mail]) == 2 * 2  # two engineers, nobody is on duty


def test_a_worker_that_was_away_for_an_hour_tells_all_that_is_due_in_order(world):
    call(world)
    call(world, "beta")
    watch(world, 95)
    assert [(m, r) for m, r, _ in told(world)] == sorted(LADDER * 2, key=LADDER.index)
    with world.portal.sessions() as session:
        due = session.scalars(select(Ticket.watch_at)).all()
        assert all(at > START + 95 * MINUTE for at in due)


def test_two_workers_at_once_tell_each_thing_once(world):
    for _ in range(4):
        call(world)
    start, errors = threading.Barrier(2), []

    def work():
        start.wait()
        try:
            watch(world, 46)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    watch(world, 46)  # what one left because the other held it
    assert errors == []
    assert sorted((m, r) for m, r, _ in told(world)) == sorted(LADDER[:3] * 4)
    assert len([mail for mail in letters(world) if "Subject: T-0000" in mail]) == 4 * 3 * 2


def test_a_worker_that_dies_leaves_nothing_and_the_next_one_does_it(world):
    call(world)
    session = world.portal.sessions()
    ticket = alarms._next(session, START + 21 * MINUTE, ())
    assert alarms.tell_next(session, ticket, at=START + 21 * MINUTE, base_url="https://portal")
    session.flush()
    session.close()  # as the database does when the worker's connection breaks off
    with world.portal.sessions() as session:
        assert session.scalars(select(TicketAlarm)).all() == session.scalars(select(OutgoingMail)).all() == []
    watch(world, 22)
    assert told(world) == [("response", "warning", 22)]
    assert len(letters(world)) == 2


@pytest.mark.parametrize("how", ["answered", "closed", "withdrawn"])
def test_nothing_is_told_of_what_is_answered_or_closed(world, how):
    number = call(world)
    with world.begin() as session:
        ticket, at = world.ticket(session, number), START + 10 * MINUTE
        if how == "answered":
            service.answer(session, ticket, "We see it.", by=world.actors["tsc"], at=at)
            service.change_state(session, ticket, Step.RESOLVE, by=world.actors["tsc"], at=at)
        else:
            service.change_state(session, ticket, Step.CLOSE, by=world.actors["alpha"], at=at)
        if how == "withdrawn":
            ticket.watch_at = START  # an old fact can't call anybody: the events are asked
    watch(world, 1000)
    assert told(world) == []
    with world.portal.sessions() as session:
        assert session.scalar(select(Ticket.watch_at)) is None


def test_a_ticket_that_fails_holds_up_no_other(world):
    call(world)
    call(world, "beta")
    with world.begin() as session:
        ticket = world.ticket(session, "1")
        due = START + 30 * MINUTE
        session.add(TicketAlarm(ticket_id=ticket.id, measure="response", rung="warning", due_at=due, at=START))
    with pytest.raises(alarms.WatchFailed):
        watch(world, 21)
    assert ("response", "warning", 21) in told(world)


def test_whom_it_reaches(world):
    """Those on duty, by text message too where they have a telephone; the shift lead; the dispatchers; who has it."""
    by = world.actors["dispatcher"]
    with world.begin() as session:
        for who, role, phone in (("tsc2", DutyRole.ON_DUTY, "+79161234567"), ("dispatcher", DutyRole.SHIFT_LEAD, "")):
            facts = ShiftFacts(world.people[who].id, role, START, START + timedelta(hours=8), phone)
            rota.add_shift(session, facts, by=by, at=START)
    number = call(world)
    with world.begin() as session:
        service.claim(session, world.ticket(session, number), by=world.actors["tsc"], at=START)
    reached = {}
    for minute, rung in ((20, "warning"), (30, "1"), (45, "2"), (90, "3")):
        before = set(letters(world))
        watch(world, minute)
        new = set(letters(world)) - before
        reached[rung] = {who for who, person in world.people.items() if any(f"To: {person.email}" in m for m in new)}
    assert reached == {
        "warning": {"tsc", "tsc2"}, "1": {"tsc", "tsc2"}, "2": {"tsc", "dispatcher"}, "3": {"tsc", "dispatcher"},
    }  # fmt: skip
    texts = world.portal.texts()
    assert len(texts) == 2
    assert all(text.startswith("To: +79161234567") and "T-000001" in text for text in texts)


def test_the_hourly_count_mends_what_a_verb_forgot_and_touches_nothing_else(world, caplog, monkeypatch):
    monkeypatch.setattr(alarms, "BATCH", 2)
    numbers = [call(world) for _ in range(5)]
    with world.begin() as session:
        world.ticket(session, numbers[3]).due_at = START + timedelta(days=9)
        world.ticket(session, numbers[4]).watch_at = None
    with caplog.at_level("INFO", logger=alarms.__name__):
        alarms.recount(world.portal.resources, at=START + MINUTE)
    assert [record.args for record in caplog.records if record.name == alarms.__name__] == [(1, 4), (1, 5)]
    with world.portal.sessions() as session:
        tickets = [world.ticket(session, number) for number in numbers]
        assert [t.due_at for t in tickets] == [START + 30 * MINUTE] * 5
        assert [t.watch_at for t in tickets] == [START + 20 * MINUTE] * 5
    with world.statements("SELECT", "UPDATE") as asked:
        alarms.recount(world.portal.resources, at=START + 2 * MINUTE)
    assert asked
    assert not [statement for statement in asked if "UPDATE" in statement]
