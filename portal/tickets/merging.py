"""Two tickets that are one, one ticket that is two, and what the customer thought of it in the end."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit.service import Tag
from portal.errors import Forbidden, NotFound, mark
from portal.mail.words import translator
from portal.permissions import Permission
from portal.texts import lines
from portal.tickets import participants, policy, queries, service, standing
from portal.tickets.desk_models import TicketFile, TicketOpinion
from portal.tickets.errors import (
    AlreadyRated,
    BadScore,
    MergedWithItself,
    NotClosedYet,
    NothingToSplit,
    NotSameCustomer,
    TicketClosed,
    TicketMerged,
)
from portal.tickets.models import Ticket, TicketEvent, TicketEventKind, TicketState

MERGED_INTO = mark("This ticket goes on in %(other)s, into which it was merged.")
MERGED_FROM = mark("Ticket %(other)s was merged into this one: %(title)s")
SPLIT_INTO = mark("A part of this goes on in a ticket of its own, %(other)s: %(title)s")
SPLIT_FROM = mark("This ticket was split off %(other)s.")
BEST, WORST = 5, 1
WORDS_CHARS = 2_000


def merge(session: Session, ticket: Ticket, into: Ticket, *, by: Actor, at: datetime) -> None:
    """Close the ticket with a pointer to the one that goes on; whoever follows it follows that one, and is told.

    Raises Forbidden, NotSameCustomer, MergedWithItself, TicketMerged, TicketClosed (the one that is to go on).
    """
    policy.require_work(by)
    _require_mergeable(ticket, into)
    for one in sorted((ticket, into), key=lambda one: one.number):  # in one order: two merges can't wait for each other
        service.hold(session, one)
    session.refresh(ticket, ["merged_into_id"])
    if ticket.merged_into_id:
        raise TicketMerged(number=str(ticket))
    if into.state is TicketState.CLOSED:
        raise TicketClosed(number=str(into))
    said = _say_in(session, ticket)
    _announce(session, ticket, said(MERGED_INTO) % {"other": into}, by=by, at=at)
    service.append(session, into, TicketEventKind.MESSAGE, by=by, at=at, is_automatic=True,
                   body=said(MERGED_FROM) % {"other": ticket, "title": plain(ticket.title)})  # fmt: skip
    participants.take_over(session, ticket, into, at=at)
    before, ticket.state, ticket.merged_into_id = ticket.state, TicketState.CLOSED, into.id
    service.note_state(session, ticket, before, by=by, at=at)
    service.record(session, Tag.TICKET_MERGE, ticket, by=by, at=at, into=str(into))
    standing.keep(session, ticket, at=at)
    standing.keep(session, into, at=at)


def split(session: Session, ticket: Ticket, event: TicketEvent, title: str, *, by: Actor, at: datetime) -> Ticket:
    """A new ticket that begins with this message of the thread, its files beside it. Both point at each other.

    The same message with the same title once more, by whomever, is the same ticket.

    Raises Forbidden, NothingToSplit for what is not a message that the customer reads, and the errors of portal.texts.
    """
    policy.require_work(by)
    if event.ticket_id != ticket.id or event.kind not in (TicketEventKind.OPENED, TicketEventKind.MESSAGE):
        raise NothingToSplit
    service.hold(session, ticket)
    once = f"split:{event.id}:{hashlib.sha256(title.encode()).hexdigest()[:16]}"
    made_before = _made_before(session, once)
    if made_before:
        return made_before
    facts = service.TicketFacts(
        organisation=session.get_one(Organisation, ticket.organisation_id),
        kind=ticket.kind,
        severity=ticket.severity,
        channel=ticket.channel,
        title=title,
        body=event.body,
        product=ticket.product,
        installed_version=ticket.installed_version or "",
        submission=once,
        call=service.Call(contact_id=ticket.contact_id, caller=ticket.caller, device_id=ticket.device_id),
    )
    made = service.open_ticket(session, facts, by=by, at=at)
    participants.take_over(session, ticket, made, at=at)
    _copy_files(session, event, made)
    said = _say_in(session, ticket)
    service.append(session, made, TicketEventKind.MESSAGE, by=by, at=at, is_automatic=True,
                   body=said(SPLIT_FROM) % {"other": ticket})  # fmt: skip
    _announce(session, ticket, said(SPLIT_INTO) % {"other": made, "title": plain(made.title)}, by=by, at=at)
    service.record(session, Tag.TICKET_SPLIT, ticket, by=by, at=at, into=str(made))
    return made


def rate(session: Session, ticket: Ticket, score: int, words: str, *, by: Actor, at: datetime) -> TicketOpinion:
    """What the customer thinks of a closed ticket, said once.

    Raises Forbidden, NotFound (another's), NotClosedYet, AlreadyRated, BadScore and the errors of portal.texts.
    """
    if not by.is_customer or not by.may(Permission.TICKETS_ANSWER):
        raise Forbidden(permission=Permission.TICKETS_ANSWER)
    if by.organisation_id != ticket.organisation_id:
        raise NotFound
    if not WORST <= score <= BEST:
        raise BadScore
    said = lines(words, limit=WORDS_CHARS, required=False)
    service.hold(session, ticket)
    if ticket.state is not TicketState.CLOSED or ticket.merged_into_id:
        raise NotClosedYet(number=str(ticket))
    if opinion(session, ticket):
        raise AlreadyRated(number=str(ticket))
    row = TicketOpinion(ticket_id=ticket.id, person_id=by.person_id, score=score, words=said, at=at)
    session.add(row)
    service.record(session, Tag.TICKET_RATE, ticket, by=by, at=at, score=score)
    return row


def opinion(session: Session, ticket: Ticket) -> TicketOpinion | None:
    return session.scalar(select(TicketOpinion).where(TicketOpinion.ticket_id == ticket.id))


def message_of(session: Session, ticket: Ticket, event_id: UUID, *, visible_to: Actor) -> TicketEvent:
    """An entry of the ticket's thread that the actor may read. Raises NotFound."""
    for event in queries.thread(session, ticket, visible_to=visible_to):
        if event.id == event_id:
            return event
    raise NotFound


def _made_before(session: Session, once: str) -> Ticket | None:
    rows = select(Ticket).join(TicketEvent, TicketEvent.ticket_id == Ticket.id).where(TicketEvent.submission == once)
    return session.scalar(rows.limit(1))


def _require_mergeable(ticket: Ticket, into: Ticket) -> None:
    if ticket.id == into.id:
        raise MergedWithItself
    if ticket.organisation_id != into.organisation_id:
        raise NotSameCustomer


def _announce(session: Session, ticket: Ticket, text: str, *, by: Actor, at: datetime) -> None:
    """A message that no human wrote: it stops no clock, and goes to whoever follows the ticket."""
    event = service.append(session, ticket, TicketEventKind.MESSAGE, by=by, at=at, body=text, is_automatic=True)
    service.tell(session, event, at=at)


def _say_in(session: Session, ticket: Ticket) -> Callable[[str], str]:
    return translator(session.get_one(Organisation, ticket.organisation_id).language)


def _copy_files(session: Session, event: TicketEvent, made: Ticket) -> None:
    opened = select(TicketEvent.id).where(TicketEvent.ticket_id == made.id, TicketEvent.sequence == 1)
    names = ("person_id", "person_name", "by_staff", "is_internal", "name", "key", "sha256", "size_bytes", "created_at")
    for row in session.scalars(select(TicketFile).where(TicketFile.event_id == event.id)):
        copied = {name: getattr(row, name) for name in names}
        session.add(TicketFile(ticket_id=made.id, event_id=session.scalar(opened), **copied))


def plain(title: str) -> str:
    """A title inside Markdown, as it is."""
    return "".join("\\" + sign if sign in r"\`*_{}[]<>#|~" else sign for sign in title)
