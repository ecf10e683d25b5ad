"""Remote sessions: who, to which device, on whose consent, from when to when, what was done (P4)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import PORTAL_JOB, Actor
from portal.audit.service import Tag
from portal.errors import NotFound
from portal.jobs import service as jobs
from portal.texts import lines, one_line
from portal.updates import queries
from portal.updates.access import end_session, open_consent
from portal.updates.errors import NotADigest, SessionRunning
from portal.updates.history import hold, note, record, require_way, require_worker
from portal.updates.models import RemoteSession, UpdateDevice, UpdateRequest
from portal.updates.states import UpdateEventKind, UpdateState, Way

MAX_NOTE_CHARS, MAX_FILE_CHARS = 20_000, 300
EXPIRE = "updates.expire-sessions"
_HEX = frozenset("0123456789abcdef")
SHA256_CHARS = 64


def begin(
    session: Session, update: UpdateRequest, update_device_id: UUID, *, by: Actor, at: datetime
) -> RemoteSession:  # fmt: skip
    """The engineer of the running update reaches one device, on the customer's consent.

    Raises Forbidden, NotFound, WrongWay, NotYourUpdate, UpdateStepNotPossible, ConsentMissing, SessionRunning.
    """
    update = hold(session, update, by=by)
    require_way(update, Way.REMOTE)
    require_worker(update, by)
    update.require(UpdateState.RUNNING)
    device = queries.device_of(update, update_device_id).device
    consent = open_consent(update, at)
    if any(one.device_id == device.id and one.is_running(at) for one in update.sessions):
        raise SessionRunning
    remote = RemoteSession(
        update_id=update.id,
        device_id=device.id,
        consent_id=consent.id,
        engineer_id=by.person_id,
        engineer_name=by.name,
        address=by.address[:64],
        started_at=at,
        notes=[],
        files=[],
    )
    remote.device, remote.consent = device, consent
    session.add(remote)
    session.flush()  # whoever asks next sees it
    note(session, update, UpdateEventKind.SESSION, by=by, at=at, detail=device.serial)
    record(session, Tag.REMOTE_SESSION, update, by=by, at=at, device=device.serial, consent=str(consent.id))
    jobs.enqueue(session, EXPIRE, at=at, run_at=consent.until, key=f"{EXPIRE}:{consent.id}", update_id=str(update.id))
    return remote


def reach(session: Session, update: UpdateRequest, device: UpdateDevice, *, by: Actor, at: datetime) -> RemoteSession:
    """The session to this device that runs, or one that begins now. Raises as `begin`."""
    running = (one for one in update.sessions if one.device_id == device.device_id and one.is_running(at))
    return next(running, None) or begin(session, update, device.id, by=by, at=at)


def add_note(
    session: Session, update: UpdateRequest, session_id: UUID, text: str, *, by: Actor, at: datetime
) -> None:  # fmt: skip
    """Commands or what was seen, as the engineer writes it down. Raises as `begin`, SessionEnded, TextMissing…"""
    said = lines(text, limit=MAX_NOTE_CHARS)
    update = hold(session, update, by=by)
    _mine(update, session_id, by, at).write(said, at)


def add_file(
    session: Session, update: UpdateRequest, session_id: UUID, named: tuple[str, str], *, by: Actor, at: datetime
) -> None:  # fmt: skip
    """A file that was taken from the device, `named` (name, SHA-256 in hex). Raises as `add_note`, NotADigest."""
    name, digest = named_file(named)
    update = hold(session, update, by=by)
    _mine(update, session_id, by, at).take(name, digest, at)


def named_file(named: tuple[str, str]) -> tuple[str, str]:
    """Name and digest as they are kept. Raises NotADigest and the errors of portal.texts."""
    name, digest = one_line(named[0], limit=MAX_FILE_CHARS), "".join(named[1].split()).lower()
    if len(digest) != SHA256_CHARS or not set(digest) <= _HEX:
        raise NotADigest
    return name, digest


def finish(
    session: Session, update: UpdateRequest, session_id: UUID, result: str, *, by: Actor, at: datetime
) -> None:  # fmt: skip
    """The engineer ends it and says what came of it. Raises as `add_note`."""
    said = lines(result, limit=MAX_NOTE_CHARS)
    update = hold(session, update, by=by)
    remote = _mine(update, session_id, by, at)
    remote.result = said
    end_session(session, update, remote, "finished", by=by, at=at)


def end_all(session: Session, update: UpdateRequest, because: str, *, by: Actor, at: datetime) -> None:
    """No session outlives its update."""
    for remote in [one for one in update.sessions if one.ended_at is None]:
        end_session(session, update, remote, because, by=by, at=at)


def expire(session: Session, update_id: UUID, *, at: datetime) -> None:
    """End the sessions whose consent has run out; twice is once."""
    update = hold(session, session.get_one(UpdateRequest, update_id), by=PORTAL_JOB)
    for remote in [one for one in update.sessions if one.ended_at is None and not one.consent.is_open(at)]:
        end_session(session, update, remote, "consent-expired", by=PORTAL_JOB, at=at)


def _mine(update: UpdateRequest, session_id: UUID, by: Actor, at: datetime) -> RemoteSession:
    require_way(update, Way.REMOTE)
    require_worker(update, by)
    remote = queries.session_of(update, session_id)
    if remote.engineer_id != by.person_id:
        raise NotFound
    remote.require_running(at)
    return remote
