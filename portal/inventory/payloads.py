"""Devices as the API gives them, and what it takes in."""

import json
from collections.abc import Callable
from typing import Any

from portal.errors import InvalidInput, mark
from portal.inventory.importing import Planned, Preview
from portal.inventory.models import Device


class BadVersionReport(InvalidInput):
    code = "bad-json"
    sentence = mark('A JSON object is expected: {"version": "4.9", "reference": ""}.')


def device_payload(device: Device) -> dict[str, Any]:
    """A device with organisation, product and site loaded. Instants are UTC, RFC 3339."""
    return {
        "id": str(device.id),
        "customer": device.organisation.code,
        "product": device.product.code,
        "serial": device.serial,
        "name": device.name,
        "site": device.site.code if device.site else None,
        "installed_version": device.installed_version,
        "since": device.since.isoformat(),
        "how_known": device.how_known.value,
        "removed_at": device.removed_at.isoformat() if device.removed_at else None,
    }


def preview_payload(preview: Preview, translate: Callable[[str], str], *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "token": preview.token,
        "counts": {outcome.value: count for outcome, count in preview.counts.items()},
        "new_sites": preview.new_sites,
        "lines": [_line_payload(line, translate) for line in preview.lines],
    }


def _line_payload(line: Planned, translate: Callable[[str], str]) -> dict[str, Any]:
    changes = [{"column": c.what, "before": c.before, "after": c.after} for c in line.changes]
    wrong = {"code": line.error.code, "detail": line.error.sentence_in(translate)} if line.error else None
    return {"line": line.number, "outcome": line.outcome.value, "changes": changes, "wrong": wrong}


def parse_version_report(data: bytes) -> tuple[str, str]:
    """(version, reference). Raises BadVersionReport."""
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise BadVersionReport from error
    if not isinstance(value, dict) or set(value) - {"version", "reference"}:
        raise BadVersionReport
    version, reference = value.get("version"), value.get("reference", "")
    if not isinstance(version, str) or not isinstance(reference, str):
        raise BadVersionReport
    return version, reference
