"""Loading organisations and people, each as far as the reader may see."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import ApiToken, LinkPurpose, OneTimeLink, Organisation, Person, PersonRole
from portal.actors import Actor
from portal.errors import NotFound
from portal.permissions import OrganisationKind, Role

WHOLE_PERSON = (joinedload(Person.organisation), joinedload(Person.role_rows))


def organisations(*, visible_to: Actor, kind: OrganisationKind | None = None) -> Select[Organisation]:
    """All for the vendor and its support centre, their own for a customer; by name."""
    query = select(Organisation).order_by(Organisation.name, Organisation.id)
    if kind:
        query = query.where(Organisation.kind == kind)
    if not visible_to.is_staff:
        query = query.where(Organisation.id == visible_to.organisation_id)
    return query


def organisation_names(session: Session) -> list[tuple[UUID, str]]:
    """Id and name of every organisation, by name: for the record, which knows the ids alone."""
    rows = session.execute(select(Organisation.id, Organisation.name).order_by(Organisation.name)).all()
    return [(row.id, row.name) for row in rows]


def organisation(session: Session, organisation_id: UUID, *, visible_to: Actor) -> Organisation:
    """Raises NotFound, for another customer's too."""
    found = session.scalar(organisations(visible_to=visible_to).where(Organisation.id == organisation_id))
    if found is None:
        raise NotFound
    return found


def organisation_by_code(session: Session, code: str, *, visible_to: Actor) -> Organisation:
    """Raises NotFound."""
    found = session.scalar(organisations(visible_to=visible_to).where(Organisation.code == code.strip().upper()))
    if found is None:
        raise NotFound
    return found


def people(*, visible_to: Actor, organisation_id: UUID | None = None) -> Select[Person]:
    """People with their organisation and roles, by organisation and name."""
    query = (
        select(Person)
        .join(Organisation, Organisation.id == Person.organisation_id)
        .options(*WHOLE_PERSON)
        .order_by(Organisation.name, Person.name, Person.id)
    )
    if organisation_id:
        query = query.where(Person.organisation_id == organisation_id)
    if not visible_to.is_staff:
        query = query.where(Person.organisation_id == visible_to.organisation_id)
    return query


def person(session: Session, person_id: UUID, *, visible_to: Actor) -> Person:
    """Raises NotFound, for another customer's people too."""
    found = session.scalars(people(visible_to=visible_to).where(Person.id == person_id)).unique().one_or_none()
    if found is None:
        raise NotFound
    return found


def oneself(session: Session, by: Actor) -> Person:
    """The person who asks. Raises NotFound for a job or a command."""
    if by.person_id is None:
        raise NotFound
    return person(session, by.person_id, visible_to=by)


def person_by_email(session: Session, email: str) -> Person | None:
    """For the portal itself (sign-in, reset, commands): never to be shown to whoever typed the address."""
    whole = select(Person).where(Person.email == email).options(*WHOLE_PERSON)
    return session.scalars(whole).unique().one_or_none()


def tokens_of(*, visible_to: Actor) -> Select[ApiToken]:
    """The actor's own tokens, newest first, revoked and expired ones included; nobody sees another's."""
    return (
        select(ApiToken)
        .where(ApiToken.person_id == visible_to.person_id)
        .order_by(ApiToken.created_at.desc(), ApiToken.id)
    )


def token(session: Session, token_id: UUID, *, visible_to: Actor) -> ApiToken:
    """One of the actor's own tokens. Raises NotFound."""
    found = session.scalar(tokens_of(visible_to=visible_to).where(ApiToken.id == token_id))
    if found is None:
        raise NotFound
    return found


def open_link(
    session: Session, secret_hash: str, purpose: LinkPurpose, at: datetime, *, lock: bool = False
) -> OneTimeLink | None:
    """The link if it can still be used, with its person whole; locked, so that of two who use it one is first."""
    person = joinedload(OneTimeLink.person)
    query = (
        select(OneTimeLink)
        .where(OneTimeLink.secret_hash == secret_hash, OneTimeLink.purpose == purpose)
        .options(person.joinedload(Person.organisation), person.joinedload(Person.role_rows))
    )
    if lock:
        query = query.with_for_update(of=OneTimeLink).execution_options(populate_existing=True)
    found = session.scalars(query).unique().one_or_none()
    return found if found is not None and found.is_open(at) else None


def open_links_of(session: Session, person_id: UUID, purpose: LinkPurpose, at: datetime) -> Sequence[OneTimeLink]:
    return session.scalars(
        select(OneTimeLink).where(
            OneTimeLink.person_id == person_id,
            OneTimeLink.purpose == purpose,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > at,
        )
    ).all()


def active_administrators(session: Session) -> Sequence[UUID]:
    """The ids of those who can administer now, locked until the transaction ends."""
    return session.scalars(
        select(Person.id)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(PersonRole.role == Role.ADMINISTRATOR, Person.disabled_at.is_(None), Person.password_hash.is_not(None))
        .order_by(Person.id)
        .with_for_update()
    ).all()
