"""The verbs of a backup: prepare and store, look into, tidy, put keys under another secret."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.backups import policy, queries, rules
from portal.backups.errors import TooManyBackups
from portal.backups.keys import KeyRing
from portal.backups.models import BackupKind, CustomerKey, DeviceBackup
from portal.backups.reading import Kept
from portal.backups.receiving import Stored
from portal.backups.sealing import Sealer
from portal.inventory.models import Device
from portal.jobs.service import enqueue
from portal.mailer import clean
from portal.texts import one_line
from portal.web.byte_ranges import Span

DROP, CHECK = "backups.drop", "backups.check"
MOST_BACKUPS = 200
SAME_WITHIN = timedelta(hours=1)
NAME_CHARS, NOTE_CHARS = 200, 500
TIDIED_AT_ONCE = 500


@dataclass(frozen=True)
class Prepared:
    """What is settled before bytes move: the backup's id and what seals it; `new_key` is to be kept with it."""

    key_id: UUID
    sealer: Sealer
    new_key: CustomerKey | None


@dataclass(frozen=True)
class NewBackup:
    """A backup as it arrived. `name` is as its sender called it."""

    name: str
    kind: BackupKind
    note: str
    prepared: Prepared
    stored: Stored


def prepare(session: Session, device: Device, ring: KeyRing, *, by: Actor, at: datetime) -> Prepared:
    """Before bytes are moved: this actor may store a backup of the device, and there is a key for it.

    Raises Forbidden, DeviceRemoved, TooManyBackups, BackupKeyUnreadable.
    """
    policy.require_store(device, by)
    device.require_there()
    if queries.count_since(session, device.id, at - rules.KEPT_FOR) >= MOST_BACKUPS:
        raise TooManyBackups(limit=MOST_BACKUPS, days=rules.KEPT_FOR.days)
    row, new = queries.key_of(session, device.organisation_id), None
    if row is None:
        row, data_key = ring.make(device.organisation_id, at)
        new = row
    else:
        data_key = ring.open(row)
    return Prepared(row.id, Sealer(data_key, device.organisation_id, uuid4()), new)


def store(session: Session, device: Device, new: NewBackup, *, by: Actor, at: datetime) -> tuple[DeviceBackup, bool]:
    """Put a received backup on record, and whether it is a new one: the same file of the same person again within an
    hour is a repeated request.

    Raises Forbidden, DeviceRemoved, and the errors of portal.texts.
    """
    policy.require_store(device, by)
    device.require_there()
    name, note = file_name(new.name), one_line(new.note, limit=NOTE_CHARS, required=False)
    same = _same(session, device, name, new, by, at)
    if same is not None:
        enqueue(session, DROP, at=at, object_key=new.stored.key)
        return same, False
    if new.prepared.new_key is not None:
        session.add(new.prepared.new_key)
        session.flush()  # the backup refers to it
    backup = DeviceBackup(
        id=new.prepared.sealer.backup_id,
        organisation_id=device.organisation_id,
        device_id=device.id,
        key_id=new.prepared.key_id,
        kind=new.kind,
        name=name,
        note=note,
        installed_version=device.installed_version,
        size_bytes=new.stored.size_bytes,
        sha256=new.stored.sha256,
        key=new.stored.key,
        stored_at=at,
        stored_by=by.person_id,
        stored_by_name=by.name,
    )
    session.add(backup)
    enqueue(session, CHECK, at=at, backup_id=str(backup.id))
    _record(session, Tag.BACKUP_STORE, backup, device, by=by, at=at)
    return backup, True


def record_read(session: Session, backup: DeviceBackup, span: Span | None, *, by: Actor, at: datetime) -> None:
    """That bytes of a backup are about to leave, and which."""
    _record(
        session, Tag.BACKUP_READ, backup, backup.device, by=by, at=at, range=[span.start, span.end] if span else None
    )


def kept(backup: DeviceBackup, ring: KeyRing) -> Kept:
    """What is needed to read it. Raises BackupKeyUnreadable."""
    sealer = Sealer(ring.open(backup.customer_key), backup.organisation_id, backup.id)
    return Kept(backup.key, backup.size_bytes, sealer)


def tidy(session: Session, *, by: Actor, at: datetime) -> int:
    """Take what the rule does not keep off the record; its objects follow by jobs of their own. How many went."""
    rows = session.scalars(rules.superfluous_rows(at).limit(TIDIED_AT_ONCE).with_for_update()).all()
    for backup in rows:
        device = session.get_one(Device, backup.device_id)
        _record(session, Tag.BACKUP_DELETE, backup, device, by=by, at=at)
        enqueue(session, DROP, at=at, object_key=backup.key)
        session.delete(backup)
    return len(rows)


def rewrap(session: Session, ring: KeyRing, *, by: Actor, at: datetime) -> tuple[int, int]:
    """Put every customer's key under the present secret: how many were, and how many there are.

    All or none: raises BackupKeyUnreadable when one opens neither with the present nor with the old secret.
    """
    rows = session.scalars(select(CustomerKey).order_by(CustomerKey.id).with_for_update()).all()
    done = [row for row in rows if ring.rewrap(row, at)]
    for row in done:
        record(session, Tag.BACKUP_REWRAP, by=by, at=at, subject=row, organisation=str(row.organisation_id))
    return len(done), len(rows)


def file_name(written: str) -> str:
    """The last part of the name, in one line, of signs that can be shown; never a path and never empty."""
    return clean(written.replace("\\", "/").rpartition("/")[2]).strip(". ")[-NAME_CHARS:] or "backup"


def _same(
    session: Session, device: Device, name: str, new: NewBackup, by: Actor, at: datetime
) -> DeviceBackup | None:  # fmt: skip
    rows = select(DeviceBackup).where(
        DeviceBackup.device_id == device.id,
        DeviceBackup.name == name,
        DeviceBackup.kind == new.kind,
        DeviceBackup.sha256 == new.stored.sha256,
        DeviceBackup.stored_by == by.person_id,
        DeviceBackup.stored_at > at - SAME_WITHIN,
        DeviceBackup.problem.is_(None),
    )
    return session.scalar(rows.order_by(DeviceBackup.stored_at.desc()).limit(1))


def _record(
    session: Session, tag: Tag, backup: DeviceBackup, device: Device, *, by: Actor, at: datetime, **facts: object
) -> None:  # fmt: skip
    told = {"device": device.serial, "sha256": backup.sha256, "organisation": str(backup.organisation_id)}
    record(session, tag, by=by, at=at, subject=backup, named=f"{device.serial} {backup.name}", **told, **facts)
