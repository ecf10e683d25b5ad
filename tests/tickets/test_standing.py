"""What a ticket keeps at hand of its clock is what its events say, after every verb."""

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select

from portal.errors import PortalError
from portal.tickets import service, standing
from portal.tickets.clock import TicketFacts, readings
from portal.tickets.models import (
    Step,
    TicketAlarm,
    TicketChannel,
    TicketEvent,
    TicketEventKind,
    TicketSeverity,
)
from portal.tickets.programmes import EXPERT_24X7, Measure
from portal.tickets.standing import WARNING, pending
from portal.tickets.timing import clock_of, moments_of
from tests.portals import START

MINUTE = timedelta(minutes=1)
HISTORIES, STEPS_OF_ONE = 6, 14


def one_verb(session, ticket, draw, world, at):
    by = world.actors[draw.choice(("tsc", "alpha"))]
    verb = draw.choice(("answer", "answer", "step", "note", "claim"))
    if verb == "answer":
        service.answer(session, ticket, "A word.", by=by, at=at)
    elif verb == "step":
        service.change_state(session, ticket, draw.choice(list(Step)), by=by, at=at)
    elif verb == "note":
        service.add_note(session, ticket, "Among us.", by=world.actors["tsc"], at=at)
    else:
        service.claim(session, ticket, by=world.actors["tsc"], at=at)


def test_the_kept_facts_are_those_of_the_events_after_every_verb(world):
    draw = Random(4)
    seen = set()
    for _ in range(HISTORIES):
        channel, severity = draw.choice(list(TicketChannel)), draw.choice(list(TicketSeverity))
        number = world.open(channel=channel, severity=severity)
        at = START
        for _ in range(STEPS_OF_ONE):
            at += timedelta(minutes=draw.randrange(1, 3000))
            with world.begin() as session:
                ticket = world.ticket(session, number)
                try:
                    one_verb(session, ticket, draw, world, at)
                except PortalError:
                    continue
            with world.portal.sessions() as session:
                ticket = world.ticket(session, number)
                rows = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.sequence)
                events = session.scalars(rows).all()
                answers = [e.at for e in events if e.kind is TicketEventKind.MESSAGE and e.by_staff]
                assert ticket.answered_at == (answers[0] if answers else None)
                assert ticket.last_answer_at == (answers[-1] if answers else None)
                much_later = at + timedelta(days=500)  # no later instant moves them
                clock = clock_of(session, ticket, events, at=much_later)
                running = [r for r in clock.values() if r.stopped_at is None and r.warn_at]
                assert ticket.due_at == min((r.due_at for r in running), default=None)
                assert ticket.watch_at == min((r.warn_at for r in running), default=None)
                seen.add((ticket.state, ticket.due_at is None))
    assert len({state for state, _ in seen}) >= 5, seen


def calls(moments, *told, severity=TicketSeverity.CRITICAL):
    facts = TicketFacts(TicketChannel.TELEPHONE, severity)
    clock = readings(moments, facts, EXPERT_24X7, now=START)
    return [(c.measure, c.rung, c.at - START) for c in pending(clock, EXPERT_24X7, told)]


def opened_at(minutes=0):
    return TicketEvent(kind=TicketEventKind.OPENED, at=START + minutes * MINUTE, by_staff=False)


def alarm(measure, rung, minutes, due):
    return TicketAlarm(measure=measure.value, rung=rung, at=START + minutes * MINUTE, due_at=START + due * MINUTE)


def test_the_ladder_of_a_call():
    found = calls(moments_of([opened_at()]))
    assert found[:4] == [
        (Measure.RESPONSE, WARNING, 20 * MINUTE),
        (Measure.RESPONSE, "1", 30 * MINUTE),
        (Measure.RESPONSE, "2", 45 * MINUTE),
        (Measure.RESPONSE, "3", 90 * MINUTE),
    ]
    assert {measure for measure, *_ in found[4:]} == {Measure.RESOLUTION}


@pytest.mark.parametrize(
    ("told", "is_left"),
    [
        ([], True),
        ([alarm(Measure.RESPONSE, WARNING, 20, 30)], False),
        ([alarm(Measure.RESPONSE, WARNING, 20, 25)], False),  # a pause has moved the end on: told all the same
        ([alarm(Measure.RESPONSE, WARNING, 20, 60)], True),  # the end came nearer since
        ([alarm(Measure.RESOLUTION, WARNING, 20, 30)], True),
        ([alarm(Measure.RESPONSE, "1", 20, 30)], True),
        ([alarm(Measure.RESPONSE, WARNING, -5, 20)], True),  # of a promise before this one
    ],
)
def test_what_was_told_is_not_told_again(told, is_left):
    found = calls(moments_of([opened_at()]), *told)
    assert ((Measure.RESPONSE, WARNING, 20 * MINUTE) in found) is is_left


def test_many_tickets_are_kept_in_as_many_statements_as_one(world):
    numbers = [world.open("alpha"), world.open("beta"), world.open("alpha")]
    with world.begin() as session:
        tickets = [world.ticket(session, number) for number in numbers]
        with world.statements() as asked:
            standing.keep(session, *tickets, at=START)
        assert len(asked) == 5, asked
