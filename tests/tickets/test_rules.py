from portal.tickets.models import TicketState
from portal.tickets.rules import NEXT_STEP_TITLES


def test_every_state_says_who_acts_next():
    assert set(NEXT_STEP_TITLES) == set(TicketState)
