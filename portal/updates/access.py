"""What the customer supplies for remote access: sealed at rest, shown once in a session, destroyed at the end (P7)."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag
from portal.errors import NotFound
from portal.texts import lines, one_line
from portal.updates import queries
from portal.updates.errors import ConsentMissing, ConsentPast, SecretDestroyed, SecretShown, TooManySecrets
from portal.updates.history import hold, note, record, require_customer, require_way, require_worker
from portal.updates.models import AccessConsent, AccessSecret, RemoteSession, SecretLook, UpdateRequest
from portal.updates.sealing import Sealer, noise
from portal.updates.states import UpdateEventKind, UpdateState, Way

MAX_LABEL_CHARS, MAX_SECRET_CHARS, MOST_SECRETS = 100, 4000, 20


@dataclass(frozen=True)
class Piece:
    """One piece of access information: what it is, and the text that is sealed."""

    label: str
    text: str = field(repr=False)


def enter_secret(
    session: Session, update: UpdateRequest, piece: Piece, *, sealer: Sealer, by: Actor, at: datetime
) -> AccessSecret:  # fmt: skip
    """Keep a piece of access information, sealed. Nobody reads it but the engineer of the running update.

    Raises Forbidden, NotFound, WrongWay, SecretDestroyed, TooManySecrets, and the errors of portal.texts.
    """
    require_customer(update, by)
    name = one_line(piece.label, limit=MAX_LABEL_CHARS)
    said = lines(piece.text, limit=MAX_SECRET_CHARS)
    update = hold(session, update, by=by)
    require_way(update, Way.REMOTE)
    if update.is_closed or update.salt is None:
        raise SecretDestroyed
    if len(update.secrets) >= MOST_SECRETS:
        raise TooManySecrets(limit=MOST_SECRETS)
    secret_id = uuid4()
    secret = AccessSecret(
        id=secret_id,
        update_id=update.id,
        label=name,
        sealed=sealer.seal(said, update.salt, update.id, secret_id),
        created_at=at,
        created_by_name=by.name,
    )
    session.add(secret)
    note(session, update, UpdateEventKind.SECRET, by=by, at=at, detail=name)
    record(session, Tag.ACCESS_SECRET_SAVE, update, by=by, at=at, label=name)
    return secret


def show_secret(
    session: Session, update: UpdateRequest, where: tuple[UUID, UUID], *, sealer: Sealer, by: Actor, at: datetime
) -> str:  # fmt: skip
    """The text, once in each remote session, to the engineer whose session it is; `where` is (secret, session).

    Raises Forbidden, NotFound, NotYourUpdate, UpdateStepNotPossible, SessionEnded, ConsentMissing, SecretShown,
    SecretDestroyed, SecretUnreadable.
    """
    update = hold(session, update, by=by)
    require_way(update, Way.REMOTE)
    require_worker(update, by)
    update.require(UpdateState.RUNNING)
    secret_id, session_id = where
    secret = next((one for one in update.secrets if one.id == secret_id), None)
    if secret is None:
        raise NotFound
    remote = _running(update, session_id, by=by, at=at)
    secret.require_there()
    seen = select(SecretLook.id).where(SecretLook.secret_id == secret.id, SecretLook.session_id == remote.id)
    if session.scalar(seen):
        raise SecretShown
    text = sealer.open(secret.sealed, update.salt or b"", update.id, secret.id)
    session.add(SecretLook(secret_id=secret.id, session_id=remote.id, at=at, by_name=by.name))
    note(session, update, UpdateEventKind.SECRET_SHOWN, by=by, at=at, detail=secret.label)
    record(session, Tag.ACCESS_SECRET_SHOWN, update, by=by, at=at, label=secret.label, remote_session=str(remote.id))
    return text


def destroy_secrets(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """Overwrite every piece with noise of its length, and the request's part of the key; doing it twice is nothing."""
    left = [secret for secret in update.secrets if secret.destroyed_at is None]
    for secret in left:
        secret.sealed, secret.destroyed_at = noise(len(secret.sealed)), at
    if update.salt is not None:
        update.salt = noise(len(update.salt))
        session.flush()  # written over before it is taken away
        update.salt = None
    if left:
        labels = ", ".join(secret.label for secret in left)
        note(session, update, UpdateEventKind.SECRETS_DESTROYED, by=by, at=at, detail=labels)
        record(session, Tag.ACCESS_SECRET_DESTROY, update, by=by, at=at, pieces=len(left))


def give_access(session: Session, update: UpdateRequest, until: datetime, *, by: Actor, at: datetime) -> AccessConsent:
    """The customer lets the support centre reach the devices until then.

    Raises Forbidden, NotFound, WrongWay, UpdateStepNotPossible, ConsentPast.
    """
    require_customer(update, by)
    update = hold(session, update, by=by)
    require_way(update, Way.REMOTE)
    update.require(UpdateState.AGREED, UpdateState.PREPARING, UpdateState.RUNNING)
    if until <= at:
        raise ConsentPast
    consent = AccessConsent(update_id=update.id, given_by=by.person_id, given_name=by.name, given_at=at, until=until)
    session.add(consent)
    note(session, update, UpdateEventKind.ACCESS, by=by, at=at, detail=_said(until, update.time_zone))
    record(session, Tag.ACCESS_CONSENT, update, by=by, at=at, until=until)
    return consent


def end_access(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> int:
    """The customer takes its consent back: every running session stops at once; how many there were.

    Raises Forbidden, NotFound, ConsentMissing.
    """
    require_customer(update, by)
    update = hold(session, update, by=by)
    consents = [consent for consent in update.access if consent.is_open(at)]
    if not consents:
        raise ConsentMissing
    stopped = [one for one in update.sessions if one.is_running(at)]
    for remote in stopped:
        end_session(session, update, remote, "consent-ended", by=by, at=at)
    for consent in consents:
        consent.ended_at, consent.ended_name = at, by.name
    note(session, update, UpdateEventKind.ACCESS_ENDED, by=by, at=at)
    record(session, Tag.ACCESS_CONSENT_END, update, by=by, at=at, sessions=len(stopped))
    return len(stopped)


def end_session(
    session: Session, update: UpdateRequest, remote: RemoteSession, because: str, *, by: Actor, at: datetime
) -> None:  # fmt: skip
    remote.end(because, at)
    said = f"{remote.device.serial}: {because}"
    note(session, update, UpdateEventKind.SESSION_ENDED, by=by, at=at, detail=said)
    record(session, Tag.REMOTE_SESSION, update, by=by, at=at, ended=because, device=remote.device.serial)


def open_consent(update: UpdateRequest, at: datetime) -> AccessConsent:
    """The consent that holds the longest. Raises ConsentMissing."""
    found = [consent for consent in update.access if consent.is_open(at)]
    if not found:
        raise ConsentMissing
    return max(found, key=lambda consent: consent.until)


def _said(until: datetime, time_zone: str) -> str:
    return f"→ {until.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M} {time_zone}"


def _running(update: UpdateRequest, session_id: UUID, *, by: Actor, at: datetime) -> RemoteSession:
    remote = queries.session_of(update, session_id)
    if remote.engineer_id != by.person_id:
        raise NotFound
    if not remote.consent.is_open(at):
        raise ConsentMissing
    remote.require_running(at)
    return remote
