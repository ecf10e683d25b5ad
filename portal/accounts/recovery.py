"""Changing a password by who knows it, and setting another by who reads the person's mail."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.accounts import passwords, queries, service, sign_in
from portal.accounts.errors import LinkNotOpen, SignInFailed, WrongPassword
from portal.accounts.invitations import new_link
from portal.accounts.models import LinkPurpose, Person
from portal.accounts.sign_in import Attempt
from portal.accounts.tokens import digest
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.db import Sessions
from portal.errors import mark
from portal.jobs import service as jobs
from portal.mail import service as mail
from portal.mail.words import translator

RESET_LIVES = timedelta(hours=1)
SEND_RESET = "accounts.send-reset"

RESET_SUBJECT = mark("A new password for the release portal")
RESET_TEXT = mark(
    "Someone, probably you, asked for a new password for the release portal.\n\n"
    "Open this link within one hour and choose it:\n\n%(link)s\n\n"
    "The link works once. If it was not you, leave this letter: your password stays as it is.\n"
)


def change_password(sessions: Sessions, attempt: Attempt, new: str, *, by: Actor, at: datetime) -> Person:
    """Set the password of who proves to know the present one; every session ends.

    In transactions of its own, as a sign-in: a wrong guess counts. Raises WrongPassword, TooManyAttempts, WeakPassword.
    """
    passwords.require_good(new, email=attempt.email, name=by.name)
    try:
        known = sign_in.prove(sessions, attempt, by=by, at=at)
    except SignInFailed as error:
        raise WrongPassword from error
    new_hash = passwords.hash_of(new)
    with sessions.begin() as session:
        try:
            person = sign_in.proven(session, known)
        except SignInFailed as error:
            raise WrongPassword from error
        _set(session, person, new_hash, by=by, at=at)
        return person


def ask_reset(session: Session, *, email: str, address: str, at: datetime) -> None:
    """Have a link sent to the person of this address, if there is one: a job finds out, so the answer is always alike.

    Raises TooManyAttempts when it is asked for too often.
    """
    email = sign_in.as_written(email)
    counted_as = f"reset:{email}"[: sign_in.LONGEST_EMAIL]
    sign_in.require_calm(session, email=counted_as, address=address, at=at)
    sign_in.write_down(session, email=counted_as, address=address, at=at)
    jobs.enqueue(session, SEND_RESET, at=at, email=email, address=address[: sign_in.LONGEST_ADDRESS])


def send_reset(session: Session, *, email: str, by: Actor, at: datetime, base_url: str) -> None:
    """Mail a link to the person of this address, if there is one who may sign in."""
    person = queries.person_by_email(session, email)
    if person is None or not person.is_active:
        return
    link = new_link(session, person, LinkPurpose.PASSWORD_RESET, lives=RESET_LIVES, at=at, base_url=base_url)
    say = translator(person.language)
    mail.post(session, key=f"reset:{digest(link)}", recipient=person.email, subject=say(RESET_SUBJECT),
              text=say(RESET_TEXT) % {"link": link}, secret_until=at + RESET_LIVES, at=at)  # fmt: skip
    audit.record(session, Tag.PASSWORD_RESET_ASKED, by=by, at=at, subject=person, named=person.name)


def resetting(session: Session, secret: str, *, at: datetime) -> Person:
    """Whose password the link sets; nothing is used up. Raises LinkNotOpen."""
    link = queries.open_link(session, digest(secret), LinkPurpose.PASSWORD_RESET, at)
    if link is None or not link.person.is_active:
        raise LinkNotOpen
    return link.person


def reset_password(session: Session, secret: str, *, password: str, address: str, at: datetime) -> Person:
    """Use the link up and end every session. Raises LinkNotOpen, WeakPassword."""
    link = queries.open_link(session, digest(secret), LinkPurpose.PASSWORD_RESET, at, lock=True)
    if link is None or not link.person.is_active:
        raise LinkNotOpen
    person = link.person
    passwords.require_good(password, email=person.email, name=person.name)
    link.used_at = at
    _set(session, person, passwords.hash_of(password), by=service.actor_of(person, address=address), at=at)
    return person


def _set(session: Session, person: Person, password_hash: str, *, by: Actor, at: datetime) -> None:
    person.set_password_hash(password_hash)
    for link in queries.open_links_of(session, person.id, LinkPurpose.PASSWORD_RESET, at):
        link.used_at = at
    audit.record(session, Tag.PASSWORD_CHANGE, by=by, at=at, subject=person, named=person.name)
