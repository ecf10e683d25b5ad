"""Checking an evidence pack without the portal's database: true, or what was changed, by name.

The seal says which bytes belong to the pack. Everything else is checked as well, so that a forger with the seal's key
alone can't alter what another document in the pack contradicts: the chain of entries, the release's own signatures,
the files against the manifest, what was asked for, the slip, the act's text, its paper and the drawn signatures against
the entries.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.deliveries import chain
from portal.deliveries.models import DeliveryEvent
from portal.deliveries.states import EventKind
from portal.evidence.packing import EVIDENCE, FORMAT, SEAL
from portal.handovers.texts import digest
from signing import (
    MANIFEST,
    SLIP,
    SUMS,
    SUMS_SIGNATURE,
    KeyRing,
    PublicKey,
    ReleaseManifest,
    Seal,
    SignedRelease,
    SigningError,
    open_seal,
    open_slip,
    verify_release,
)

MOST_BYTES = 256 << 20
MOST_MEMBERS = 200
BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError,
    RuntimeError,
)  # fmt: skip
"""What the library raises for archives that are damaged, encrypted or of a kind that it does not know."""


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was: a stable code, and what it is about."""

    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.code}: {shown(self.what)}"


def shown(text: str) -> str:
    """What is not printable is escaped, so that no name in a pack can write a line of its own."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


@dataclass(frozen=True)
class Findings:
    """`faults` is empty when the pack is true. `keys_within`: no key was given, those of the pack itself were used."""

    faults: tuple[Fault, ...]
    delivery: str = ""
    keys_within: bool = False

    @property
    def is_true(self) -> bool:
        return not self.faults


class Unreadable(Exception):
    """The archive can't be opened; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def verify(data: bytes, ring: KeyRing | None) -> Findings:
    """Look at every part of the pack. `ring` None: believe the keys inside, which proves less."""
    try:
        files = members(data)
    except Unreadable as error:
        return Findings((error.fault,))
    keys = ring or _keys_within(files)
    faults = [*_of_seal(files, keys), *_of_content(files, keys)]
    return Findings(tuple(faults), _delivery_of(files), keys_within=ring is None)


def members(data: bytes) -> dict[str, bytes]:
    """Path → bytes. Raises Unreadable for what is no such archive, names a member twice, or unpacks to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            listed = source.infolist()
            names = [member.filename for member in listed]
            twice = sorted({name for name in names if names.count(name) > 1})[:1] if len(names) < MOST_MEMBERS else []
            if twice:
                raise Unreadable(Fault("file-twice", twice[0]))
            if len(names) >= MOST_MEMBERS or sum(member.file_size for member in listed) > MOST_BYTES:
                raise Unreadable(Fault("archive-too-large", f"{len(names)} files"))
            return {member.filename: _content(source, member) for member in listed}
    except BROKEN as error:
        raise Unreadable(Fault("archive-unreadable", str(error) or type(error).__name__)) from error


def _content(source: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The member's bytes, never more than it says it has: read to its end, a few kilobytes unpack to gigabytes first.

    Bzip2 and LZMA, which no pack of ours uses, would do so anyhow.
    """
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(f"compression method {member.compress_type}")
    with source.open(member) as opened:
        return opened.read(member.file_size) if member.file_size else b""


def _keys_within(files: Mapping[str, bytes]) -> KeyRing:
    keys = []
    for name in sorted(files):
        if name.startswith("keys/"):
            try:
                keys.append(PublicKey.from_pem(files[name].decode()))
            except (SigningError, UnicodeDecodeError):
                continue  # the seal's list of digests tells that it was changed
    return KeyRing.of(*keys)


def _of_seal(files: Mapping[str, bytes], keys: KeyRing) -> Iterator[Fault]:
    try:
        seal = open_seal(files[SEAL], keys)
    except KeyError:
        yield Fault("file-missing", SEAL)
        return
    except SigningError as error:
        yield Fault(error.code, SEAL)
        return
    present = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != SEAL}
    for name in sorted(seal.digests.keys() | present.keys()):
        if name not in present:
            yield Fault("file-missing", name)
        elif name not in seal.digests:
            yield Fault("file-not-listed", name)
        elif seal.digests[name] != present[name]:
            yield Fault("file-changed", name)
    yield from _of_seal_and_entries(seal, files)


def _of_seal_and_entries(seal: Seal, files: Mapping[str, bytes]) -> Iterator[Fault]:
    try:
        document = json.loads(files[EVIDENCE])
        head, number = document["entries"][-1]["hash"], len(document["entries"])
        said = document["delivery"]["id"]
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        return  # told as evidence-malformed
    if said != seal.delivery:
        yield Fault("delivery-differs", EVIDENCE)
    if (head, number) != (seal.head, seal.entries):
        yield Fault("entries-differ-from-seal", f"{number} entries, {seal.entries} sealed")


def _of_content(files: Mapping[str, bytes], keys: KeyRing) -> Iterator[Fault]:
    manifest = None
    try:
        manifest = _release(files, keys)
    except KeyError as error:
        yield Fault("file-missing", str(error.args[0]))
    except SigningError as error:
        yield Fault(error.code, "release")
    try:
        document = json.loads(files[EVIDENCE])
        events = [_event(entry) for entry in document["entries"]]
        yield from _of_document(document, events, manifest)
        yield from _of_request(document, events)
        yield from _of_slip(files, keys, document)
        yield from _of_act(files, events)
    except KeyError as error:
        code = "file-missing" if error.args[0] == EVIDENCE else "evidence-malformed"
        yield Fault(code, str(error.args[0]))
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        yield Fault("evidence-malformed", type(error).__name__)


def _release(files: Mapping[str, bytes], keys: KeyRing) -> ReleaseManifest:
    signed = SignedRelease(*(files[f"release/{name}"] for name in (SUMS, SUMS_SIGNATURE, MANIFEST)))
    return verify_release(signed, keys)


def _of_document(
    document: dict[str, Any], events: list[DeliveryEvent], manifest: ReleaseManifest | None
) -> Iterator[Fault]:
    if document["format"] != FORMAT:
        yield Fault("format-unknown", str(document["format"])[:60])
    delivery = document["delivery"]
    bad = chain.first_bad(events)
    if bad is not None or not events:
        yield Fault("entry-changed", f"entry {bad or 1}")
    if any(str(event.delivery_id) != delivery["id"] for event in events):
        yield Fault("entry-of-another-delivery", delivery["id"])
    if events and delivery["state"] != _state_after(events, delivery["state"]):
        yield Fault("state-differs", str(delivery["state"]))
    decisions = [event.evidence["decision"] for event in events if "decision" in event.evidence]
    if decisions and delivery["decision"] not in decisions:
        yield Fault("decision-differs", "delivery")
    if manifest is None:
        return
    if (delivery["product"], delivery["version"]) != (manifest.product, manifest.version):
        yield Fault("release-differs", f"{manifest.product} {manifest.version}")
    known = {artifact.name: (artifact.sha256, artifact.size_bytes) for artifact in manifest.artifacts}
    for file in document["files"]:
        if known.get(file["name"]) != (file["sha256"], file["size_bytes"]):
            yield Fault("file-not-in-release", str(file["name"])[:200])


def _of_request(document: dict[str, Any], events: list[DeliveryEvent]) -> Iterator[Fault]:
    """Channel, recipient, place and files are those that the first entry asks for; a recipient may be changed since."""
    if not events or events[0].kind is not EventKind.REQUESTED:
        return  # a download is taken, not asked for
    wanted, delivery = events[0].evidence["wanted"], document["delivery"]
    changed = [e.evidence["recipient"] for e in events if e.kind is EventKind.CORRECTED and "recipient" in e.evidence]
    asked = {**wanted, **({"recipient": changed[-1]} if changed else {})}
    said = {
        "channel": delivery["channel"],
        "recipient": delivery["recipient"],
        "destination": delivery["destination"] or None,
        "files": sorted(file["name"] for file in document["files"]),
    }
    for name, value in said.items():
        if name in asked and (asked[name] or None) != value:
            yield Fault("request-differs", name)


def _of_slip(files: Mapping[str, bytes], keys: KeyRing, document: dict[str, Any]) -> Iterator[Fault]:
    if SLIP not in files:
        return
    try:
        slip = open_slip(files[SLIP], keys)
    except SigningError as error:
        yield Fault(error.code, SLIP)
        return
    delivery = document["delivery"]
    said = (slip.delivery_number, slip.organisation_code, slip.version)
    if said != (delivery["number"], delivery["customer"]["code"], delivery["version"]):
        yield Fault("slip-of-another-delivery", slip.delivery_number)


def _of_act(files: Mapping[str, bytes], events: list[DeliveryEvent]) -> Iterator[Fault]:
    """What the entries say of the act's text, its paper and the drawn signatures must be what lies in the pack."""
    signed = {event.evidence["text_sha256"] for event in events if "text_sha256" in event.evidence}
    acts = {name: content for name, content in files.items() if name.startswith("acts/") and name.endswith(".json")}
    texts = {name: digest(json.loads(content)) for name, content in acts.items()}
    for name in sorted(texts):
        if texts[name] not in signed:
            yield Fault("act-text-changed", name)
    if signed - set(texts.values()):
        yield Fault("act-missing-or-changed", "acts")
    printed = {event.evidence["pdf_sha256"] for event in events if event.evidence.get("pdf_sha256")}
    sheets = {hashlib.sha256(c).hexdigest() for name, c in files.items() if name.startswith("acts/")}
    if printed - sheets:
        yield Fault("act-paper-missing-or-changed", "acts")
    drawn = {event.evidence["signature_sha256"] for event in events if event.evidence.get("signature_sha256")}
    pictures = {hashlib.sha256(c).hexdigest() for name, c in files.items() if name.startswith("pictures/")}
    if drawn - pictures:
        yield Fault("signature-missing-or-changed", "pictures")


def _state_after(events: list[DeliveryEvent], state: str) -> str:
    steps = [event.kind.value for event in events if event.kind.value in STEPS]
    downloads = {EventKind.GRANTED.value: "dispatched", EventKind.TRANSFERRED.value: "delivered",
                 EventKind.CONFIRMED.value: "acknowledged"}  # fmt: skip
    if steps:
        return steps[-1]
    noted = [downloads[event.kind.value] for event in events if event.kind.value in downloads]
    return noted[-1] if noted else state


STEPS = frozenset(
    kind.value
    for kind in (
        EventKind.REQUESTED, EventKind.APPROVED, EventKind.PREPARED, EventKind.DISPATCHED, EventKind.DELIVERED,
        EventKind.ACKNOWLEDGED, EventKind.CANCELLED, EventKind.FAILED, EventKind.LOST, EventKind.REFUSED,
        EventKind.RETURNED,
    )
)  # fmt: skip


def _event(entry: dict[str, Any]) -> DeliveryEvent:
    """An entry as the chain hashes it."""
    return DeliveryEvent(
        delivery_id=UUID(entry["delivery_id"]),
        sequence=entry["sequence"],
        kind=EventKind(entry["kind"]),
        at=datetime.fromisoformat(entry["at"]),
        person_id=UUID(entry["person_id"]) if entry["person_id"] else None,
        person_name=entry["person_name"],
        address=entry["address"],
        evidence=entry["evidence"],
        previous_hash=entry["previous_hash"],
        hash=entry["hash"],
    )


def _delivery_of(files: Mapping[str, bytes]) -> str:
    try:
        delivery = json.loads(files[EVIDENCE])["delivery"]
        return shown(str(delivery["number"] or delivery["id"])[:60])
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
