"""Updates as the API gives them; nothing of the access information but that there is some."""

from datetime import datetime
from typing import Any

from portal.updates.models import RemoteSession, UpdateDevice, UpdateRequest


def update_payload(update: UpdateRequest) -> dict[str, Any]:
    """One update in a list. Instants are ISO 8601 in UTC."""
    return {
        "id": str(update.id),
        "number": update.number,
        "customer": update.organisation.code,
        "product": update.release.product.code,
        "target": update.release.version,
        "origin": update.origin.value,
        "way": update.way.value,
        "state": update.state.value,
        "window": {"from": _instant(update.begins_at), "until": _instant(update.ends_at), "zone": update.time_zone},
        "devices": [_device(device) for device in update.devices],
    }


def whole_update_payload(update: UpdateRequest) -> dict[str, Any]:
    return {
        **update_payload(update),
        "consents": {"customer": _consent(update.customer_consent), "support": _consent(update.support_consent)},
        "engineer": update.engineer.name if update.engineer else None,
        "sessions": [_session(one) for one in update.sessions],
        "events": [
            {"at": _instant(one.at), "kind": one.kind.value, "by": one.person_name, "detail": one.detail}
            for one in update.events
        ],
    }


def _device(device: UpdateDevice) -> dict[str, Any]:
    return {
        "device": str(device.device_id),
        "serial": device.device.serial,
        "from": device.from_version,
        "state": device.state.value,
        "downtime_seconds": device.downtime_seconds,
        "steps": [
            {
                "version": step.version,
                "state": step.state.value,
                "started_at": _instant(step.started_at),
                "ended_at": _instant(step.ended_at),
                "downtime_seconds": step.downtime_seconds,
            }
            for step in device.steps
        ],
    }


def _consent(said: dict[str, Any] | None) -> dict[str, Any] | None:
    return {"name": said["name"], "at": said["at"]} if said else None


def _session(one: RemoteSession) -> dict[str, Any]:
    return {
        "device": str(one.device_id),
        "engineer": one.engineer_name,
        "from": _instant(one.started_at),
        "until": _instant(one.ended_at),
        "ended_because": one.ended_because or None,
        "consent": {"name": one.consent.given_name, "until": _instant(one.consent.until)},
        "notes": one.notes,
        "files": one.files,
        "result": one.result,
    }


def _instant(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
