"""The thread says what each entry did to the promised times; who was called is the support centre's own."""

from datetime import timedelta

import pytest

from portal.tickets import service
from portal.tickets.models import Step, TicketChannel, TicketEvent, TicketEventKind
from portal.tickets.programmes import EXPERT_24X7, Measure
from portal.tickets.timing import clock_of
from portal.tickets.turns import Turn, turns_of
from tests.portals import START

MINUTE = timedelta(minutes=1)
OPENED = (0, TicketEventKind.OPENED, "")
RESPONSE, UPDATE, RESOLUTION = Measure.RESPONSE, Measure.NEXT_UPDATE, Measure.RESOLUTION


def answered(minutes):
    return minutes, TicketEventKind.MESSAGE, ""


def became(minutes, state):
    return minutes, TicketEventKind.STATE, state


@pytest.mark.parametrize(
    ("past", "found"),
    [
        ([OPENED], {}),
        ([OPENED, answered(29), became(29, "open")], {2: [(RESPONSE, Turn.KEPT)]}),
        ([OPENED, answered(31), answered(32)], {2: [(RESPONSE, Turn.BROKEN)]}),
        (
            [OPENED, answered(5), became(5, "open"), became(9, "waiting-for-customer"), became(20, "open")],
            {
                2: [(RESPONSE, Turn.KEPT)],
                4: [(UPDATE, Turn.RESTS), (RESOLUTION, Turn.RESTS)],
                5: [(UPDATE, Turn.GOES_ON), (RESOLUTION, Turn.GOES_ON)],
            },
        ),
        (
            [OPENED, answered(5), became(6, "waiting-for-release"), became(7, "resolved"), became(8, "closed")],
            {2: [(RESPONSE, Turn.KEPT)], 3: [(RESOLUTION, Turn.RESTS)], 4: [(RESOLUTION, Turn.KEPT)]},
        ),
        (
            [OPENED, answered(5), became(6, "resolved"), became(8, "open")],
            {
                2: [(RESPONSE, Turn.KEPT)],
                3: [(UPDATE, Turn.RESTS), (RESOLUTION, Turn.RESTS)],
                4: [(UPDATE, Turn.GOES_ON), (RESOLUTION, Turn.GOES_ON)],
            },
        ),
    ],
)
def test_what_an_entry_did_to_the_promises(world, past, found):
    number = world.open(channel=TicketChannel.TELEPHONE)
    events = [
        TicketEvent(sequence=place, at=START + minutes * MINUTE, kind=kind, detail=detail,
                    by_staff=kind is TicketEventKind.MESSAGE, is_automatic=False)
        for place, (minutes, kind, detail) in enumerate(past, 1)
    ]  # fmt: skip
    with world.portal.sessions() as session:
        clock = clock_of(session, world.ticket(session, number), events, at=START + 60 * MINUTE)
    assert turns_of(events, clock, EXPERT_24X7) == found


def test_the_thread_says_it_to_both_and_the_alarms_to_one(world):
    number = world.open(channel=TicketChannel.TELEPHONE)
    for minutes in (20, 30):
        world.portal.clock.at = START + minutes * MINUTE
        world.portal.work()
    world.portal.clock.at = START + 31 * MINUTE
    world.answer(number)
    with world.begin() as session:
        ticket = world.ticket(session, number)
        service.change_state(session, ticket, Step.WAIT_FOR_CUSTOMER, by=world.actors["tsc"], at=world.portal.clock())
    for who, is_told in (("tsc", True), ("alpha", False)):
        page = world.of(who).get(f"/tickets/{number}").text
        assert "First answer: not kept" in page
        assert "Resolution: rests from here on" in page
        assert ("a warning went out" in page, "help was called" in page) == (is_told, is_told)
        assert page.find("a warning went out") <= page.find("help was called")
        printed = world.of(who).get(f"/tickets/{number}/print").text
        assert "First answer: not kept" in printed
        assert "help was called" not in printed
