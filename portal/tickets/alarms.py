"""Warnings before a promise breaks and the ladder after it broke: each once, whatever restarts in between (P3).

One alarm is one transaction: its row, its letters and its text messages, under the ticket's lock. Whoever dies within
it leaves nothing; whoever comes second finds the row.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Person
from portal.db import reading
from portal.jobs import service as jobs
from portal.mail.phones import post_text
from portal.mail.service import post
from portal.resources import Resources
from portal.tickets import alarm_letters, rota, standing
from portal.tickets.models import Ticket, TicketAlarm
from portal.tickets.standing import Call

log = logging.getLogger(__name__)
BATCH = 1000


class WatchFailed(Exception):
    """Some tickets could not be watched; the others were. The log says which and why."""


@jobs.handles("tickets.watch", every=timedelta(minutes=1))
def watch(resources: Resources, *, at: datetime) -> None:
    """Tell what is due by now, the oldest first, one transaction each. A ticket that fails holds up no other.

    Raises WatchFailed at the end where any failed, so that the job is tried again and shows.
    """
    failed: set[UUID] = set()
    while True:
        ticket_id = None
        try:
            with resources.sessions.begin() as session:
                ticket = _next(session, at, failed)
                if ticket is None:
                    break
                ticket_id = ticket.id
                tell_next(session, ticket, at=at, base_url=resources.config.base_url)
        except Exception:
            if ticket_id is None:
                raise
            log.exception("ticket %s can't be watched", ticket_id)
            failed.add(ticket_id)
    if failed:
        raise WatchFailed(sorted(map(str, failed)))


@jobs.handles("tickets.recount", every=timedelta(hours=1))
def recount(resources: Resources, *, at: datetime) -> None:
    """Go over what open tickets keep at hand of their clocks, and mend what is not what follows from their events.

    Programmes change without the tickets, and a verb may forget. Only what is mended is locked, and logged.
    """
    last: int | None = 0
    while last is not None:
        with resources.sessions() as session:
            reading(session)
            wrong, last = standing.drifted(session, last, BATCH, at=at)
        if wrong:
            with resources.sessions.begin() as session:
                rows = select(Ticket).where(Ticket.id.in_(wrong)).order_by(Ticket.number).with_for_update()
                tickets = session.scalars(rows).all()
                standing.keep(session, *tickets, at=at)
            log.info("what %s tickets kept of their clocks is mended, up to number %s", len(tickets), last)


def tell_next(session: Session, ticket: Ticket, *, at: datetime, base_url: str) -> Call | None:
    """Tell the oldest thing that is due of this ticket, which is locked; None when its events leave nothing to tell."""
    calls = standing.keep(session, ticket, at=at)[ticket.id]
    if not calls or calls[0].at > at:
        return None
    call = calls[0]
    alarm = TicketAlarm(ticket_id=ticket.id, measure=call.measure.value, rung=call.rung, due_at=call.due_at, at=at)
    session.add(alarm)
    session.flush()  # the letters' keys need its id
    called = _called(session, ticket, call, at)
    alarm.told = len(called)
    for one in called:
        address = f"{base_url}/tickets/{ticket}"
        subject, text, short = alarm_letters.alarm(ticket, call, one.person, address=address)
        key = f"ticket-alarm:{alarm.id}:{one.person.id}"
        post(session, key=key, recipient=one.person.email, subject=subject, text=text, at=at)
        if one.phone:
            post_text(session, key=key, phone=one.phone, text=short, at=at)
    ticket.watch_at = calls[1].at if calls[1:] else None
    return call


def _next(session: Session, at: datetime, failed: Collection[UUID]) -> Ticket | None:
    """The ticket with the oldest thing to tell, locked; one that another worker is at is the other's."""
    rows = (
        select(Ticket)
        .where(Ticket.watch_at.is_not(None), Ticket.watch_at <= at)
        .options(joinedload(Ticket.organisation), joinedload(Ticket.assignee).joinedload(Person.organisation))
        .order_by(Ticket.watch_at, Ticket.number)
        .limit(1)
        .with_for_update(skip_locked=True, of=Ticket)
        .execution_options(populate_existing=True)
    )
    if failed:
        rows = rows.where(Ticket.id.not_in(failed))
    return session.scalar(rows)


def _called(session: Session, ticket: Ticket, call: Call, at: datetime) -> list[rota.Called]:
    """Whom the rung means, and whoever works on the ticket, each once."""
    found = {called.person.id: called for called in rota.whom_to_call(session, call.who, at)}
    assignee = ticket.assignee
    if assignee and assignee.is_active:
        found.setdefault(assignee.id, rota.Called(assignee))
    return list(found.values())
