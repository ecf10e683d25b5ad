"""From a plan to an archive: papers written, slip signed, everything hashed; no transaction is open meanwhile."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from portal.kits.disc import disc_layout
from portal.kits.errors import KitKeyRevoked
from portal.kits.layout import Contents, Layout, StoredFile
from portal.kits.models import KitFormat
from portal.kits.planning import KitPlan
from portal.kits.reading import KitReader
from portal.kits.tar import tar_layout
from portal.kits.writing import KeyInKit, notes_papers, verify_page
from portal.releases.errors import SigningFailed
from portal.resources import Resources
from signing import (
    KEYS_FOLDER,
    KIT_SUMS,
    MANIFEST,
    SLIP,
    SUMS,
    SUMS_SIGNATURE,
    VERIFIER,
    VERIFY_PAGE,
    KeyRing,
    KeyState,
    OpenedKey,
    SigningError,
    Slip,
    SlipFile,
    sign_slip,
)
from signing.offline import verifier
from storage import ObjectStore
from storage.streams import Expected, Intake

MOST_ARCHIVE_BYTES = 1 << 46
_ID_CHARS = 16
_LAYOUTS = {KitFormat.TAR: tar_layout, KitFormat.ISO: disc_layout}


@dataclass(frozen=True)
class BuiltKit:
    """A kit that can be written again at any time; `kept_key` is where the archive lies, if it was kept."""

    plan: KitPlan
    slip: bytes
    contents: Contents
    size_bytes: int
    sha256: str
    kept_key: str | None
    built_at: datetime


def build(resources: Resources, plan: KitPlan, *, at: datetime, keep: bool = False) -> BuiltKit:
    """Write the papers, sign the slip, and read the archive through once, holding every file against its digest.

    The papers are kept in the object store; with `keep` the archive too, whole, as one object. Raises KitKeyRevoked,
    KitDamaged, KitTooLongForDisc, SigningFailed, and what the store raises.
    """
    try:
        signer, ring = resources.signer(), resources.keys.ring()
    except SigningError as error:
        raise SigningFailed(reason=str(error)) from error
    keys = _keys(plan, ring, signer)
    others = _others(resources.store, plan, keys, at)
    slip = _signed(plan, others, signer, at)
    documents = {
        SUMS: plan.sums,
        SUMS_SIGNATURE: plan.sums_signature,
        MANIFEST: plan.manifest,
        SLIP: slip,
    }
    files = [file.stored for file in plan.files if file.is_sent]
    stored = (*files, *others, *(_stored(resources.store, path, data) for path, data in documents.items()))
    contents = Contents(plan.folder, plan.published_at, stored)
    size_bytes, sha256, kept_key = _passed_through(resources.store, layout_of(plan.spec.format, contents), keep=keep)
    return BuiltKit(plan, slip, contents, size_bytes, sha256, kept_key, at)


def layout_of(kit_format: KitFormat, contents: Contents) -> Layout:
    return _LAYOUTS[kit_format](contents)


def _passed_through(store: ObjectStore, layout: Layout, *, keep: bool) -> tuple[int, str, str | None]:
    """Size and digest of the archive, and its key when it was kept."""
    size_bytes = layout.size_bytes
    with KitReader(store, layout, is_proving=True) as reader:
        if keep:
            received = store.receive(reader, limit_bytes=size_bytes, expected_size=size_bytes)
            return size_bytes, received.sha256, received.key
        with Intake(reader, Expected(size_bytes, size_bytes=size_bytes)) as intake:
            for _ in intake:
                pass
        return size_bytes, intake.sha256, None


def _keys(plan: KitPlan, ring: KeyRing, signer: OpenedKey) -> tuple[KeyInKit, ...]:
    """The key that signs the slip, and the one that signed the release if it was another."""
    found = ring.find(plan.key_id)
    if found is not None and found.state is KeyState.REVOKED:
        raise KitKeyRevoked(version=plan.version)
    publics = {signer.key_id: signer.public} | ({found.key_id: found.public} if found else {})
    return tuple(KeyInKit(f"{KEYS_FOLDER}/{key_id[:_ID_CHARS]}.pub.pem", public) for key_id, public in publics.items())


def _others(store: ObjectStore, plan: KitPlan, keys: tuple[KeyInKit, ...], at: datetime) -> tuple[StoredFile, ...]:
    """Everything that the manifest does not list; each of the last two names all that came before it."""
    others = [_stored(store, path, data) for path, data in _independent(plan, keys)]
    others.append(_stored(store, VERIFY_PAGE, verify_page(plan, at, keys, tuple(others))))
    others.append(_stored(store, KIT_SUMS, _sums_of(others)))
    return tuple(others)


def _independent(plan: KitPlan, keys: Iterable[KeyInKit]) -> Iterator[tuple[str, bytes]]:
    yield from notes_papers(plan)
    yield from ((key.path, key.public.pem.encode()) for key in keys)
    yield VERIFIER, verifier()


def _sums_of(files: Iterable[StoredFile]) -> bytes:
    """As sha256sum reads it. Paths here are our own, and `render_sums` takes none with a slash."""
    lines = [f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path)]
    return "".join(lines).encode()


def _signed(plan: KitPlan, others: Iterable[StoredFile], signer: OpenedKey, at: datetime) -> bytes:
    try:
        return sign_slip(_slip(plan, others, at), signer)
    except SigningError as error:
        raise SigningFailed(reason=str(error)) from error


def _slip(plan: KitPlan, others: Iterable[StoredFile], at: datetime) -> Slip:
    spec = plan.spec
    return Slip(
        delivery_number=spec.delivery_number,
        recipient_name=spec.recipient_name,
        organisation_code=spec.organisation_code,
        organisation_name=spec.organisation_name,
        medium_kind=spec.medium_kind,
        medium_serial=spec.medium_serial,
        product=plan.product_code,
        version=plan.version,
        counter=plan.counter,
        manifest_sha256=hashlib.sha256(plan.manifest).hexdigest(),
        issued_at=at,
        artifacts=tuple(file.name for file in plan.files if file.is_sent),
        files=tuple(SlipFile(file.path, file.sha256, file.size_bytes) for file in others),
    )


def _stored(store: ObjectStore, path: str, data: bytes) -> StoredFile:
    received = store.receive(BytesIO(data), limit_bytes=len(data), expected_size=len(data))
    return StoredFile(path, received.size_bytes, received.sha256, received.key)
