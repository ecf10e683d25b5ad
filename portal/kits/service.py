"""The verbs of a kit: prepare it once, then write it, read it or serve it as often as needed, always the same bytes.

    plan (rows) → build (bytes, no transaction) → record (rows)

`prepare` does the three for jobs and commands; a page does them itself, with `let_go()` in between.
"""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.actors import PORTAL_JOB, Actor
from portal.audit.service import Tag
from portal.audit.service import record as audit
from portal.kits.building import BuiltKit, build, layout_of
from portal.kits.errors import KitDiffers
from portal.kits.layout import Contents, Layout, StoredFile
from portal.kits.models import KitRecord
from portal.kits.planning import KitPlan, KitSpec, existing, plan
from portal.kits.reading import KitReader
from portal.releases import queries as releases
from portal.releases.errors import NotPublished
from portal.resources import Resources
from storage import DigestMismatch, ObjectStore
from storage.flushing import Flusher
from storage.streams import Expected, Intake

__all__ = [
    "BuiltKit", "KitPlan", "KitSpec", "build", "existing", "open_kit", "plan", "prepare", "read_back", "record",
    "write", "write_folder",
]  # fmt: skip

WRITE_BYTES = 64 * 1024
"""Large writes cost the kernel ten times as much as these (see `storage.files`)."""


def prepare(resources: Resources, spec: KitSpec, *, by: Actor, at: datetime, keep: bool = False) -> KitRecord:
    """The kit for this delivery, release and medium: built now, or the one that was prepared for the same before.

    Reads every byte of it once. `keep` stores the archive itself as one object too (`KitRecord.kept_key`). Raises as
    `plan`, `build` and `record` do.
    """
    with resources.sessions.begin() as session:
        found = existing(session, spec)
        if found is not None:
            return found
        planned = plan(session, spec)
    built = build(resources, planned, at=at, keep=keep)
    try:
        with resources.sessions.begin() as session:
            return record(session, built, by=by)
    except IntegrityError:  # somebody else was first, at the same instant
        with resources.sessions.begin() as session:
            return record(session, built, by=by)


def record(session: Session, built: BuiltKit, *, by: Actor) -> KitRecord:
    """Keep what was built, unless the release was withdrawn meanwhile; of two alike the first is kept.

    Raises NotPublished, KitTaken; the database refuses the second of two at the same instant (Conflict).
    """
    spec = built.plan.spec
    found = existing(session, spec)
    if found is not None:
        return found
    release = releases.get(session, spec.release_id, visible_to=PORTAL_JOB)
    if not release.is_published:
        raise NotPublished(version=release.version)
    row = KitRecord(
        release_id=release.id,
        delivery_number=spec.delivery_number,
        medium_serial=spec.medium_serial,
        format=spec.format,
        notes_revision=built.plan.notes_revision,
        spec=spec.as_json(),
        slip=built.slip.decode(),
        files=[_told(file) for file in built.contents.files],
        folder=built.contents.folder,
        dated_at=built.contents.dated_at,
        size_bytes=built.size_bytes,
        sha256=built.sha256,
        kept_key=built.kept_key,
        built_at=built.built_at,
        built_by=by.person_id,
    )
    session.add(row)
    session.flush()
    facts = {"delivery": spec.delivery_number, "sha256": row.sha256, "organisation": spec.organisation_code}
    audit(session, Tag.KIT_PREPARE, by=by, at=built.built_at, subject=row, named=row.folder, **facts)
    return row


def contents(record: KitRecord) -> Contents:
    files = tuple(StoredFile(one["path"], one["size"], one["sha256"], one["key"]) for one in record.files)
    return Contents(record.folder, record.dated_at, files)


def layout(record: KitRecord) -> Layout:
    """The archive of this record, made anew from it."""
    return layout_of(record.format, contents(record))


def open_kit(store: ObjectStore, record: KitRecord, start: int = 0, length: int | None = None) -> KitReader:
    """The archive's bytes, or a range of them, made while they are read; close it, or use `with`.

    It can be sent as it is (an iterable of bytes) or given to `ObjectStore.receive`. Raises KitDamaged on the way.
    """
    return KitReader(store, layout(record), start, length)


def write(store: ObjectStore, record: KitRecord, path: Path) -> None:
    """Write the archive to a new file, flushed to the disk; what is not the recorded digest does not stay.

    Raises KitDiffers, KitDamaged (which names the file), FileExistsError, OSError of the disk.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file, open_kit(store, record) as reader:
            _pour(reader, file.fileno(), Expected(record.size_bytes, record.sha256, record.size_bytes))
    except BaseException as error:
        with suppress(OSError):
            path.unlink()
        if isinstance(error, DigestMismatch):
            _blame(store, record)
            raise KitDiffers(sha256=error.received) from error
        raise


def write_folder(store: ObjectStore, record: KitRecord, folder: Path) -> None:
    """Write the kit's files, not as an archive, into a folder that must not exist yet; each is proven as it is read.

    Raises KitDamaged, FileExistsError, OSError of the disk.
    """
    folder.mkdir()
    for file in contents(record).files:
        path = folder / file.path
        path.parent.mkdir(exist_ok=True)
        with path.open("xb", buffering=0) as opened, KitReader(store, Layout((file,)), is_proving=True) as reader:
            _pour(reader, opened.fileno(), Expected(file.size_bytes, None, file.size_bytes))


def read_back(record: KitRecord, path: Path) -> None:
    """Read the archive from where it was written, from the medium itself and not from memory. Raises KitDiffers."""
    with path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with Intake(file, Expected(1 << 62)) as intake:
            for _ in intake:
                pass
    if (intake.size_bytes, intake.sha256) != (record.size_bytes, record.sha256):
        raise KitDiffers(sha256=intake.sha256)


def _pour(reader: KitReader, descriptor: int, expected: Expected) -> None:
    """One pass: read, hashed in a thread beside, written, pushed to the disk in a thread beside."""
    with Intake(reader, expected) as intake, Flusher(descriptor) as flusher:
        for block in intake:
            for start in range(0, block.filled, WRITE_BYTES):
                _write_all(descriptor, block.view[start : start + WRITE_BYTES])
            flusher.written(block.filled)
        flusher.finish()
    os.fsync(descriptor)


def _write_all(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


def _blame(store: ObjectStore, record: KitRecord) -> None:
    """Read once more, file by file. Raises KitDamaged with the name of the file that is not what it was."""
    with KitReader(store, layout(record), is_proving=True) as reader, Intake(reader, Expected(1 << 62)) as intake:
        for _ in intake:
            pass


def _told(file: StoredFile) -> dict[str, object]:
    return {"path": file.path, "size": file.size_bytes, "sha256": file.sha256, "key": file.key}
