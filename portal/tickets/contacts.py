"""Contacts of a customer: who calls, who writes, whom to call at night (P1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from portal.accounts.customers import ESCAPE, anywhere, is_called
from portal.accounts.emails import parse_email
from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.config import LANGUAGES
from portal.errors import Forbidden, NotFound
from portal.permissions import OrganisationKind, Permission
from portal.texts import folded, one_line
from portal.tickets.desk_models import Contact
from portal.tickets.errors import BadTelephone, UnknownCustomer

NAME_CHARS = ROLE_CHARS = 200
PHONES_CHARS = 500
MOST_PHONES = 10
MOST_FOUND = 12
LEAST_DIGITS, MOST_DIGITS = 3, 20
SHORTEST_NUMBER = 5
_NOT_A_DIGIT = re.compile(r"\D", re.ASCII)
_TRUNK_PREFIX = re.compile(r"^(?:8|0)(?=\d{9,})")
_SEARCHED_AS_NUMBER = re.compile(r"[\d\s()+./\-–]*", re.ASCII)


@dataclass(frozen=True)
class ContactFacts:
    """`phones` is as it is typed: numbers on lines of their own or between commas, in any writing."""

    name: str
    phones: str = ""
    email: str = ""
    role: str = ""
    language: str = "en"
    is_night_contact: bool = False


def digits(written: str) -> str:
    """The number as a search compares it: digits alone; without a leading trunk prefix (8 or 0) of a long number.

    So `8 (916) 123-45-67` finds `+7 916 123 45 67`: the digits of the one end those of the other.
    """
    return _TRUNK_PREFIX.sub("", _NOT_A_DIGIT.sub("", written))


def parse_phones(written: str) -> list[str]:
    """The numbers in the text, as they were written. Raises BadTelephone."""
    found = [one_line(part, limit=40) for part in re.split(r"[\n,;]", written) if part.strip()]
    sizes = [len(_NOT_A_DIGIT.sub("", one)) for one in found]
    if len(found) > MOST_PHONES or any(not SHORTEST_NUMBER <= size <= MOST_DIGITS for size in sizes):
        raise BadTelephone
    return found


def save(
    session: Session,
    organisation: Organisation,
    contact: Contact | None,
    facts: ContactFacts,
    *,
    by: Actor,
    at: datetime,
) -> Contact:
    """A new contact of the customer (`contact` None), or a changed one; the same name, numbers and address once more
    are the same contact.

    Raises Forbidden, NotFound (another's customer), UnknownCustomer, BadTelephone, BadEmail, errors of portal.texts.
    """
    _require_may_edit(organisation.id, by)
    if organisation.kind is not OrganisationKind.CUSTOMER:
        raise UnknownCustomer(customer=organisation.name)
    name, phones = one_line(facts.name, limit=NAME_CHARS), parse_phones(facts.phones)
    email = parse_email(facts.email) if facts.email.strip() else ""
    contact = contact or _same(session, organisation.id, name, phones, email)
    if contact is None:
        contact = Contact(organisation=organisation, organisation_id=organisation.id, created_at=at)
        session.add(contact)
    contact.name, contact.phones, contact.email = name, phones, email
    contact.search_text, contact.phone_digits = folded(name), _digits_of(phones)
    contact.role = one_line(facts.role, limit=ROLE_CHARS, required=False)
    contact.language = facts.language if facts.language in LANGUAGES else organisation.language
    contact.is_night_contact = facts.is_night_contact
    contact.person_id = _person_of(session, organisation.id, contact.email)
    audit.record(session, Tag.CONTACT_SAVE, by=by, at=at, subject=contact, named=contact.name,
                 night=contact.is_night_contact)  # fmt: skip
    return contact


def _same(session: Session, organisation_id: UUID, name: str, phones: list[str], email: str) -> Contact | None:
    rows = select(Contact).where(
        Contact.organisation_id == organisation_id,
        Contact.removed_at.is_(None),
        Contact.search_text == folded(name),
        Contact.phone_digits == _digits_of(phones),
        Contact.email == email,
    )
    return session.scalar(rows.limit(1))


def _digits_of(phones: list[str]) -> str:
    return "".join(f" {_NOT_A_DIGIT.sub('', one)}" for one in phones) + " "


def remove(session: Session, contact: Contact, *, by: Actor, at: datetime) -> None:
    """No longer a contact; old tickets keep the name. Removing twice is removing once. Raises Forbidden, NotFound."""
    _require_may_edit(contact.organisation_id, by)
    session.refresh(contact, ["removed_at"], with_for_update={"of": Contact})
    if contact.removed_at is None:
        contact.removed_at = at
        audit.record(session, Tag.CONTACT_REMOVE, by=by, at=at, subject=contact, named=contact.name)


def may_edit(organisation_id: UUID, by: Actor) -> bool:
    """The customer's own people, and the support centre for all."""
    return by.may(Permission.TICKETS_OPEN) and (by.is_staff or by.organisation_id == organisation_id)


def get(session: Session, contact_id: UUID, *, visible_to: Actor) -> Contact:
    """With its customer; removed ones too. Raises NotFound."""
    rows = select(Contact).where(Contact.id == contact_id, _own(visible_to)).options(joinedload(Contact.organisation))
    found = session.scalar(rows)
    if found is None:
        raise NotFound
    return found


def contacts(customer: str = "", text: str = "", *, visible_to: Actor) -> Select[Contact]:
    """By customer and name, with the customer; staff may narrow to part of a customer's name or code."""
    rows = select(Contact).join(Contact.organisation).where(Contact.removed_at.is_(None), _own(visible_to))
    if customer and visible_to.is_staff:
        rows = rows.where(is_called(customer))
    if text:
        rows = rows.where(is_like(text))
    return rows.options(joinedload(Contact.organisation)).order_by(Organisation.name, Contact.search_text)


def at_night(session: Session, organisation_id: UUID) -> Sequence[Contact]:
    """Whom to call at night, by name."""
    rows = select(Contact).where(
        Contact.organisation_id == organisation_id, Contact.is_night_contact, Contact.removed_at.is_(None)
    )
    return session.scalars(rows.order_by(Contact.search_text)).all()


def callers(session: Session, text: str, *, visible_to: Actor) -> Sequence[Contact]:
    """The first contacts whose number, name or company what is typed could be, for the telephone. Staff only."""
    if not visible_to.is_staff or len(text.strip()) < LEAST_DIGITS - 1:
        return []
    rows = select(Contact).join(Contact.organisation).where(Contact.removed_at.is_(None))
    rows = rows.where(or_(is_like(text), is_called(text)))
    rows = rows.options(joinedload(Contact.organisation)).order_by(Contact.search_text).limit(MOST_FOUND)
    return session.scalars(rows).all()


def is_like(text: str) -> ColumnElement[bool]:
    """A number that holds the digits, where these are enough to mean one; else a name with all the words."""
    number = digits(text)
    if len(number) >= LEAST_DIGITS and _SEARCHED_AS_NUMBER.fullmatch(text):
        written = {number, number[1:]} if number[0] in "08" and len(number) > LEAST_DIGITS else {number}
        return or_(*(Contact.phone_digits.like(f"%{one}%") for one in sorted(written)))
    words = folded(text).split()
    return and_(true(), *(Contact.search_text.like(anywhere(word), escape=ESCAPE) for word in words))


def _own(visible_to: Actor) -> ColumnElement[bool]:
    if visible_to.is_staff:
        return true()
    if visible_to.is_customer and visible_to.organisation_id:
        return Contact.organisation_id == visible_to.organisation_id
    return false()


def _require_may_edit(organisation_id: UUID, by: Actor) -> None:
    if not by.may(Permission.TICKETS_OPEN):
        raise Forbidden(permission=Permission.TICKETS_OPEN)
    if not may_edit(organisation_id, by):
        raise NotFound


def _person_of(session: Session, organisation_id: UUID, email: str) -> UUID | None:
    """The sign-in of this address at the same customer."""
    if not email:
        return None
    rows = select(Person.id).where(Person.organisation_id == organisation_id, func.lower(Person.email) == email)
    return session.scalar(rows)
