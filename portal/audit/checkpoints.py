"""Signed checkpoints: what the chain's last link was, kept where who edits the database does not reach (DESIGN 4)."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.models import AuditEvent, AuditHead
from portal.audit.service import Tag, record
from portal.resources import Resources
from signing import KeyRing, SigningError
from storage import ObjectExists, ObjectStore, StoredObject

PREFIX = "audit/checkpoints/"
KIND = "portal-audit-checkpoint/1"
MOST_BYTES = 16 * 1024


@dataclass(frozen=True)
class Checkpoint:
    """The chain's last link at an instant, and the object's key."""

    sequence: int
    hash: str
    at: datetime
    key: str


@dataclass(frozen=True)
class BadCheckpoint:
    """An object among the checkpoints that is none, or that no key of the portal vouches for."""

    key: str
    reason: str


def write(resources: Resources, *, by: Actor, at: datetime) -> str | None:
    """Sign the chain's head and keep it; the object's key, or None when nothing was added since the last time.

    The chain itself then says which checkpoints there should be. Raises SigningError, StorageError.
    """
    with resources.sessions() as session:
        head = session.scalars(select(AuditHead).where(AuditHead.id == 1)).one()
        is_news = head.sequence > 0 and not _ends_with_checkpoint(session, head)
    if not is_news:
        return None
    key = f"{PREFIX}{head.sequence:012}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.json"
    signer = resources.signer()
    content: dict[str, Any] = {
        "type": KIND, "sequence": head.sequence, "hash": head.hash, "at": at.astimezone(UTC).isoformat(),
    }  # fmt: skip
    signature = signer.sign(_signed_bytes(content))
    content |= {"key_id": signature.key_id, "signature": base64.b64encode(signature.der).decode()}
    try:
        resources.store.put(key, json.dumps(content, sort_keys=True).encode(), limit_bytes=MOST_BYTES)
    except ObjectExists:
        return key  # the same instant, by a job that is run again
    with resources.sessions.begin() as session:
        record(session, Tag.AUDIT_CHECKPOINT, by=by, at=at, named=key, sequence=head.sequence, hash=head.hash)
    return key


def read_all(store: ObjectStore, ring: KeyRing) -> tuple[list[Checkpoint], list[BadCheckpoint]]:
    """Every checkpoint in the store: those that a key of the ring vouches for, and the others."""
    good: list[Checkpoint] = []
    bad: list[BadCheckpoint] = []
    for stored in store.list(PREFIX):
        read = _loaded(store, stored, ring)
        if isinstance(read, Checkpoint):
            good.append(read)
        else:
            bad.append(read)
    return sorted(good, key=lambda one: (one.sequence, one.at)), bad


def newest(store: ObjectStore, ring: KeyRing) -> Checkpoint | BadCheckpoint | None:
    """The one with the highest sequence by its key, which is all that is read; None where there is none."""
    stored = max(store.list(PREFIX), key=lambda one: one.key, default=None)
    if stored is None:
        return None
    return _loaded(store, stored, ring)


def missing(session: Session, present: set[str]) -> list[str]:
    """Keys of checkpoints that the chain speaks of and the store no longer has."""
    named = select(AuditEvent.subject_name).where(AuditEvent.tag == Tag.AUDIT_CHECKPOINT).order_by(AuditEvent.sequence)
    return [key for key in session.scalars(named) if key not in present]


def _ends_with_checkpoint(session: Session, head: AuditHead) -> bool:
    tag = session.scalar(select(AuditEvent.tag).where(AuditEvent.sequence == head.sequence))
    return tag == Tag.AUDIT_CHECKPOINT


def _signed_bytes(content: dict[str, Any]) -> bytes:
    """What is signed begins with what it is, so that no signature of another kind can stand in for it."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"{KIND}\n{canonical}".encode()


def _loaded(store: ObjectStore, stored: StoredObject, ring: KeyRing) -> Checkpoint | BadCheckpoint:
    if stored.size_bytes > MOST_BYTES:
        return BadCheckpoint(stored.key, "it is too large")
    with store.open_range(stored.key) as reader:
        return _read(stored.key, reader.read(), ring)


def _read(key: str, data: bytes, ring: KeyRing) -> Checkpoint | BadCheckpoint:
    try:
        content = json.loads(data)
        der = base64.b64decode(content.pop("signature"), validate=True)
        content.pop("key_id")
        found = Checkpoint(int(content["sequence"]), str(content["hash"]), _instant(content["at"]), key)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return BadCheckpoint(key, "it is not a checkpoint")
    try:
        ring.verify(_signed_bytes(content), der, dated=found.at, what=key)
    except SigningError as error:
        return BadCheckpoint(key, str(error))
    return found


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at
