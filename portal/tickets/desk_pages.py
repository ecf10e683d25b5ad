"""What stands beside the thread on a ticket's page: files, people, the way it ended; and what is done with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from portal.errors import NotFound
from portal.permissions import Permission
from portal.texts import one_line
from portal.tickets import attachments, contacts, merging, participants, queries
from portal.tickets.desk_models import Contact, TicketFile, TicketOpinion
from portal.tickets.errors import BadScore
from portal.tickets.intake import IMPACT_TITLES, URGENCY_TITLES
from portal.tickets.models import Ticket, TicketState
from portal.tickets.participants import Follower
from portal.tickets.routes import bp
from portal.tickets.service import MAX_TITLE_CHARS
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session


@dataclass(frozen=True)
class Desk:
    """What the page of a ticket shows beside its thread; for a customer without what is internal."""

    files: Sequence[TicketFile]
    followers: Sequence[Follower]
    offered: Sequence[tuple[str, str]]
    at_night: Sequence[Contact]
    merged_into: Ticket | None
    opinion: TicketOpinion | None
    may_rate: bool


def desk_of(ticket: Ticket) -> Desk:
    by = actor()
    is_closed = ticket.state is TicketState.CLOSED
    opinion = merging.opinion(session(), ticket) if is_closed else None
    may_answer = by.may(Permission.TICKETS_ANSWER)
    rows = select(Ticket).where(Ticket.id == ticket.merged_into_id)
    followers = participants.followers(session(), ticket)
    known = {one.email for one in followers}
    offered = participants.offered(session(), ticket) if may_answer else ()
    return Desk(
        files=attachments.files(session(), ticket, visible_to=by),
        followers=followers,
        offered=[(email, name) for email, name in offered if email not in known],
        at_night=contacts.at_night(session(), ticket.organisation_id) if by.is_staff else (),
        merged_into=session().scalar(rows) if ticket.merged_into_id else None,
        opinion=opinion,
        may_rate=by.is_customer and may_answer and is_closed and not opinion and not ticket.merged_into_id,
    )


@bp.context_processor
def _desk() -> dict[str, object]:
    return {"desk_of": desk_of, "impacts": IMPACT_TITLES, "urgencies": URGENCY_TITLES}


@bp.post("/tickets/<number>/participants")
@requires(Permission.TICKETS_ANSWER)
def add_participant(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    participants.add(session(), ticket, request.form.get("email", ""), by=actor(), at=now())
    return _back(ticket)


@bp.post("/tickets/<number>/participants/<uuid:participant_id>/remove")
@requires(Permission.TICKETS_ANSWER)
def remove_participant(number: str, participant_id: UUID) -> ResponseReturnValue:
    ticket = _ticket(number)
    participants.remove(session(), ticket, participant_id, by=actor(), at=now())
    return _back(ticket)


@bp.post("/tickets/<number>/merge")
@requires(Permission.TICKETS_WORK)
def merge(number: str) -> ResponseReturnValue:
    ticket, into = _ticket(number), _ticket(request.form.get("into", ""))
    merging.merge(session(), ticket, into, by=actor(), at=now())
    flash(_("%(number)s goes on in %(other)s.", number=str(ticket), other=str(into)))
    return _back(into)


@bp.post("/tickets/<number>/split/<uuid:event_id>")
@requires(Permission.TICKETS_WORK)
def split(number: str, event_id: UUID) -> ResponseReturnValue:
    ticket = _ticket(number)
    event = merging.message_of(session(), ticket, event_id, visible_to=actor())
    title = one_line(request.form.get("title", ""), limit=MAX_TITLE_CHARS, required=False) or ticket.title
    made = merging.split(session(), ticket, event, title, by=actor(), at=now())
    flash(_("Ticket %(number)s is open.", number=str(made)))
    return _back(made)


@bp.post("/tickets/<number>/opinion")
@requires(Permission.TICKETS_ANSWER)
def rate(number: str) -> ResponseReturnValue:
    ticket, score = _ticket(number), request.form.get("score", "")
    if len(score) != 1 or score not in "12345":
        raise BadScore
    merging.rate(session(), ticket, int(score), request.form.get("words", ""), by=actor(), at=now())
    flash(_("Thank you."))
    return _back(ticket)


def _ticket(number: str) -> Ticket:
    if not number:
        raise NotFound
    return queries.get(session(), number, visible_to=actor())


def _back(ticket: Ticket) -> ResponseReturnValue:
    return redirect(url_for(".show", number=str(ticket)), 303)
