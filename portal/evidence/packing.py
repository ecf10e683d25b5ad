"""Making an evidence pack: what proves one delivery, sealed by the portal's key, in one ZIP archive (DESIGN 3.3).

evidence.json            the delivery, its files, and every entry with all that its hash covers
record.pdf               the same for people
acts/…                   each signed act: its frozen text, and the paper
pictures/…               the signatures as drawn
release/…                SHA256SUMS, its signature and the release manifest
slip.dsse.json           the slip of the kit, where there was one
keys/…                   public keys
seal.dsse.json           the digests of all these, signed
"""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portal.deliveries.models import Delivery, DeliveryEvent
from portal.releases.models import Publication
from signing import MANIFEST, SLIP, SUMS, SUMS_SIGNATURE, KeyRing, Seal, Signer, sign_seal

FORMAT = "release-portal evidence 1"
EVIDENCE, SEAL, RECORD, READ_ME = "evidence.json", "seal.dsse.json", "record.pdf", "READ-ME.txt"
FIRST_DATE = (1980, 1, 1, 0, 0, 0)
"""ZIP's earliest: the date of a member says nothing, the seal's does."""


@dataclass(frozen=True)
class Parts:
    """What goes into a pack. `record` is a PDF, `papers` and `pictures` are name → bytes, `acts` number → text."""

    delivery: Delivery
    publication: Publication
    record: bytes
    papers: dict[str, bytes]
    pictures: dict[str, bytes]
    acts: dict[str, dict[str, Any]]
    slip: str | None
    read_me: str


def pack(parts: Parts, ring: KeyRing, signer: Signer, *, at: datetime) -> bytes:
    """The archive's bytes. The delivery needs customer, release, product, files and events, in order."""
    files = contents(parts, ring)
    events = parts.delivery.events
    seal = Seal(
        delivery=str(parts.delivery.id),
        entries=len(events),
        head=events[-1].hash,
        made_at=at,
        digests={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    return archive(files | {SEAL: sign_seal(seal, signer)})


def contents(parts: Parts, ring: KeyRing) -> dict[str, bytes]:
    """Path → bytes of everything but the seal."""
    files = {
        EVIDENCE: canonical(evidence(parts.delivery)),
        READ_ME: parts.read_me.encode(),
        f"release/{MANIFEST}": parts.publication.manifest.encode(),
        f"release/{SUMS}": parts.publication.sums.encode(),
        f"release/{SUMS_SIGNATURE}": parts.publication.sums_signature,
        RECORD: parts.record,
        **{f"acts/{name}": content for name, content in parts.papers.items()},
        **{f"acts/{number}.json": canonical(text) for number, text in parts.acts.items()},
        **{f"pictures/{name}": content for name, content in parts.pictures.items()},
        **{f"keys/{record.key_id[:16]}.pem": record.public.pem.encode() for record in ring},
    }
    if parts.slip is not None:
        files[SLIP] = parts.slip.encode()
    return files


def evidence(delivery: Delivery) -> dict[str, Any]:
    """The delivery in plain values; each entry has everything that `chain.hash_of` covers."""
    return {
        "format": FORMAT,
        "delivery": {
            "id": str(delivery.id),
            "number": delivery.number or "",
            "channel": delivery.channel.value,
            "state": delivery.state.value,
            "customer": {"code": delivery.organisation.code, "name": delivery.organisation.name},
            "product": delivery.release.product.code,
            "version": delivery.release.version,
            "recipient": delivery.recipient or {"name": delivery.person_name},
            "destination": delivery.destination or {},
            "created_at": written(delivery.created_at),
            "decision": delivery.decision,
        },
        "files": [
            {"name": item.artifact.name, "size_bytes": item.size_bytes, "sha256": item.sha256}
            for item in sorted(delivery.items, key=lambda item: item.artifact.name)
        ],
        "entries": [entry(event) for event in delivery.events],
    }


def entry(event: DeliveryEvent) -> dict[str, Any]:
    return {
        "delivery_id": str(event.delivery_id),
        "sequence": event.sequence,
        "kind": event.kind.value,
        "at": written(event.at),
        "person_id": str(event.person_id or ""),
        "person_name": event.person_name,
        "address": event.address,
        "evidence": event.evidence,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def canonical(value: object) -> bytes:
    """JSON with one spelling."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1).encode() + b"\n"


def archive(files: dict[str, bytes]) -> bytes:
    """A ZIP archive of these members, the same for the same."""
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, FIRST_DATE)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            target.writestr(member, files[name])
    return room.getvalue()
