"""The verbs of tickets: open, answer, note, change the state, link, take and give back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.db import Base
from portal.errors import Forbidden, NotFound
from portal.jobs import service as jobs
from portal.permissions import OrganisationKind, Permission
from portal.releases.models import Issue, Product, Release
from portal.texts import folded, lines, one_line
from portal.tickets import numbers, policy, queries, standing
from portal.tickets.errors import (
    BadSubmission,
    FixUnconfirmed,
    SubmissionReused,
    TicketClosed,
    TicketMerged,
    TicketTaken,
    UnknownCustomer,
    UnknownProduct,
)
from portal.tickets.models import (
    Degree,
    Step,
    Ticket,
    TicketChannel,
    TicketEvent,
    TicketEventKind,
    TicketIssue,
    TicketKind,
    TicketRelease,
    TicketSeverity,
    TicketState,
)

MAX_TITLE_CHARS = 200
MAX_BODY_CHARS = 20_000
MAX_VERSION_CHARS = 100
MAX_SUBMISSION_CHARS = 80
MAX_REASON_CHARS = 2_000
TELL = "tickets.tell"


@dataclass(frozen=True)
class TicketFacts:
    """What a ticket is opened with. `body` is Markdown.

    `submission` is the sender's own word for this one sending: the same word again opens nothing more.
    """

    organisation: Organisation
    kind: TicketKind
    severity: TicketSeverity
    channel: TicketChannel
    title: str
    body: str
    product: Product | None = None
    installed_version: str = ""
    submission: str | None = None
    call: "Call | None" = None


@dataclass(frozen=True)
class Call:
    """Who called (or wrote) and how bad it is by their words, where somebody took it down.

    `caller` is free text: a contact's name, or whoever it was. `severity_reason`: why not the severity that follows.
    """

    contact_id: UUID | None = None
    caller: str = ""
    device_id: UUID | None = None
    impact: Degree | None = None
    urgency: Degree | None = None
    severity_reason: str = ""


NO_CALL = Call()


def open_ticket(session: Session, facts: TicketFacts, *, by: Actor, at: datetime) -> Ticket:
    """A new ticket with its number; or the one that the same person opened with the same submission before.

    Raises Forbidden, NotFound (another's organisation), UnknownCustomer, UnknownProduct, SubmissionReused, and the
    errors of portal.texts for title, body and version.
    """
    if not by.may(Permission.TICKETS_OPEN):
        raise Forbidden(permission=Permission.TICKETS_OPEN)
    _require_customer(facts.organisation, by)
    title, body = one_line(facts.title, limit=MAX_TITLE_CHARS), lines(facts.body, limit=MAX_BODY_CHARS)
    version = one_line(facts.installed_version, limit=MAX_VERSION_CHARS, required=False)
    _require_known(session, facts, at)
    numbers.hold(session)
    sent_before = _sent_before(session, facts.submission, body, by)
    if sent_before:
        return _opened_before(session, sent_before, title, by)
    ticket = Ticket(
        number=numbers.take(session),
        organisation=facts.organisation,
        kind=facts.kind,
        channel=facts.channel,
        severity=facts.severity,
        state=TicketState.NEW,
        title=title,
        search_text=folded(title),
        product=facts.product,
        installed_version=version or None,
        opened_by=by.person_id,
        created_at=at,
        **vars(facts.call or NO_CALL),
    )
    session.add(ticket)
    session.flush()  # the first event needs the ticket's id
    opened = append(session, ticket, TicketEventKind.OPENED, by=by, at=at, body=body)
    opened.submission = facts.submission
    record(session, Tag.TICKET_OPEN, ticket, by=by, at=at, channel=facts.channel.value)
    standing.keep(session, ticket, at=at)
    return ticket


def answer(
    session: Session, ticket: Ticket, body: str, *, by: Actor, at: datetime, submission: str | None = None
) -> TicketEvent:
    """A message that both sides read. Staff's first opens the ticket; a customer's reopens one that waited for it.

    The same submission of the same person again is the same message. Raises Forbidden, TicketClosed,
    SubmissionReused, and the errors of portal.texts.
    """
    policy.require_answer(by)
    body = lines(body, limit=MAX_BODY_CHARS)
    hold(session, ticket)
    sent_before = _sent_before(session, submission, body, by)
    if sent_before:
        return _said_before(sent_before, ticket, TicketEventKind.MESSAGE)
    before = ticket.state
    if by.is_staff:
        ticket.answered_by_staff()
    else:
        ticket.answered_by_customer()
    event = append(session, ticket, TicketEventKind.MESSAGE, by=by, at=at, body=body)
    event.submission = submission
    record(session, Tag.TICKET_ANSWER, ticket, by=by, at=at, internal=False)
    note_state(session, ticket, before, by=by, at=at)
    tell(session, event, at=at)
    standing.keep(session, ticket, at=at)
    return event


def add_note(
    session: Session, ticket: Ticket, body: str, *, by: Actor, at: datetime, submission: str | None = None
) -> TicketEvent:
    """An internal note, which no customer ever reads. The same submission of the same person again is the same note.

    Raises Forbidden, SubmissionReused and the errors of portal.texts.
    """
    policy.require_work(by)
    body = lines(body, limit=MAX_BODY_CHARS)
    hold(session, ticket)
    sent_before = _sent_before(session, submission, body, by)
    if sent_before:
        return _said_before(sent_before, ticket, TicketEventKind.NOTE)
    record(session, Tag.TICKET_ANSWER, ticket, by=by, at=at, internal=True)
    return append(session, ticket, TicketEventKind.NOTE, by=by, at=at, body=body, submission=submission)


def change_state(session: Session, ticket: Ticket, step: Step, *, by: Actor, at: datetime, reason: str = "") -> None:
    """Take a step; both sides read the reason.

    Raises Forbidden when it is not this actor's to take, StepNotPossible in the wrong state, TicketMerged,
    FixUnconfirmed, and the errors of portal.texts.
    """
    reason = lines(reason, limit=MAX_REASON_CHARS, required=False)
    hold(session, ticket)
    policy.require_step(step, ticket, by)
    if step is Step.REOPEN and ticket.merged_into_id:
        raise TicketMerged(number=str(ticket))
    if step is Step.CLOSE and by.is_staff and queries.has_fix_told(session, ticket):
        raise FixUnconfirmed(number=str(ticket))
    before = ticket.state
    ticket.take(step)
    note_state(session, ticket, before, by=by, at=at, reason=reason)
    standing.keep(session, ticket, at=at)


def link_issue(session: Session, ticket: Ticket, issue: Issue, *, by: Actor, at: datetime) -> None:
    """The issue caused the ticket. Linking twice is linking once. Raises Forbidden."""
    _link(session, ticket, TicketIssue(ticket_id=ticket.id, issue_id=issue.id), f"+ {issue.public_id}", by=by, at=at)


def unlink_issue(session: Session, ticket: Ticket, issue: Issue, *, by: Actor, at: datetime) -> None:
    """The issue did not cause the ticket after all. Raises Forbidden; NotFound when it is not linked."""
    _unlink(session, ticket, (TicketIssue, (ticket.id, issue.id)), f"- {issue.public_id}", by=by, at=at)


def link_release(session: Session, ticket: Ticket, release: Release, *, by: Actor, at: datetime) -> None:
    """The release (with its product loaded) answers the ticket. Linking twice is linking once. Raises Forbidden."""
    link = TicketRelease(ticket_id=ticket.id, release_id=release.id)
    _link(session, ticket, link, f"+ {release.product.name} {release.version}", by=by, at=at)


def unlink_release(session: Session, ticket: Ticket, release: Release, *, by: Actor, at: datetime) -> None:
    """The release (with its product loaded) does not answer it. Raises Forbidden; NotFound when it is not linked."""
    detail = f"- {release.product.name} {release.version}"
    _unlink(session, ticket, (TicketRelease, (ticket.id, release.id)), detail, by=by, at=at)


def claim(session: Session, ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """The engineer takes the ticket; taking it twice is taking it once.

    Raises Forbidden, TicketClosed, and TicketTaken where another was first.
    """
    policy.require_work(by)
    hold(session, ticket)
    if ticket.state is TicketState.CLOSED:
        raise TicketClosed(number=str(ticket))
    if ticket.assigned_to == by.person_id:
        return
    if ticket.assigned_to:
        raise TicketTaken(number=str(ticket), name=session.get_one(Person, ticket.assigned_to).name)
    _assign(session, ticket, by.person_id, by.name, by=by, at=at)


def give_back(session: Session, ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """Nobody has the ticket any more. Raises Forbidden; TicketTaken for another's, unless the actor runs the rota."""
    policy.require_work(by)
    hold(session, ticket)
    if ticket.assigned_to is None:
        return
    if ticket.assigned_to != by.person_id and not by.may(Permission.ROTA_MANAGE):
        raise TicketTaken(number=str(ticket), name=session.get_one(Person, ticket.assigned_to).name)
    _assign(session, ticket, None, "", by=by, at=at)


def tell(session: Session, event: TicketEvent, *, at: datetime) -> None:
    """Let those who follow the ticket have the support centre's message by e-mail, once it is committed."""
    if event.by_staff and event.kind is TicketEventKind.MESSAGE:
        session.flush()  # the job needs the id
        jobs.enqueue(session, TELL, at=at, key=f"{TELL}:{event.id}", event_id=str(event.id))


def checked_submission(text: str | None) -> str | None:
    """An idempotency key as it may be kept; None and "" are none. Raises BadSubmission."""
    if not text:
        return None
    if len(text) > MAX_SUBMISSION_CHARS or not text.isascii() or not text.isprintable():
        raise BadSubmission(limit=MAX_SUBMISSION_CHARS)
    return text


def _require_customer(organisation: Organisation, by: Actor) -> None:
    if not by.is_staff and organisation.id != by.organisation_id:
        raise NotFound
    if organisation.kind is not OrganisationKind.CUSTOMER:
        raise UnknownCustomer(customer=organisation.name)


def _require_known(session: Session, facts: TicketFacts, at: datetime) -> None:
    """A ticket tells its customer the product's name, so it must be one that the customer may know of."""
    if facts.product is None:
        return
    known = queries.products_for(facts.organisation.id, at).where(Product.id == facts.product.id)
    if session.scalar(known) is None:
        raise UnknownProduct(product=facts.product.code)


def _sent_before(session: Session, submission: str | None, body: str, by: Actor) -> TicketEvent | None:
    if checked_submission(submission) is None or by.person_id is None:
        return None
    rows = select(TicketEvent).where(TicketEvent.person_id == by.person_id, TicketEvent.submission == submission)
    found = session.scalar(rows)
    if found and found.body != body:
        raise SubmissionReused
    return found


def _said_before(event: TicketEvent, ticket: Ticket, kind: TicketEventKind) -> TicketEvent:
    if event.ticket_id != ticket.id or event.kind is not kind:
        raise SubmissionReused
    return event


def _opened_before(session: Session, event: TicketEvent, title: str, by: Actor) -> Ticket:
    ticket = session.get_one(Ticket, event.ticket_id)
    if event.kind is not TicketEventKind.OPENED or ticket.title != title:
        raise SubmissionReused
    return queries.get(session, str(ticket), visible_to=by)


def hold(session: Session, ticket: Ticket) -> None:
    """Lock the ticket and read its present state: two answers at once come one after the other."""
    session.refresh(ticket, ["state", "assigned_to"], with_for_update=True)


def _assign(session: Session, ticket: Ticket, person_id: UUID | None, name: str, *, by: Actor, at: datetime) -> None:
    ticket.assigned_to = person_id
    append(session, ticket, TicketEventKind.ASSIGNED, by=by, at=at, detail=name)
    record(session, Tag.TICKET_ASSIGN, ticket, by=by, at=at, to=name)


def append(session: Session, ticket: Ticket, kind: TicketEventKind, *, by: Actor, at: datetime, **texts: Any) -> TicketEvent:  # fmt: skip  # noqa: ANN401, E501 - body, detail, is_automatic
    last = select(func.max(TicketEvent.sequence)).where(TicketEvent.ticket_id == ticket.id)
    event = TicketEvent(
        ticket_id=ticket.id,
        sequence=(session.scalar(last) or 0) + 1,
        kind=kind,
        at=at,
        person_id=by.person_id,
        person_name=by.name,
        by_staff=by.is_staff,
        **{"body": "", "detail": "", **texts},
    )
    session.add(event)
    return event


def note_state(session: Session, ticket: Ticket, before: TicketState, *, by: Actor, at: datetime, reason: str = "") -> None:  # fmt: skip  # noqa: E501
    if ticket.state is before:
        return
    append(session, ticket, TicketEventKind.STATE, by=by, at=at, detail=ticket.state.value, body=reason)
    record(session, Tag.TICKET_STATE, ticket, by=by, at=at, before=before.value, after=ticket.state.value)


def _link(session: Session, ticket: Ticket, link: Base, detail: str, *, by: Actor, at: datetime) -> None:
    policy.require_work(by)
    hold(session, ticket)
    if session.get(type(link), inspect(link).mapper.primary_key_from_instance(link)):
        return
    session.add(link)
    append(session, ticket, TicketEventKind.LINKED, by=by, at=at, detail=detail)
    record(session, Tag.TICKET_LINK, ticket, by=by, at=at, link=detail)


def _unlink(session: Session, ticket: Ticket, key: tuple[type[Base], Any], detail: str, *, by: Actor,
            at: datetime) -> None:  # fmt: skip
    policy.require_work(by)
    hold(session, ticket)
    link = session.get(*key)
    if link is None:
        raise NotFound
    session.delete(link)
    append(session, ticket, TicketEventKind.LINKED, by=by, at=at, detail=detail)
    record(session, Tag.TICKET_LINK, ticket, by=by, at=at, link=detail)


def record(session: Session, tag: Tag, ticket: Ticket, *, by: Actor, at: datetime, **facts: object) -> None:
    audit.record(session, tag, by=by, at=at, subject=ticket, named=str(ticket), **facts)
