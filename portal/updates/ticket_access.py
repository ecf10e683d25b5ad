"""Remote access on a ticket: the customer's consent, the sessions, what was done in them (P4).

As with an update, but whoever works on the ticket may begin a session. Every verb leaves its entry in the ticket's
thread, which both sides read and which is exported with the ticket.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import PORTAL_JOB, Actor
from portal.audit.service import Tag
from portal.errors import Forbidden, NotFound
from portal.inventory import queries as inventory
from portal.jobs import service as jobs
from portal.permissions import Permission
from portal.texts import lines
from portal.tickets import policy
from portal.tickets import service as tickets
from portal.tickets.errors import TicketClosed
from portal.tickets.models import Ticket, TicketEventKind, TicketState
from portal.updates import ticket_words as words
from portal.updates.errors import ConsentMissing, ConsentPast, SessionRunning, UnknownDevice
from portal.updates.models import AccessConsent, RemoteSession
from portal.updates.queries import TicketAccess, access_of
from portal.updates.remote import MAX_NOTE_CHARS, named_file

EXPIRE, TELL = "updates.expire-ticket-sessions", "updates.tell-ticket-session"


def give(session: Session, ticket: Ticket, until: datetime, *, by: Actor, at: datetime) -> AccessConsent:
    """The customer lets the support centre reach its devices until then. The ticket has its organisation loaded.

    Raises Forbidden, NotFound, TicketClosed, ConsentPast.
    """
    _require_customer(ticket, by)
    tickets.hold(session, ticket)
    _require_open(ticket)
    if until <= at:
        raise ConsentPast
    consent = AccessConsent(ticket_id=ticket.id, given_by=by.person_id, given_name=by.name, given_at=at, until=until)
    session.add(consent)
    _note(session, ticket, words.given(ticket, consent), by=by, at=at)
    tickets.record(session, Tag.ACCESS_CONSENT, ticket, by=by, at=at, until=until)
    return consent


def end(session: Session, ticket: Ticket, *, by: Actor, at: datetime) -> int:
    """The customer takes its consent back: every running session stops at once; how many there were.

    Raises Forbidden, NotFound, ConsentMissing.
    """
    _require_customer(ticket, by)
    found = _held(session, ticket)
    consents = found.open_consents(at)
    if not consents:
        raise ConsentMissing
    stopped = found.running(at)
    for remote in stopped:
        _end(session, ticket, remote, "consent-ended", by=by, at=at)
    for consent in consents:
        consent.ended_at, consent.ended_name = at, by.name
    _note(session, ticket, words.taken_back(ticket), by=by, at=at)
    tickets.record(session, Tag.ACCESS_CONSENT_END, ticket, by=by, at=at, sessions=len(stopped))
    return len(stopped)


def begin(session: Session, ticket: Ticket, device_id: UUID, *, by: Actor, at: datetime) -> RemoteSession:
    """An engineer reaches one of the customer's devices, on its consent; whoever follows the ticket is told.

    Raises Forbidden, TicketClosed, UnknownDevice, ConsentMissing, SessionRunning.
    """
    policy.require_work(by)
    found = _held(session, ticket)
    _require_open(ticket)
    consents = found.open_consents(at)
    if not consents:
        raise ConsentMissing
    consent = max(consents, key=lambda one: one.until)
    device = next(iter(inventory.devices_by_id(session, [device_id], visible_to=by)), None)
    if device is None or device.organisation_id != ticket.organisation_id:
        raise UnknownDevice
    if any(one.device_id == device.id for one in found.running(at)):
        raise SessionRunning
    remote = RemoteSession(
        ticket_id=ticket.id, device_id=device.id, consent_id=consent.id, engineer_id=by.person_id,
        engineer_name=by.name, address=by.address[:64], started_at=at, notes=[], files=[],
    )  # fmt: skip
    remote.device, remote.consent = device, consent
    session.add(remote)
    session.flush()  # whoever asks next sees it
    _note(session, ticket, words.began(ticket, remote), by=by, at=at)
    tickets.record(
        session, Tag.REMOTE_SESSION, ticket, by=by, at=at, device=device.serial, consent=str(consent.id)
    )  # fmt: skip
    jobs.enqueue(session, EXPIRE, at=at, run_at=consent.until, key=f"{EXPIRE}:{consent.id}", number=str(ticket))
    jobs.enqueue(session, TELL, at=at, key=f"{TELL}:{remote.id}", session_id=str(remote.id), number=str(ticket))
    return remote


def add_note(session: Session, ticket: Ticket, session_id: UUID, text: str, *, by: Actor, at: datetime) -> None:
    """Commands or what was seen. Raises Forbidden, NotFound (another's session), SessionEnded, TextMissing…"""
    said = lines(text, limit=MAX_NOTE_CHARS)
    _mine(session, ticket, session_id, by, at).write(said, at)


def add_file(
    session: Session, ticket: Ticket, session_id: UUID, named: tuple[str, str], *, by: Actor, at: datetime
) -> None:  # fmt: skip
    """A file that was taken from the device, `named` (name, SHA-256 in hex). Raises as `add_note`, NotADigest."""
    name, digest = named_file(named)
    _mine(session, ticket, session_id, by, at).take(name, digest, at)


def finish(session: Session, ticket: Ticket, session_id: UUID, result: str, *, by: Actor, at: datetime) -> None:
    """The engineer ends it and says what came of it; its record goes into the thread. Raises as `add_note`."""
    said = lines(result, limit=MAX_NOTE_CHARS)
    remote = _mine(session, ticket, session_id, by, at)
    remote.result = said
    _end(session, ticket, remote, "finished", by=by, at=at)


def expire(session: Session, ticket: Ticket, *, at: datetime) -> None:
    """End the sessions whose consent has run out; twice is once."""
    for remote in _held(session, ticket).sessions:
        if remote.ended_at is None and not remote.consent.is_open(at):
            _end(session, ticket, remote, "consent-expired", by=PORTAL_JOB, at=at)


def _end(session: Session, ticket: Ticket, remote: RemoteSession, because: str, *, by: Actor, at: datetime) -> None:
    remote.end(because, at)
    _note(session, ticket, words.ended(ticket, remote), by=by, at=at)
    serial = remote.device.serial
    tickets.record(session, Tag.REMOTE_SESSION, ticket, by=by, at=at, ended=because, device=serial)


def _note(session: Session, ticket: Ticket, body: str, *, by: Actor, at: datetime) -> None:
    """The portal writes it, whoever did it: the words are the same for every reader and stop no clock."""
    tickets.append(session, ticket, TicketEventKind.SESSION, by=by, at=at, body=body, is_automatic=True)
    session.flush()  # the next entry's number follows


def _held(session: Session, ticket: Ticket) -> TicketAccess:
    """As it is until the transaction ends: a consent is taken back before or after a session begins, never while."""
    tickets.hold(session, ticket)
    return access_of(session, ticket)


def _mine(session: Session, ticket: Ticket, session_id: UUID, by: Actor, at: datetime) -> RemoteSession:
    policy.require_work(by)
    remote = _held(session, ticket).session(session_id)
    if remote.engineer_id != by.person_id:
        raise NotFound
    remote.require_running(at)
    return remote


def _require_customer(ticket: Ticket, by: Actor) -> None:
    if by.is_staff or not by.may(Permission.UPDATES_AGREE):
        raise Forbidden(permission=Permission.UPDATES_AGREE)
    if by.organisation_id != ticket.organisation_id:
        raise NotFound


def _require_open(ticket: Ticket) -> None:
    if ticket.state is TicketState.CLOSED:
        raise TicketClosed(number=str(ticket))
