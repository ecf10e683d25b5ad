"""Who gets what the support centre answers: whoever opened the ticket or called, and those added, of that customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Person
from portal.actors import Actor
from portal.audit.service import Tag
from portal.errors import NotFound
from portal.tickets import policy, service
from portal.tickets.desk_models import Contact, TicketParticipant
from portal.tickets.errors import UnknownContact
from portal.tickets.models import Ticket


@dataclass(frozen=True)
class Follower:
    """Somebody who follows a ticket. `row_id`: of the participant; None for whoever opened it or called."""

    name: str
    email: str
    language: str
    row_id: UUID | None = None


def followers(session: Session, ticket: Ticket) -> list[Follower]:
    """Everybody who follows the ticket, by name, each address once; only people of its customer, and still there."""
    found: dict[str, Follower] = {}
    for one in (*_first(session, ticket), *_added(session, ticket)):
        found.setdefault(one.email or one.name, one)
    return sorted(found.values(), key=lambda one: one.name.casefold())


def add(session: Session, ticket: Ticket, email: str, *, by: Actor, at: datetime) -> None:
    """Let the contact or person of this address follow the ticket too; twice is once.

    Raises Forbidden, and UnknownContact for whoever is not of the ticket's customer.
    """
    policy.require_answer(by)
    service.hold(session, ticket)
    someone = find(session, ticket.organisation_id, email)
    if someone is None:
        raise UnknownContact
    if any(one.email == someone.email for one in followers(session, ticket)):
        return
    row = TicketParticipant(ticket_id=ticket.id, added_at=at)
    if isinstance(someone, Person):
        row.person_id = someone.id
    else:
        row.contact_id = someone.id
    session.add(row)
    service.record(session, Tag.TICKET_PEOPLE, ticket, by=by, at=at, added=someone.name)


def remove(session: Session, ticket: Ticket, row_id: UUID, *, by: Actor, at: datetime) -> None:
    """They follow the ticket no more. Raises Forbidden, NotFound."""
    policy.require_answer(by)
    row = session.get(TicketParticipant, row_id)
    if row is None or row.ticket_id != ticket.id:
        raise NotFound
    session.delete(row)
    service.record(session, Tag.TICKET_PEOPLE, ticket, by=by, at=at, removed=str(row_id))


def find(session: Session, organisation_id: UUID, email: str) -> Person | Contact | None:
    """The person, else the contact, of this address at this customer."""
    wanted = email.strip().lower()
    if not wanted:
        return None
    people = select(Person).where(Person.email == wanted, Person.organisation_id == organisation_id)
    person = session.scalar(people.where(Person.disabled_at.is_(None)))
    rows = select(Contact).where(Contact.email == wanted, Contact.organisation_id == organisation_id)
    return person or session.scalar(rows.where(Contact.removed_at.is_(None)).order_by(Contact.created_at).limit(1))


def offered(session: Session, ticket: Ticket, *, limit: int = 200) -> Sequence[tuple[str, str]]:
    """(address, name) of those who could be added, by name."""
    people = select(Person.email, Person.name).where(
        Person.organisation_id == ticket.organisation_id, Person.disabled_at.is_(None)
    )
    rows = select(Contact.email, Contact.name).where(
        Contact.organisation_id == ticket.organisation_id, Contact.removed_at.is_(None), func.length(Contact.email) > 0
    )
    found = {email: name for statement in (rows, people) for email, name in session.execute(statement.limit(limit))}
    return sorted(found.items(), key=lambda pair: pair[1].casefold())


def take_over(session: Session, ticket: Ticket, into: Ticket, *, at: datetime) -> None:
    """Who follows the one follows the other too."""
    known = {one.email for one in followers(session, into)}
    for one in followers(session, ticket):
        someone = find(session, into.organisation_id, one.email) if one.email not in known else None
        if isinstance(someone, Person):
            session.add(TicketParticipant(ticket_id=into.id, person_id=someone.id, added_at=at))
        elif someone is not None:
            session.add(TicketParticipant(ticket_id=into.id, contact_id=someone.id, added_at=at))


def _first(session: Session, ticket: Ticket) -> list[Follower]:
    opener = session.get(Person, ticket.opened_by) if ticket.opened_by else None
    contact = session.get(Contact, ticket.contact_id) if ticket.contact_id else None
    return [one for one in (_of(opener, ticket), _of(contact, ticket)) if one]


def _added(session: Session, ticket: Ticket) -> list[Follower]:
    rows = (
        select(TicketParticipant)
        .where(TicketParticipant.ticket_id == ticket.id)
        .options(joinedload(TicketParticipant.contact), joinedload(TicketParticipant.person))
    )
    found = [_of(row.person or row.contact, ticket, row.id) for row in session.scalars(rows)]
    return [one for one in found if one]


def _of(someone: Person | Contact | None, ticket: Ticket, row_id: UUID | None = None) -> Follower | None:
    if someone is None or someone.organisation_id != ticket.organisation_id:
        return None
    gone_at = someone.disabled_at if isinstance(someone, Person) else someone.removed_at
    if gone_at is not None:
        return None
    return Follower(someone.name, someone.email, someone.language, row_id)
