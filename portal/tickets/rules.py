"""What follows from a ticket and its thread. Computed when read, never stored, so that nothing can drift (P3)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from portal.errors import mark
from portal.tickets.models import TicketChannel, TicketEvent, TicketEventKind, TicketState

RESPONSE_TARGETS = {TicketChannel.TELEPHONE: timedelta(minutes=30)}
"""Real minutes at any hour (P3); channels that are not named have no target yet."""

NEXT_STEP_TITLES = {
    TicketState.NEW: mark("The support centre answers"),
    TicketState.OPEN: mark("The support centre works on it"),
    TicketState.WAITING_FOR_CUSTOMER: mark("The customer answers"),
    TicketState.WAITING_FOR_RELEASE: mark("The vendor issues a release"),
    TicketState.RESOLVED: mark("The customer confirms"),
    TicketState.CLOSED: mark("Nothing; it is closed"),
}
"""Who acts next, for each state (P2)."""


def first_answer_at(events: Iterable[TicketEvent]) -> datetime | None:
    """When a human of the support centre first answered the customer; notes are no answers."""
    return min((e.at for e in events if e.by_staff and e.kind is TicketEventKind.MESSAGE), default=None)


def respond_by(events: Iterable[TicketEvent], channel: TicketChannel) -> datetime | None:
    """Until when the first answer is promised, counted from the opening; None where nothing is promised."""
    opened_at = min((e.at for e in events if e.kind is TicketEventKind.OPENED), default=None)
    target = RESPONSE_TARGETS.get(channel)
    return opened_at + target if opened_at and target else None
