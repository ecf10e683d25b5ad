"""What the API says of the ledger, and what it takes."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import url_for

from portal.deliveries.errors import BadJson
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.progress import missing, next_step
from portal.deliveries.states import Channel
from portal.errors import InvalidInput, mark


def delivery_payload(delivery: Delivery) -> dict[str, Any]:
    """One delivery with its files; sizes in bytes, digests in hex, instants UTC by RFC 3339."""
    release = delivery.release
    return {
        "id": str(delivery.id),
        "number": delivery.number,
        "request_id": str(delivery.request_id) if delivery.request_id else None,
        "channel": delivery.channel.value,
        "state": delivery.state.value,
        "customer": delivery.organisation.code,
        "person": delivery.person_name,
        "product": release.product.code,
        "version": release.version,
        "release_id": str(release.id),
        "created_at": delivery.created_at.isoformat(),
        "delivered_at": delivery.delivered_at.isoformat() if delivery.delivered_at else None,
        "acknowledged_at": delivery.acknowledged_at.isoformat() if delivery.acknowledged_at else None,
        "recipient": delivery.recipient,
        "destination": delivery.destination,
        "wanted_by": delivery.wanted_by.isoformat() if delivery.wanted_by else None,
        "note": delivery.note,
        "due_at": delivery.due_at.isoformat() if delivery.due_at else None,
        "stopped_at": delivery.stopped_at.isoformat() if delivery.stopped_at else None,
        "missing": [lack.code for lack in missing(delivery)],
        "next": following.code if (following := next_step(delivery)) else None,
        "files": [
            {
                "name": item.artifact.name,
                "size_bytes": item.size_bytes,
                "sha256": item.sha256,
                "sent_bytes": item.sent_bytes,
                "sent_ranges": [[span.start, span.end] for span in item.ranges],
                "address": url_for(
                    "deliveries.download", artifact_id=item.artifact_id, name=item.artifact.name, _external=False
                ),
            }
            for item in delivery.items
        ],
    }


def whole_payload(delivery: Delivery) -> dict[str, Any]:
    """One delivery with the decision that allowed it and every event."""
    return delivery_payload(delivery) | {
        "decision": delivery.decision,
        "events": [event_payload(event) for event in delivery.events],
    }


def event_payload(event: DeliveryEvent) -> dict[str, Any]:
    return {
        "sequence": event.sequence,
        "kind": event.kind.value,
        "at": event.at.isoformat(),
        "person": event.person_name,
        "address": event.address,
        "evidence": event.evidence,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


@dataclass(frozen=True)
class AskedRelease:
    """One release of a request: `files` are ids of its artifacts, None for all."""

    release_id: UUID
    files: frozenset[UUID] | None


@dataclass(frozen=True)
class AskedDelivery:
    """What `POST /api/v1/deliveries` takes; `customer` is a customer's code, from staff only."""

    releases: tuple[AskedRelease, ...]
    channel: Channel
    recipient_id: UUID
    address_id: UUID | None
    wanted_by: date | None
    note: str
    customer: str

    @classmethod
    def read(cls, data: bytes) -> "AskedDelivery":
        """Raises BadJson naming the first field that is wrong, for a million open brackets too."""
        found = _object(data)
        unknown = sorted(set(found) - FIELDS)
        if unknown:
            raise BadJson(reason=UNKNOWN, name=ascii(unknown[0])[:60])
        releases = found.get("releases")
        if not isinstance(releases, list):
            raise BadJson(reason=NO_LIST, name="releases")
        return cls(
            releases=tuple(_asked_release(release) for release in releases),
            channel=_channel(found.get("channel")),
            recipient_id=_uuid(found.get("recipient_id"), "recipient_id"),
            address_id=_uuid(found["address_id"], "address_id") if found.get("address_id") else None,
            wanted_by=_day(found.get("wanted_by")),
            note=_text(found, "note"),
            customer=_text(found, "customer"),
        )


FIELDS = frozenset({"releases", "channel", "recipient_id", "address_id", "wanted_by", "note", "customer"})
UNKNOWN = mark("it has a field %(name)s that means nothing here.")
NO_OBJECT = mark("it is not an object of names and values.")
NO_LIST = mark("%(name)s is not a list.")
NO_TEXT = mark("%(name)s is not a text.")
NO_ID = mark("%(name)s is not an id.")
NO_DAY = mark("%(name)s is not a day as 2026-03-31.")
NO_CHANNEL = mark("%(name)s is none of: email, courier, hand-over.")


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadJson(reason=NO_OBJECT) from error
    if not isinstance(found, dict):
        raise BadJson(reason=NO_OBJECT)
    return found


def _asked_release(found: object) -> AskedRelease:
    """`{"release_id": …, "files": [ids]}`, or the id alone for all its files."""
    if not isinstance(found, dict):
        return AskedRelease(_uuid(found, "releases"), None)
    files = found.get("files")
    if files is not None and not isinstance(files, list):
        raise BadJson(reason=NO_LIST, name="files")
    chosen = None if files is None else frozenset(_uuid(one, "files") for one in files)
    return AskedRelease(_uuid(found.get("release_id"), "release_id"), chosen)


def _uuid(value: object, name: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise BadJson(reason=NO_ID, name=name) from error


def _channel(value: object) -> Channel:
    if not isinstance(value, str) or value not in set(Channel):
        raise BadJson(reason=NO_CHANNEL, name="channel")
    return Channel(value)


def _day(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise BadJson(reason=NO_DAY, name="wanted_by") from error


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name, "")
    if not isinstance(value, str):
        raise BadJson(reason=NO_TEXT, name=name)
    return value


def told_digest(data: bytes) -> str:
    """The digest of `{"sha256": "…"}`. Raises InvalidInput, for a million open brackets too; whether it is the right
    one is asked later.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    digest = body.get("sha256") if isinstance(body, dict) else None
    if not isinstance(digest, str) or not digest.strip():
        raise InvalidInput(reason='the body must be JSON like {"sha256": "…"}')
    return digest
