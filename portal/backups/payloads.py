"""Backups as the API gives them."""

from typing import Any

from portal.backups.errors import BadKind
from portal.backups.models import BackupKind, DeviceBackup


def backup_payload(backup: DeviceBackup) -> dict[str, Any]:
    """Size and digest are of the plain bytes. Instants are UTC, RFC 3339."""
    return {
        "id": str(backup.id),
        "kind": backup.kind.value,
        "name": backup.name,
        "note": backup.note,
        "installed_version": backup.installed_version,
        "size_bytes": backup.size_bytes,
        "sha256": backup.sha256,
        "stored_at": backup.stored_at.isoformat(),
        "stored_by": backup.stored_by_name,
        "checked_at": backup.checked_at.isoformat() if backup.checked_at else None,
        "problem": backup.problem,
    }


def parse_kind(text: str) -> BackupKind:
    """Raises BadKind."""
    try:
        return BackupKind(text)
    except ValueError as error:
        raise BadKind(kinds=", ".join(kind.value for kind in BackupKind)) from error
