"""Backups for programs: a device's backups, stored as raw bodies and given back whole or in part."""

from uuid import UUID

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from portal.backups import queries, service, serving
from portal.backups.keys import KeyRing
from portal.backups.models import BackupKind
from portal.backups.payloads import backup_payload, parse_kind
from portal.backups.receiving import receive
from portal.errors import PortalError
from portal.inventory.models import Device
from portal.inventory.queries import get_device
from portal.permissions import Permission
from portal.releases.digests import declared_sha256
from portal.releases.receiving import Announced
from portal.texts import one_line
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import let_go, resources, session

bp = Blueprint("backups_api", __name__, url_prefix="/api/v1")

NO_LIMIT = 1 << 62
LISTED = 500


@bp.url_value_preprocessor
def expect_long_bodies(endpoint: str | None, values: object) -> None:  # noqa: ARG001 - Flask's signature
    """Before anything looks at the body: what a form may hold is no measure for a backup."""
    if endpoint == "backups_api.put_backup":
        request.max_content_length = NO_LIMIT  # the store holds the setting's limit, and the refusal has its own code
        # Raw bytes, whatever the client calls them: `curl --data-binary` says that they are a form.
        request.environ["CONTENT_TYPE"] = "application/octet-stream"


@bp.get("/devices/<uuid:device_id>/backups")
@requires(Permission.BACKUPS)
def list_backups(device_id: UUID) -> ResponseReturnValue:
    rows = queries.backups_of(_device(device_id).id, visible_to=actor()).limit(LISTED)
    return jsonify(backups=[backup_payload(row) for row in session().scalars(rows)])


@bp.put("/devices/<uuid:device_id>/backups/<path:name>")
@requires(Permission.BACKUPS)
def put_backup(device_id: UUID, name: str) -> ResponseReturnValue:
    """The raw body becomes a backup (`?kind=`, `?note=`): 201 with the digest of its bytes, 200 for a repetition."""
    kind, note = parse_kind(request.args.get("kind", BackupKind.OTHER)), request.args.get("note", "")
    one_line(note, limit=service.NOTE_CHARS, required=False)  # before the bytes, not after
    limit_bytes, store = resources().config.max_artifact_bytes, resources().store
    is_terminated = bool(request.environ.get("wsgi.input_terminated"))
    announced = Announced(request.content_length, declared_sha256(request.headers), is_terminated)
    prepared = service.prepare(session(), _device(device_id), KeyRing.of(resources().config), by=actor(), at=now())
    announced.require_fit(limit_bytes)
    let_go()  # no lock is held while bytes move
    stored = receive(store, request.stream, announced, prepared.sealer, limit_bytes=limit_bytes)
    new = service.NewBackup(name, kind, note, prepared, stored)
    try:
        backup, is_new = service.store(session(), _device(device_id), new, by=actor(), at=now())
    except PortalError:
        store.delete(stored.key)  # sealed for this request alone: nothing else can refer to it
        raise
    response = jsonify(backup_payload(backup))
    response.headers["Location"] = url_for(".get_backup", backup_id=backup.id)
    response.status_code = 201 if is_new else 200
    return response


@bp.get("/backups/<uuid:backup_id>/content")
@requires(Permission.BACKUPS)
def get_backup(backup_id: UUID) -> ResponseReturnValue:
    """The plain bytes, whole or in part."""
    return serving.serve(backup_id)


def _device(device_id: UUID) -> Device:
    return get_device(session(), device_id, visible_to=actor())
