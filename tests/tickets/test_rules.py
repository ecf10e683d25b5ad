from datetime import timedelta

from portal.tickets.models import TicketChannel, TicketEvent, TicketEventKind, TicketState
from portal.tickets.rules import NEXT_STEP_TITLES, first_answer_at, respond_by
from tests.portals import START


def event(kind: TicketEventKind, minutes: int, *, by_staff: bool) -> TicketEvent:
    return TicketEvent(kind=kind, at=START + timedelta(minutes=minutes), by_staff=by_staff)


OPENED = event(TicketEventKind.OPENED, 0, by_staff=False)


def test_only_a_message_of_support_is_an_answer():
    thread = [
        event(TicketEventKind.OPENED, 0, by_staff=True),  # a call that support wrote down
        event(TicketEventKind.MESSAGE, 1, by_staff=False),
        event(TicketEventKind.NOTE, 2, by_staff=True),
        event(TicketEventKind.STATE, 3, by_staff=True),
        event(TicketEventKind.LINKED, 4, by_staff=True),
    ]
    assert first_answer_at(thread) is None
    answers = [event(TicketEventKind.MESSAGE, minutes, by_staff=True) for minutes in (9, 7)]
    assert first_answer_at([*thread, *answers]) == START + timedelta(minutes=7)


def test_half_an_hour_for_a_call():
    assert respond_by([OPENED], TicketChannel.TELEPHONE) == START + timedelta(minutes=30)
    assert respond_by([OPENED], TicketChannel.WEB) is None
    assert respond_by([], TicketChannel.TELEPHONE) is None


def test_every_state_says_who_acts_next():
    assert set(NEXT_STEP_TITLES) == set(TicketState)
