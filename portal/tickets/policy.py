"""Who may do what with a ticket that they may see."""

from portal.actors import Actor
from portal.errors import Forbidden
from portal.permissions import Permission
from portal.tickets.models import AFTER_STAFF_ANSWER, TRANSITIONS, Step, Ticket, TicketState

CUSTOMER_STEPS = frozenset({Step.CLOSE, Step.REOPEN})


def sees_internal(by: Actor) -> bool:
    """Notes and links are for the vendor and the support centre alone."""
    return by.is_staff


def steps_for(ticket: Ticket, by: Actor) -> list[Step]:
    """The changes of state that this actor may ask for now, in the order of their buttons."""
    return [step for step in Step if ticket.state in TRANSITIONS[step] and _may(step, ticket, by)]


def steps_after_answer(ticket: Ticket, by: Actor) -> list[Step]:
    """What staff may take along with an answer, which opens a new ticket first."""
    state = AFTER_STAFF_ANSWER.get(ticket.state, ticket.state)
    return [step for step in Step if state in TRANSITIONS[step] and _may(step, ticket, by)]


def require_step(step: Step, ticket: Ticket, by: Actor) -> None:
    """Raises Forbidden for a step that is not this actor's to take (whether the state allows it is asked later)."""
    if not _may(step, ticket, by):
        raise Forbidden(permission=Permission.TICKETS_WORK)


def require_work(by: Actor) -> None:
    """Raises Forbidden unless the actor works on tickets for the support centre."""
    if not (by.is_staff and by.may(Permission.TICKETS_WORK)):
        raise Forbidden(permission=Permission.TICKETS_WORK)


def require_answer(by: Actor) -> None:
    """Raises Forbidden unless the actor may write in a ticket's thread."""
    if not by.may(Permission.TICKETS_ANSWER):
        raise Forbidden(permission=Permission.TICKETS_ANSWER)


def _may(step: Step, ticket: Ticket, by: Actor) -> bool:
    if by.is_customer:
        return by.may(Permission.TICKETS_ANSWER) and step in CUSTOMER_STEPS
    # The support centre closes what is resolved; only the customer may do without.
    is_early_close = step is Step.CLOSE and ticket.state not in (TicketState.RESOLVED, TicketState.CLOSED)
    return by.is_staff and by.may(Permission.TICKETS_WORK) and not is_early_close
