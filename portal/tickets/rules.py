"""What follows from a ticket's state. What follows from its thread is the clock's (clock.py, timing.py)."""

from portal.errors import mark
from portal.tickets.models import TicketState

NEXT_STEP_TITLES = {
    TicketState.NEW: mark("The support centre answers"),
    TicketState.OPEN: mark("The support centre works on it"),
    TicketState.WAITING_FOR_CUSTOMER: mark("The customer answers"),
    TicketState.WAITING_FOR_RELEASE: mark("The vendor issues a release"),
    TicketState.FIX_AVAILABLE: mark("The customer tries the fix and confirms"),
    TicketState.RESOLVED: mark("The customer confirms"),
    TicketState.CLOSED: mark("Nothing; it is closed"),
}
"""Who acts next, for each state (P2)."""
