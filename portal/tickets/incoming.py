"""Mail to the service desk becomes a ticket or a message of one; what may not be the sender's own waits for a person.

Nothing is posted in the name of somebody whose address it only may be: a reply address is signed for one recipient, and
whoever is unknown, refused by the mail server, or writes more than people do is held. A message counts once, however
often it comes. Machines are never answered (RFC 3834): the receiver does not offer here what they wrote.
"""

import hashlib
import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Organisation, Person
from portal.actors import Actor, Via
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.config import Config
from portal.errors import NotFound, Unavailable
from portal.mail.receiving import Incoming, Outcome, takes
from portal.mail.reports import LARGEST_MESSAGE_BYTES, read
from portal.permissions import OrganisationKind, Permission
from portal.resources import Resources
from portal.tickets import attachments, participants, policy, reply_addresses, service
from portal.tickets.desk_models import Contact, Hold, MailState, TicketMail
from portal.tickets.errors import MailDecided, UnknownContact
from portal.tickets.letters_in import File, LetterIn, read_letter
from portal.tickets.models import (
    Ticket,
    TicketChannel,
    TicketEvent,
    TicketEventKind,
    TicketKind,
    TicketSeverity,
    TicketState,
)
from portal.tickets.participants import Follower
from portal.tickets.telling import send_receipt
from storage import ObjectStore, Received, StoreUnavailable, TooLarge

log = logging.getLogger(__name__)

MOST_PER_TICKET = 20
MOST_PER_SENDER = 20
"""In an hour. Of a ticket the messages that were posted; of a sender, before another ticket is opened, all."""
HOUR = timedelta(hours=1)
ORIGINAL = "message.eml"
DESK = Actor(Via.JOB, name="Service desk", permissions=frozenset({Permission.TICKETS_WORK, Permission.TICKETS_ANSWER}))
_WRITES = frozenset({Permission.TICKETS_READ, Permission.TICKETS_OPEN, Permission.TICKETS_ANSWER})
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")


@dataclass(frozen=True)
class Placed:
    """Where a message belongs: whose it is, and the ticket that it is about; or why it is held."""

    someone: Person | Contact | None = None
    ticket: Ticket | None = None
    hold: Hold | None = None


@dataclass(frozen=True)
class Kept:
    """A message with what lies in the store: the whole of it, and its files with their names."""

    letter: LetterIn
    original: Received
    files: tuple[attachments.NewFile, ...] = ()


class HeldLetter(NamedTuple):
    """A message that waits for a person, and what it holds."""

    mail: TicketMail
    kept: Kept


@takes("tickets.mail")
def take(resources: Resources, incoming: Incoming, at: datetime) -> Outcome | None:
    """A message to the desk is posted or held; one to somebody else is not ours. Raises Unavailable for now."""
    config = resources.config
    letter = read_letter(incoming.message, incoming.content) if config.support_address else None
    if letter is None or not any(reply_addresses.is_ours(one, config.support_address) for one in letter.recipients):
        return None
    if reply_addresses.is_ours(letter.sender, config.support_address) or config.support_address in letter.loops:
        return Outcome.IGNORED
    with resources.sessions() as session:
        if _is_known(session, letter):
            return Outcome.TAKEN
        letter = _told_apart(session, letter, incoming.content)
        if _is_known(session, letter):
            return Outcome.TAKEN
        is_held = place(session, letter, config=config, at=at).hold is not None
    kept = _keep(resources, letter, incoming.content, with_files=not is_held)
    try:
        with resources.sessions.begin() as session:
            _take(session, kept, config=config, is_held=is_held, at=at)
    except IntegrityError:  # another process has taken the same message meanwhile
        log.info("message %s was taken twice at once", letter.identity)
    return Outcome.TAKEN


def place(session: Session, letter: LetterIn, *, config: Config, at: datetime) -> Placed:
    """Whose message it is and to which ticket it belongs, or why a person has to look at it."""
    if letter.is_refused_by_server:
        return Placed(hold=Hold.AUTHENTICATION_FAILED)
    reply = reply_addresses.first_of_ours(letter.recipients, config.support_address)
    if reply:
        number = reply_addresses.ticket_of(reply, config.support_address, config.secret_key, letter.sender)
        ticket = _numbered(session, number)
        return _answering(session, letter, ticket, at) if ticket else Placed(hold=Hold.FORGED_ADDRESS)
    ticket = _referred(session, letter, config.secret_key)
    return _answering(session, letter, ticket, at) if ticket else _opening(session, letter, at)


def post_as(session: Session, one: HeldLetter, ticket: Ticket, email: str, *, by: Actor, at: datetime) -> None:
    """Post a held message in a ticket in the name of somebody of its customer, by whoever looked at it.

    Raises Forbidden, MailDecided, UnknownContact, TicketClosed and the errors of portal.texts.
    """
    _decide(session, one.mail, by=by)
    someone = participants.find(session, ticket.organisation_id, email)
    if someone is None:
        raise UnknownContact
    _write(session, one.kept, ticket, someone, at=at)
    _close(session, one.mail, ticket, by=by, at=at)


def open_for(session: Session, one: HeldLetter, organisation: Organisation, *, by: Actor, at: datetime) -> Ticket:
    """Open a ticket of a held message for this customer, by whoever looked at it.

    Its sender, who need not be a contact, stands there as the caller and gets no mail. Raises Forbidden, MailDecided.
    """
    mail, kept = one
    _decide(session, mail, by=by)
    someone = participants.find(session, organisation.id, mail.sender)
    contact_id = someone.id if isinstance(someone, Contact) else None
    call = service.Call(contact_id=contact_id, caller=f"{mail.sender_name} <{mail.sender}>".strip()[:200])
    ticket = service.open_ticket(session, _facts(kept.letter, organisation, call), by=by, at=at)
    _attach(session, ticket, _first(session, ticket), kept, by=by, at=at)
    _close(session, mail, ticket, by=by, at=at)
    return ticket


def discard(session: Session, mail: TicketMail, *, by: Actor, at: datetime) -> None:
    """Nobody needs it. The message stays in the store and on record. Raises Forbidden, MailDecided."""
    _decide(session, mail, by=by)
    mail.state, mail.decided_at, mail.decided_by = MailState.DISCARDED, at, by.person_id
    audit.record(session, Tag.MAIL_DISCARD, by=by, at=at, subject=mail, named=mail.sender)


def letter_of(store: ObjectStore, mail: TicketMail) -> LetterIn:
    """A held message, read once more from the store."""
    with store.open_range(mail.key) as stored:
        content = stored.read()
    return read_letter(read(content), content)


def kept_of(store: ObjectStore, mail: TicketMail, *, limit_bytes: int) -> Kept:
    """A held message with its files in the store, to be posted. Call it with no transaction open."""
    letter = letter_of(store, mail)
    original = Received(key=mail.key, sha256=mail.sha256, size_bytes=mail.size_bytes, created=False)
    return Kept(letter, original, tuple(_stored(store, letter.files, limit_bytes)))


def _answering(session: Session, letter: LetterIn, ticket: Ticket, at: datetime) -> Placed:
    someone = participants.find(session, ticket.organisation_id, letter.sender)
    if someone is None:
        return Placed(hold=Hold.UNKNOWN_SENDER)
    if ticket.state is TicketState.CLOSED:
        return Placed(hold=Hold.TICKET_CLOSED)
    recent = select(func.count()).select_from(TicketMail).where(TicketMail.received_at > at - HOUR)
    if (session.scalar(recent.where(TicketMail.ticket_id == ticket.id)) or 0) >= MOST_PER_TICKET:
        return Placed(hold=Hold.TOO_MANY)
    return Placed(someone, ticket)


def _opening(session: Session, letter: LetterIn, at: datetime) -> Placed:
    found = _senders(session, letter.sender)
    if not found:
        return Placed(hold=Hold.UNKNOWN_SENDER)
    if len({one.organisation_id for one in found}) > 1:
        return Placed(hold=Hold.SEVERAL_CUSTOMERS)
    recent = select(func.count()).select_from(TicketMail).where(TicketMail.received_at > at - HOUR)
    if (session.scalar(recent.where(TicketMail.sender == letter.sender)) or 0) >= MOST_PER_SENDER:
        return Placed(hold=Hold.TOO_MANY)
    if isinstance(found[0], Contact) and _is_of_others(session, found[0]):
        return Placed(hold=Hold.SEVERAL_CUSTOMERS)
    return Placed(found[0])


def _is_of_others(session: Session, contact: Contact) -> bool:
    """Whether people with a sign-in write from the contact's domain at another customer, and nobody at its own:
    whoever names a neighbour's engineer as a contact would read that engineer's mail."""
    domain = Person.email.endswith("@" + contact.email.rpartition("@")[2], autoescape=True)
    customers = Organisation.kind == OrganisationKind.CUSTOMER
    rows = select(Person.organisation_id).join(Person.organisation).where(domain, customers).distinct()
    homes = set(session.scalars(rows.limit(100)))
    return bool(homes) and contact.organisation_id not in homes


def _senders(session: Session, email: str) -> list[Person | Contact]:
    """People with this address and a sign-in; else contacts, of customers only."""
    if not email:
        return []
    customers = Organisation.kind == OrganisationKind.CUSTOMER
    people = select(Person).where(Person.email == email)
    person = session.scalar(people.options(joinedload(Person.organisation)))
    if person is not None:
        is_ours = person.organisation.kind is OrganisationKind.CUSTOMER and person.disabled_at is None
        return [person] if is_ours else []
    rows = select(Contact).join(Contact.organisation).where(Contact.email == email, customers)
    return list(session.scalars(rows.where(Contact.removed_at.is_(None)).limit(10)))


def _referred(session: Session, letter: LetterIn, secret: str) -> Ticket | None:
    """The ticket of the thread, by the Message-ID that our mail refers to or by one that came in before."""
    ticket = _numbered(session, reply_addresses.ticket_of_thread(letter.references, secret))
    if ticket is not None:
        return ticket
    named = [hashlib.sha256(one.encode()).hexdigest() for one in _MESSAGE_ID.findall(letter.references)[-20:]]
    rows = select(Ticket).join(TicketMail, TicketMail.ticket_id == Ticket.id).where(TicketMail.identity.in_(named))
    return session.scalar(rows.order_by(TicketMail.received_at.desc()).limit(1)) if named else None


def _numbered(session: Session, number: int | None) -> Ticket | None:
    """The ticket; or the one that it goes on in."""
    found = session.scalar(select(Ticket).where(Ticket.number == number)) if number else None
    return session.get(Ticket, found.merged_into_id) if found and found.merged_into_id else found


def _is_known(session: Session, letter: LetterIn) -> bool:
    rows = select(TicketMail.id).where(TicketMail.identity == letter.identity, TicketMail.sender == letter.sender)
    return session.scalar(rows) is not None


def _told_apart(session: Session, letter: LetterIn, content: bytes) -> LetterIn:
    """With an identity of its own where another sender has used its Message-ID: nobody can have another's mail be
    taken for a repetition."""
    rows = select(TicketMail.id).where(TicketMail.identity == letter.identity, TicketMail.sender != letter.sender)
    if session.scalar(rows) is None:
        return letter
    return replace(letter, identity=hashlib.sha256(content).hexdigest())


def _keep(resources: Resources, letter: LetterIn, content: bytes, *, with_files: bool) -> Kept:
    try:
        original = resources.store.receive(BytesIO(content), limit_bytes=LARGEST_MESSAGE_BYTES)
        limit = resources.config.max_attachment_bytes
        files = _stored(resources.store, letter.files, limit) if with_files else []
    except StoreUnavailable as error:
        raise Unavailable from error
    return Kept(letter, original, tuple(files))


def _stored(store: ObjectStore, files: tuple[File, ...], limit_bytes: int) -> list[attachments.NewFile]:
    """The files in the store; one that is too large is left out, and is still inside the whole message."""
    found = []
    for file in files:
        try:
            received = store.receive(BytesIO(file.content), limit_bytes=limit_bytes)
        except TooLarge:
            continue
        found.append(attachments.NewFile(file.name, received))
    return found


def _take(session: Session, kept: Kept, *, config: Config, is_held: bool, at: datetime) -> None:
    letter = kept.letter
    if _is_known(session, letter):
        return
    placed = place(session, letter, config=config, at=at)
    mail = TicketMail(
        identity=letter.identity,
        state=MailState.HELD,
        hold=placed.hold,
        sender=letter.sender,
        sender_name=letter.sender_name,
        subject=letter.subject,
        key=kept.original.key,
        sha256=kept.original.sha256,
        size_bytes=kept.original.size_bytes,
        received_at=at,
    )
    session.add(mail)
    session.flush()  # two processes with the same message: one of them ends here
    if placed.someone is None or is_held:
        mail.hold = placed.hold or Hold.UNKNOWN_SENDER
        audit.record(session, Tag.MAIL_HOLD, by=DESK, at=at, subject=mail, named=letter.sender, why=mail.hold.value)
        return
    ticket = placed.ticket or _opened(session, kept, placed.someone, mail, config=config, at=at)
    if placed.ticket:
        _write(session, kept, ticket, placed.someone, at=at)
    mail.state, mail.ticket_id = MailState.POSTED, ticket.id


def _opened(
    session: Session, kept: Kept, someone: Person | Contact, mail: TicketMail, *, config: Config, at: datetime
) -> Ticket:
    """A new ticket in the sender's name, and a receipt that no clock takes for an answer."""
    organisation, by = session.get_one(Organisation, someone.organisation_id), _actor_of(someone)
    contact_id = someone.id if isinstance(someone, Contact) else None
    call = service.Call(contact_id=contact_id, caller=someone.name)
    ticket = service.open_ticket(session, _facts(kept.letter, organisation, call), by=by, at=at)
    _attach(session, ticket, _first(session, ticket), kept, by=by, at=at)
    to = Follower(someone.name, someone.email, someone.language)
    text = send_receipt(session, ticket, to, key=str(mail.id), config=config, at=at)
    service.append(session, ticket, TicketEventKind.MESSAGE, by=DESK, at=at, body=text.strip(), is_automatic=True)
    _follow(session, ticket, kept.letter, by=by, at=at)
    return ticket


def _write(session: Session, kept: Kept, ticket: Ticket, someone: Person | Contact, *, at: datetime) -> None:
    by = _actor_of(someone)
    event = service.answer(session, ticket, kept.letter.said or "—", by=by, at=at)
    session.flush()  # the files name the entry that they came with
    _attach(session, ticket, event, kept, by=by, at=at)
    _follow(session, ticket, kept.letter, by=by, at=at)


def _facts(letter: LetterIn, organisation: Organisation, call: service.Call) -> service.TicketFacts:
    title = letter.title or "—"
    return service.TicketFacts(
        organisation=organisation,
        kind=TicketKind.INCIDENT,
        severity=TicketSeverity.MINOR,
        channel=TicketChannel.EMAIL,
        title=title,
        body=letter.said or title,
        call=call,
    )


def _attach(session: Session, ticket: Ticket, event: TicketEvent, kept: Kept, *, by: Actor, at: datetime) -> None:
    """The files of the message, for both sides; the whole message for the desk: it holds its sender's reply address."""
    for file in kept.files:
        named = attachments.NewFile(file.name, file.received, event_id=event.id)
        attachments.attach(session, ticket, named, by=by, at=at)
    whole = attachments.NewFile(ORIGINAL, kept.original, is_internal=True, event_id=event.id)
    attachments.attach(session, ticket, whole, by=DESK, at=at)


def _follow(session: Session, ticket: Ticket, letter: LetterIn, *, by: Actor, at: datetime) -> None:
    """Whoever the message was also sent to, if it is a person or contact of the same customer."""
    if letter.is_to_many:
        return
    for email in letter.recipients:
        if participants.find(session, ticket.organisation_id, email):
            participants.add(session, ticket, email, by=by, at=at)


def _first(session: Session, ticket: Ticket) -> TicketEvent:
    session.flush()  # the opening entry is read from the database
    rows = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.sequence == 1)
    return session.scalars(rows).one()


def _actor_of(someone: Person | Contact) -> Actor:
    """The customer's person, as far as an e-mail goes; a contact has no sign-in and stands there by name."""
    return Actor(
        Via.JOB,
        name=someone.name,
        person_id=someone.id if isinstance(someone, Person) else None,
        organisation_id=someone.organisation_id,
        kind=OrganisationKind.CUSTOMER,
        permissions=_WRITES,
        language=someone.language,
    )


def _decide(session: Session, mail: TicketMail, *, by: Actor) -> None:
    policy.require_work(by)
    session.refresh(mail, ["state"], with_for_update=True)
    if mail.state is not MailState.HELD:
        raise MailDecided


def _close(session: Session, mail: TicketMail, ticket: Ticket, *, by: Actor, at: datetime) -> None:
    mail.state, mail.ticket_id, mail.decided_at, mail.decided_by = MailState.POSTED, ticket.id, at, by.person_id
    audit.record(session, Tag.MAIL_POST, by=by, at=at, subject=mail, named=mail.sender, ticket=str(ticket))


def held(session: Session, mail_id: object, *, visible_to: Actor) -> TicketMail:
    """A message that was held, decided or not. Staff only. Raises NotFound."""
    found = session.get(TicketMail, mail_id) if visible_to.is_staff else None
    if found is None or found.hold is None:
        raise NotFound
    return found
