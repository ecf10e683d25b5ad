"""Is this folder what the vendor released? For a customer with no account and no network.

A folder holds files, `SHA256SUMS` and `SHA256SUMS.sig`, and perhaps `manifest.dsse.json`. A kit holds a slip too, which
vouches for what the manifest does not list, and a folder `keys`. The signatures are looked at first: only digests that
a key vouches for are compared, so that nothing unproven is ever called right. Links and other folders are reported and
never followed; a name that is listed is never opened as a path.

`signing/offline/verify.py` says the same without this package; a test holds the two equal.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from pathlib import Path

from signing import names
from signing.envelope import open_envelope
from signing.errors import CustomerUnknown, DocumentsDisagree, KeysWithin, SigningError
from signing.keyring import KeyRecord, KeyRing
from signing.keys import PublicKey
from signing.manifest import ReleaseManifest
from signing.slip import Slip, open_slip
from signing.sums import digests_in

BLOCK_BYTES = 1024 * 1024
MOST_DOCUMENT_BYTES = 16 * 1024 * 1024


class FileState(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    NOT_LISTED = "not-listed"
    NOT_A_FILE = "not-a-file"
    UNREADABLE = "unreadable"
    UNPROVEN = "unproven"  # no signature holds, so there is nothing to compare with
    DOCUMENT = "document"  # a signed document, or a key file that the caller pointed at
    NOT_SENT = "not-sent"  # of the release, but by its slip not of this kit


_HARMLESS = frozenset({FileState.RIGHT, FileState.DOCUMENT, FileState.NOT_SENT})
_SILENT = frozenset({FileState.UNREADABLE, FileState.UNPROVEN})  # they tell nothing, neither good nor bad


class ExitCode(IntEnum):
    """What `portal verify` answers to a script."""

    VERIFIED = 0
    NOT_VERIFIED = 1  # do not install
    NOT_CHECKED = 2  # the folder, a document or a file could not be read; nothing is known either way


class FolderUnreadable(SigningError):
    code = "folder-unreadable"
    sentence = "%(path)s can't be read: %(reason)s"


class DocumentMissing(SigningError):
    code = "document-missing"
    sentence = "%(name)s is not in the folder; without it nothing is proven."


class DocumentNotAFile(SigningError):
    code = "document-not-a-file"
    sentence = "%(name)s is not an ordinary file, or is too large for what it should be."


class CounterUnknown(SigningError):
    code = "counter-unknown"
    sentence = "There is no manifest.dsse.json, so it can't be shown that this is no older than what is installed."


@dataclass(frozen=True)
class FileFinding:
    """What was found of one name. `size_bytes` is what was read; `detail` says why, in English."""

    name: str
    state: FileState
    size_bytes: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """`problems` concern the documents, `files` each name that is there or should be, sorted.

    `key` vouches for SHA256SUMS; `manifest` and `slip` are set only if their signatures hold.
    """

    folder: Path
    files: tuple[FileFinding, ...]
    problems: tuple[SigningError, ...]
    key: KeyRecord | None
    manifest: ReleaseManifest | None
    slip: Slip | None = None

    @property
    def ok(self) -> bool:
        return not self.problems and all(finding.state in _HARMLESS for finding in self.files)

    @property
    def exit_code(self) -> ExitCode:
        """A fault that was seen outweighs one that could not be looked for."""
        if self.ok:
            return ExitCode.VERIFIED
        faults = [problem for problem in self.problems if not isinstance(problem, (FolderUnreadable, KeysWithin))]
        bad = [finding for finding in self.files if finding.state not in _HARMLESS | _SILENT]
        return ExitCode.NOT_VERIFIED if faults or bad else ExitCode.NOT_CHECKED

    def named(self, state: FileState) -> tuple[str, ...]:
        return tuple(finding.name for finding in self.files if finding.state is state)


@dataclass(frozen=True)
class _Proof:
    """What the documents establish. `digests` is None unless everything that is signed holds and agrees."""

    digests: dict[str, str] | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    key: KeyRecord | None = None
    manifest: ReleaseManifest | None = None
    slip: Slip | None = None
    problems: tuple[SigningError, ...] = ()

    def refused(self, problem: SigningError) -> "_Proof":
        return replace(self, problems=(*self.problems, problem))


def verify_folder(
    folder: Path,
    keys: KeyRing,
    *,
    installed_counter: int | None = None,
    key_files: Iterable[Path] = (),
    customer: str | None = None,
    keys_are_within: bool = False,
) -> Report:
    """Check every name in `folder` against what a key of the ring signed. Raises nothing; see Report.

    `installed_counter`: the release counter on the device now; an older release is refused, and one that can't show
    its counter too. `key_files`: key files that may lie in the folder without being listed. `customer`: the code of
    the organisation that a kit must be made out to. `keys_are_within`: the ring came from the kit itself, so that
    nothing is proven, however well everything fits.
    """
    try:
        entries = dict(_entries(folder))
    except OSError as error:
        problem = FolderUnreadable(path=str(folder), reason=error.strerror or str(error))
        return Report(folder, (), (problem,), None, None)
    proof = _prove(folder, entries.keys(), keys)
    if installed_counter is not None:
        proof = _not_older(proof, installed_counter)
    if customer is not None:
        proof = _made_for(proof, customer)
    if keys_are_within:
        proof = proof.refused(KeysWithin())
    keys_inside = {key.name for key in key_files if _lies_in(folder, key)}
    files = _look_at_all(folder, entries, keys_inside, proof)
    return Report(folder, files, proof.problems, proof.key, proof.manifest, proof.slip)


def keys_within(folder: Path, fingerprints: Iterable[str] | None = None) -> KeyRing:
    """The keys that lie in a kit, with no dates known; with `fingerprints`, only those of them that are meant.

    A fingerprint is a key id in hex, in groups or not. What can't be read or is no key is left out.
    """
    meant = None if fingerprints is None else {"".join(text.split()).lower() for text in fingerprints}
    keys, within = [], folder / names.KEYS_FOLDER
    try:
        entries = {} if within.is_symlink() else dict(_entries(within, f"{names.KEYS_FOLDER}/"))
    except OSError:
        return KeyRing(())
    for name in sorted(entries):
        try:
            key = PublicKey.from_pem(_document(folder, name))
        except SigningError:
            continue
        if meant is None or key.key_id in meant:
            keys.append(key)
    return KeyRing.of(*keys)


def _entries(folder: Path, within: str = "") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    with os.scandir(folder) as found:
        yield from ((within + entry.name, entry) for entry in found)


def _look_at_all(
    folder: Path, entries: dict[str, "os.DirEntry[str]"], keys_inside: set[str], proof: _Proof
) -> tuple[FileFinding, ...]:
    digests = proof.digests or {}
    unread = None
    keys = entries.get(names.KEYS_FOLDER)
    if names.SLIP in entries and keys is not None and keys.is_dir(follow_symlinks=False):
        del entries[names.KEYS_FOLDER]
        try:
            entries.update(_entries(folder / names.KEYS_FOLDER, f"{names.KEYS_FOLDER}/"))
        except OSError as error:
            unread = FileFinding(names.KEYS_FOLDER, FileState.UNREADABLE, detail=error.strerror or str(error))
    aside = names.DOCUMENTS | (keys_inside - digests.keys())
    files = [_look(name, entry, aside, proof) for name, entry in entries.items()]
    files += [FileFinding(name, _absence(name, proof)) for name in digests.keys() - entries.keys()]
    files += [unread] if unread else []
    return tuple(sorted(files, key=lambda finding: finding.name))


def _absence(name: str, proof: _Proof) -> FileState:
    was_sent = proof.slip is None or name in proof.slip.artifacts or name in proof.slip.digests
    return FileState.MISSING if was_sent else FileState.NOT_SENT


def _prove(folder: Path, present: Iterable[str], keys: KeyRing) -> _Proof:
    """The manifest first: its signed date says whether a retired key may have signed SHA256SUMS."""
    proof, manifest = _Proof(), b""
    if names.MANIFEST in present or names.SLIP in present:
        try:
            manifest = _document(folder, names.MANIFEST)
            proof = replace(proof, manifest=open_envelope(manifest, keys).manifest)
        except SigningError as error:
            proof = proof.refused(error)
    digests: dict[str, str] = {}
    try:
        sums, signature = _document(folder, names.SUMS), _document(folder, names.SUMS_SIGNATURE)
        dated = proof.manifest.published_at if proof.manifest else None
        proof = replace(proof, key=keys.verify(sums, signature, dated=dated, what=names.SUMS))
        digests = digests_in(sums)
        if proof.manifest is not None and digests != proof.manifest.digests:
            proof = proof.refused(DocumentsDisagree())
    except SigningError as error:
        proof = proof.refused(error)
    if names.SLIP in present:
        proof = _with_slip(folder, proof, keys, hashlib.sha256(manifest).hexdigest())
    return proof if proof.problems else _with_digests(proof, digests)


def _with_slip(folder: Path, proof: _Proof, keys: KeyRing, manifest_sha256: str) -> _Proof:
    try:
        slip = open_slip(_document(folder, names.SLIP), keys)
        proof = replace(proof, slip=slip)
        if proof.manifest is not None:
            slip.require_of(proof.manifest, manifest_sha256)
    except SigningError as error:
        return proof.refused(error)
    return proof


def _with_digests(proof: _Proof, digests: dict[str, str]) -> _Proof:
    """Everything that is signed holds: what it says of the files may be believed."""
    sizes = {item.name: item.size_bytes for item in proof.manifest.artifacts} if proof.manifest else {}
    if proof.slip is not None:
        digests = digests | proof.slip.digests
        sizes |= {file.name: file.size_bytes for file in proof.slip.files}
    return replace(proof, digests=digests, sizes=sizes)


def _made_for(proof: _Proof, customer: str) -> _Proof:
    if proof.slip is None:
        return proof.refused(CustomerUnknown(customer=customer))
    try:
        proof.slip.require_for(customer)
    except SigningError as error:
        return proof.refused(error)
    return proof


def _not_older(proof: _Proof, installed_counter: int) -> _Proof:
    if proof.manifest is None:
        return proof.refused(CounterUnknown())
    try:
        proof.manifest.require_not_older(installed_counter)
    except SigningError as error:
        return proof.refused(error)
    return proof


def _document(folder: Path, name: str) -> bytes:
    """A signed document's bytes, bounded. Raises DocumentMissing, DocumentNotAFile, FolderUnreadable."""
    try:
        descriptor = _open_plain(folder / name)
    except FileNotFoundError as error:
        raise DocumentMissing(name=name) from error
    except OSError as error:
        raise FolderUnreadable(path=name, reason=error.strerror or str(error)) from error
    if descriptor is None:
        raise DocumentNotAFile(name=name)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MOST_DOCUMENT_BYTES + 1)
    if len(data) > MOST_DOCUMENT_BYTES:
        raise DocumentNotAFile(name=name)
    return data


def _look(name: str, entry: "os.DirEntry[str]", aside: frozenset[str], proof: _Proof) -> FileFinding:
    try:
        if not entry.is_file(follow_symlinks=False):
            return FileFinding(name, FileState.NOT_A_FILE, detail=_kind(entry))
        if name in aside:
            return FileFinding(name, FileState.DOCUMENT)
        if proof.digests is None:
            return FileFinding(name, FileState.UNPROVEN)
        return _compare(name, Path(entry.path), proof.digests.get(name), proof.sizes.get(name))
    except OSError as error:
        return FileFinding(name, FileState.UNREADABLE, detail=error.strerror or str(error))


def _compare(name: str, path: Path, expected: str | None, expected_bytes: int | None) -> FileFinding:
    if expected is None:
        return FileFinding(name, FileState.NOT_LISTED)
    descriptor = _open_plain(path)
    if descriptor is None:
        return FileFinding(name, FileState.NOT_A_FILE, detail="it changed while being looked at")
    size_bytes = os.fstat(descriptor).st_size
    if expected_bytes is not None and size_bytes != expected_bytes:
        os.close(descriptor)  # a terabyte of holes need not be read to be wrong
        return FileFinding(name, FileState.WRONG, size_bytes, f"{size_bytes} bytes instead of {expected_bytes}")
    sha256, size_bytes = _hashed(descriptor)
    if sha256 != expected:
        detail = f"its SHA-256 is {sha256}, the signed one is {expected}"
        return FileFinding(name, FileState.WRONG, size_bytes, detail)
    return FileFinding(name, FileState.RIGHT, size_bytes)


def _open_plain(path: Path) -> int | None:
    """A descriptor of an ordinary file, or None for anything else: no link is followed, no pipe waited for."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def _hashed(descriptor: int) -> tuple[str, int]:
    digest, size_bytes, block = hashlib.sha256(), 0, memoryview(bytearray(BLOCK_BYTES))
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while count := file.readinto(block):
            digest.update(block[:count])
            size_bytes += count
    return digest.hexdigest(), size_bytes


def _kind(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return "a symbolic link, not followed"
    return "a folder, not looked into" if entry.is_dir(follow_symlinks=False) else "not an ordinary file"


def _lies_in(folder: Path, key: Path) -> bool:
    return key.parent.resolve() == folder.resolve()
