"""Signing in: the password checked in the same time for everybody, and guessing slowed down."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from portal.accounts import passwords, queries
from portal.accounts.emails import parse_email
from portal.accounts.errors import BadEmail, SignInFailed, TooManyAttempts
from portal.accounts.models import Person, SignInAttempt
from portal.accounts.service import actor_of
from portal.actors import Actor, Via
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.db import Sessions

WINDOW = timedelta(minutes=15)
MOST_PER_ACCOUNT, MOST_PER_ADDRESS = 10, 30
LONGEST_EMAIL, LONGEST_ADDRESS = 254, 64


@dataclass(frozen=True)
class Attempt:
    """What somebody sent, and from which network address."""

    email: str
    password: str
    address: str


@dataclass(frozen=True)
class Known:
    """What the check of a password needs, so that no transaction is open while it runs."""

    person_id: UUID | None = None
    password_hash: str | None = None
    attempt_id: UUID | None = None


def sign_in(sessions: Sessions, attempt: Attempt, *, at: datetime) -> Person:
    """The person whose e-mail address and password these are, with organisation and roles.

    Raises TooManyAttempts, SignInFailed.
    """
    known = prove(sessions, attempt, by=Actor(Via.NOBODY, address=attempt.address[:LONGEST_ADDRESS]), at=at)
    with sessions.begin() as session:
        person = proven(session, known)
        if passwords.is_outdated(person.password_hash or ""):
            person.password_hash = passwords.hash_of(attempt.password)  # the same password: sessions go on
        person.last_sign_in_at = at
        audit.record(session, Tag.SIGN_IN, by=actor_of(person, address=attempt.address), at=at, subject=person,
                     named=person.name)  # fmt: skip
        return person


def prove(sessions: Sessions, attempt: Attempt, *, by: Actor, at: datetime) -> Known:
    """Check the password, in transactions of its own.

    An attempt is written down before its password is looked at, so that many at once are counted too and a refused
    request can't undo the count; and nothing is locked while the hash is computed.
    Raises TooManyAttempts, SignInFailed.
    """
    email = as_written(attempt.email)
    with sessions.begin() as session:
        known = _count(session, email, attempt.address, at)
    if not passwords.is_right(known.password_hash, attempt.password):
        with sessions.begin() as session:
            subject = session.get(Person, known.person_id) if known.person_id else None
            audit.record(session, Tag.SIGN_IN_FAILED, by=by, at=at, subject=subject, named=email)
        raise SignInFailed
    return known


def proven(session: Session, known: Known) -> Person:
    """The person of a proof, locked, and the attempt no longer counted.

    Raises SignInFailed when the person was disabled or the password changed since.
    """
    whole = select(Person).where(Person.id == known.person_id).options(*queries.WHOLE_PERSON).with_for_update(of=Person)
    person = session.scalars(whole).unique().one_or_none()
    if person is None or not person.is_active or person.password_hash != known.password_hash:
        raise SignInFailed
    session.execute(delete(SignInAttempt).where(SignInAttempt.id == known.attempt_id))
    return person


def as_written(text: str) -> str:
    """The address as attempts are counted by; one that is none is counted all the same."""
    try:
        return parse_email(text)
    except BadEmail:
        return text.replace("\0", "").strip().lower()[:LONGEST_EMAIL]


def require_calm(session: Session, *, email: str, address: str, at: datetime) -> None:
    """Raises TooManyAttempts when the account or the address has failed too often lately.

    Whoever asks about either of them meanwhile waits until this transaction has ended, and sees what it wrote down.
    """
    _one_after_another(session, f"account {email}", f"address {address}")
    for condition, most in (
        (SignInAttempt.email == email, MOST_PER_ACCOUNT),
        (SignInAttempt.address == address, MOST_PER_ADDRESS),
    ):
        oldest_that_counts = _nth_latest(session, condition, most, at)
        if oldest_that_counts is not None:
            seconds = max(1, int((oldest_that_counts + WINDOW - at).total_seconds()))
            raise TooManyAttempts(retry_after=seconds, minutes=-(-seconds // 60))


def write_down(session: Session, *, email: str, address: str, at: datetime) -> UUID:
    """Count an attempt; the same table serves every door where a secret can be guessed."""
    row = SignInAttempt(email=email, address=address[:LONGEST_ADDRESS], at=at)
    session.add(row)
    session.flush()  # its id is what takes it back
    return row.id


def note_sign_out(session: Session, *, by: Actor, at: datetime) -> None:
    audit.record(session, Tag.SIGN_OUT, by=by, at=at, named=by.name)


def _count(session: Session, email: str, address: str, at: datetime) -> Known:
    require_calm(session, email=email, address=address[:LONGEST_ADDRESS], at=at)
    person = session.scalar(select(Person).where(Person.email == email))
    attempt_id = write_down(session, email=email, address=address, at=at)
    if person is None or not person.is_active:
        return Known(attempt_id=attempt_id)
    return Known(person.id, person.password_hash, attempt_id)


def _one_after_another(session: Session, *names: str) -> None:
    """Hold the names until the transaction ends; always in one order, so that nobody waits for each other.

    Of an account that there is not, and of an address, there is no row to lock. In SQLite whoever writes is alone.
    """
    if session.get_bind().dialect.name == "postgresql":
        digests = (hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8] for name in names)
        for key in sorted(int.from_bytes(digest, signed=True) for digest in digests):
            session.execute(select(func.pg_advisory_xact_lock(key)))


def _nth_latest(session: Session, condition: ColumnElement[bool], number: int, at: datetime) -> datetime | None:
    return session.scalar(
        select(SignInAttempt.at)
        .where(condition, SignInAttempt.at > at - WINDOW)
        .order_by(SignInAttempt.at.desc())
        .offset(number - 1)
        .limit(1)
    )
