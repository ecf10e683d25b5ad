"""A backup as an answer to GET: asked anew each time who may look into it, and every look on record."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask, Response, current_app

from portal.backups import policy, queries, service
from portal.backups.keys import KeyRing
from portal.backups.models import DeviceBackup
from portal.backups.policy import IsEngineer
from portal.backups.reading import BackupReader
from portal.web.byte_ranges import Span
from portal.web.files import ServedFile, send
from portal.web.formats import now
from portal.web.guard import actor
from portal.web.unit_of_work import let_go, resources, session

IS_ENGINEER = "portal.backups.is_engineer"
SAFETY = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff",
          "Cache-Control": "private, no-store"}  # fmt: skip


def ask_updates(app: Flask, is_engineer: IsEngineer) -> None:
    """Who runs which update stands in a room above; the app tells this one how to ask it."""
    app.extensions[IS_ENGINEER] = is_engineer


def is_engineer() -> IsEngineer:
    asked: IsEngineer = current_app.extensions.get(IS_ENGINEER, policy.nobody)
    return asked


def serve(backup_id: UUID) -> Response:
    """Raises NotFound, BackupNotYours, BackupUnreadable."""
    backup = _read(backup_id)
    kept, store = service.kept(backup, KeyRing.of(resources().config)), resources().store
    served = ServedFile(
        key=backup.key,
        name=backup.name,
        size_bytes=backup.size_bytes,
        sha256=backup.sha256,
        modified_at=backup.stored_at,
        made_by=lambda start, length: BackupReader(store, kept, start, length),
    )
    let_go()
    response = send(served, lambda span: _note(backup_id, span))
    response.headers.update(SAFETY)
    return response


def _read(backup_id: UUID) -> DeviceBackup:
    backup = queries.get(session(), backup_id, visible_to=actor())
    policy.require_read(session(), backup, actor(), is_engineer=is_engineer())
    return backup


def _note(backup_id: UUID, span: Span | None) -> Callable[[Span], None]:
    service.record_read(session(), _read(backup_id), span, by=actor(), at=now())
    return lambda _sent: None
