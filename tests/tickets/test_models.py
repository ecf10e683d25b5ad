import pytest

from portal.tickets.errors import StepNotPossible, TicketClosed
from portal.tickets.models import TRANSITIONS, Step, Ticket, TicketState

NEW, OPEN, CUSTOMER, RELEASE, FIX, RESOLVED, CLOSED = TicketState

TABLE = {
    (OPEN, Step.WAIT_FOR_CUSTOMER): CUSTOMER,
    (RELEASE, Step.WAIT_FOR_CUSTOMER): CUSTOMER,
    (OPEN, Step.WAIT_FOR_RELEASE): RELEASE,
    (CUSTOMER, Step.WAIT_FOR_RELEASE): RELEASE,
    (OPEN, Step.RESOLVE): RESOLVED,
    (CUSTOMER, Step.RESOLVE): RESOLVED,
    (RELEASE, Step.RESOLVE): RESOLVED,
    (NEW, Step.CLOSE): CLOSED,
    (OPEN, Step.CLOSE): CLOSED,
    (CUSTOMER, Step.CLOSE): CLOSED,
    (RELEASE, Step.CLOSE): CLOSED,
    (FIX, Step.CLOSE): CLOSED,
    (RESOLVED, Step.CLOSE): CLOSED,
    (FIX, Step.REOPEN): OPEN,
    (RESOLVED, Step.REOPEN): OPEN,
    (CLOSED, Step.REOPEN): OPEN,
}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", TicketState)
def test_steps(state, step):
    ticket = Ticket(number=7, state=state)
    if (state, step) in TABLE:
        ticket.take(step)
        assert ticket.state is TABLE[state, step]
    else:
        with pytest.raises(StepNotPossible) as caught:
            ticket.take(step)
        assert (caught.value.code, ticket.state) == ("ticket-state", state)
        assert "T-000007" in str(caught.value)


def test_the_table_covers_every_step():
    assert set(TRANSITIONS) == set(Step)


@pytest.mark.parametrize(
    ("state", "by_staff", "by_customer"),
    [
        (NEW, OPEN, NEW), (OPEN, OPEN, OPEN), (CUSTOMER, CUSTOMER, OPEN), (RELEASE, RELEASE, RELEASE),
        (FIX, FIX, OPEN), (RESOLVED, RESOLVED, OPEN),
    ],
)  # fmt: skip
def test_answers(state, by_staff, by_customer):
    ticket = Ticket(number=1, state=state)
    ticket.answered_by_staff()
    assert ticket.state is by_staff
    ticket.state = state
    ticket.answered_by_customer()
    assert ticket.state is by_customer


def test_nobody_answers_a_closed_ticket():
    ticket = Ticket(number=1, state=CLOSED)
    for answered in (ticket.answered_by_staff, ticket.answered_by_customer):
        with pytest.raises(TicketClosed):
            answered()
