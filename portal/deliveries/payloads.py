"""What the API says of the ledger, and what it takes."""

import json
from typing import Any

from flask import url_for

from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.progress import missing
from portal.errors import InvalidInput


def delivery_payload(delivery: Delivery) -> dict[str, Any]:
    """One delivery with its files; sizes in bytes, digests in hex, instants UTC by RFC 3339."""
    release = delivery.release
    return {
        "id": str(delivery.id),
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
        "missing": [lack.code for lack in missing(delivery)],
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
