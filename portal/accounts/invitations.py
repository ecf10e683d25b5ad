"""Letting people in: a link by mail, shown once to the inviter too, that sets a name and a password."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.accounts import passwords, policy, queries, service
from portal.accounts.errors import AlreadyJoined, LinkNotOpen, PersonDisabled
from portal.accounts.models import LinkPurpose, OneTimeLink, Organisation, Person
from portal.accounts.service import NewPerson
from portal.accounts.tokens import digest
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.errors import mark
from portal.mail import service as mail
from portal.mail.words import translator

INVITATION_LIVES = timedelta(days=7)
PATHS = {LinkPurpose.INVITATION: "/invitation/", LinkPurpose.PASSWORD_RESET: "/reset/"}

INVITATION_SUBJECT = mark("Your access to the release portal")
INVITATION_TEXT = mark(
    "%(inviter)s invites you to the release portal as a member of %(organisation)s.\n\n"
    "Open this link within 7 days and choose a password:\n\n%(link)s\n\n"
    "The link works once. If you did not expect this letter, leave it.\n"
)


@dataclass(frozen=True)
class Joining:
    """What an invited person fills in."""

    name: str
    password: str
    address: str = ""


def invite(
    session: Session, organisation: Organisation, new: NewPerson, *, by: Actor, at: datetime, base_url: str
) -> tuple[Person, str]:
    """A new person and the link that lets them in, which was also mailed to them.

    Raises NotYoursToManage, and as service.create_person does.
    """
    policy.require_may_invite_into(by, organisation)
    person = service.create_person(session, organisation, new, by=by, at=at)
    return person, _send(session, person, by=by, at=at, base_url=base_url)


def invite_again(session: Session, person: Person, *, by: Actor, at: datetime, base_url: str) -> str:
    """A new link in place of the one that was sent. Raises NotYoursToManage, AlreadyJoined, PersonDisabled."""
    policy.require_may_manage(by, person)
    if person.disabled_at is not None:
        raise PersonDisabled(name=person.name)
    if person.password_hash is not None:
        raise AlreadyJoined(name=person.name)
    audit.record(session, Tag.PERSON_INVITE, by=by, at=at, subject=person, named=person.name, again=True)
    return _send(session, person, by=by, at=at, base_url=base_url)


def invited(session: Session, secret: str, *, at: datetime) -> Person:
    """Whom the link lets in; nothing is used up. Raises LinkNotOpen."""
    link = queries.open_link(session, digest(secret), LinkPurpose.INVITATION, at)
    if link is None or not _may_join(link.person):
        raise LinkNotOpen
    return link.person


def join(session: Session, secret: str, joining: Joining, *, at: datetime) -> Person:
    """Use the link up: the person has a name, a password, and can sign in.

    Raises LinkNotOpen, BadName, WeakPassword.
    """
    link = queries.open_link(session, digest(secret), LinkPurpose.INVITATION, at, lock=True)
    if link is None or not _may_join(link.person):
        raise LinkNotOpen
    person, name = link.person, service.checked_name(joining.name)
    passwords.require_good(joining.password, email=person.email, name=name)
    person.name = name
    person.set_password_hash(passwords.hash_of(joining.password))
    link.used_at = at
    audit.record(session, Tag.PERSON_JOIN, by=service.actor_of(person, address=joining.address), at=at,
                 subject=person, named=name)  # fmt: skip
    return person


def new_link(
    session: Session, person: Person, purpose: LinkPurpose, *, lives: timedelta, at: datetime, base_url: str
) -> str:
    """A one-time link in place of all earlier ones of its purpose; its secret is known to the returned address only."""
    for older in queries.open_links_of(session, person.id, purpose, at):
        older.used_at = at
    secret = secrets.token_urlsafe(32)
    session.add(
        OneTimeLink(
            person_id=person.id, purpose=purpose, secret_hash=digest(secret), created_at=at, expires_at=at + lives
        )
    )
    return f"{base_url}{PATHS[purpose]}{secret}"


def _may_join(person: Person) -> bool:
    return person.disabled_at is None and person.password_hash is None


def _send(session: Session, person: Person, *, by: Actor, at: datetime, base_url: str) -> str:
    link = new_link(session, person, LinkPurpose.INVITATION, lives=INVITATION_LIVES, at=at, base_url=base_url)
    say = translator(person.language)
    text = say(INVITATION_TEXT) % {"inviter": by.name, "organisation": person.organisation.name, "link": link}
    mail.post(session, key=f"invitation:{digest(link)}", recipient=person.email, subject=say(INVITATION_SUBJECT),
              text=text, secret_until=at + INVITATION_LIVES, at=at)  # fmt: skip
    return link
