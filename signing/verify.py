"""Is this folder what the vendor released? For a customer with no account and no network.

A folder holds files, `SHA256SUMS` and `SHA256SUMS.sig`, and perhaps `manifest.dsse.json`. The signatures are looked at
first: only digests that a key vouches for are compared, so that nothing unproven is ever called right. Links and
folders inside are reported and never followed; a name that is listed is never opened as a path.
"""

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from pathlib import Path

from signing import names
from signing.envelope import open_envelope
from signing.errors import DocumentsDisagree, SigningError
from signing.keyring import KeyRecord, KeyRing
from signing.manifest import ReleaseManifest
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


_HARMLESS = frozenset({FileState.RIGHT, FileState.DOCUMENT})
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

    `key` vouches for SHA256SUMS; `manifest` is set only if its signature holds.
    """

    folder: Path
    files: tuple[FileFinding, ...]
    problems: tuple[SigningError, ...]
    key: KeyRecord | None
    manifest: ReleaseManifest | None

    @property
    def ok(self) -> bool:
        return not self.problems and all(finding.state in _HARMLESS for finding in self.files)

    @property
    def exit_code(self) -> ExitCode:
        """A fault that was seen outweighs one that could not be looked for."""
        if self.ok:
            return ExitCode.VERIFIED
        faults = [problem for problem in self.problems if not isinstance(problem, FolderUnreadable)]
        bad = [finding for finding in self.files if finding.state not in _HARMLESS | _SILENT]
        return ExitCode.NOT_VERIFIED if faults or bad else ExitCode.NOT_CHECKED

    def named(self, state: FileState) -> tuple[str, ...]:
        return tuple(finding.name for finding in self.files if finding.state is state)


@dataclass(frozen=True)
class _Proof:
    """What the documents establish. `digests` is None unless everything that is signed holds and agrees."""

    digests: dict[str, str] | None = None
    key: KeyRecord | None = None
    manifest: ReleaseManifest | None = None
    problems: tuple[SigningError, ...] = ()

    def refused(self, problem: SigningError) -> "_Proof":
        return replace(self, problems=(*self.problems, problem))


def verify_folder(
    folder: Path, keys: KeyRing, *, installed_counter: int | None = None, key_files: Iterable[Path] = ()
) -> Report:
    """Check every name in `folder` against what a key of the ring signed. Raises nothing; see Report.

    `installed_counter`: the release counter on the device now; an older release is refused, and one that can't show
    its counter too. `key_files`: key files that may lie in the folder without being listed.
    """
    try:
        with os.scandir(folder) as found:
            entries = {entry.name: entry for entry in found}
    except OSError as error:
        problem = FolderUnreadable(path=str(folder), reason=error.strerror or str(error))
        return Report(folder, (), (problem,), None, None)
    proof = _prove(folder, entries.keys(), keys)
    if installed_counter is not None:
        proof = _not_older(proof, installed_counter)
    listed = (proof.digests or {}).keys()
    keys_inside = {key.name for key in key_files if _lies_in(folder, key)}
    aside = names.DOCUMENTS | (keys_inside - listed)
    files = [_look(entry, aside, proof) for entry in entries.values()]
    files += [FileFinding(name, FileState.MISSING) for name in listed - entries.keys()]
    ordered = tuple(sorted(files, key=lambda finding: finding.name))
    return Report(folder, ordered, proof.problems, proof.key, proof.manifest)


def _prove(folder: Path, present: Iterable[str], keys: KeyRing) -> _Proof:
    """The manifest first: its signed date says whether a retired key may have signed SHA256SUMS."""
    proof = _Proof()
    if names.MANIFEST in present:
        try:
            verified = open_envelope(_document(folder, names.MANIFEST), keys)
            proof = replace(proof, manifest=verified.manifest)
        except SigningError as error:
            proof = proof.refused(error)
    try:
        sums, signature = _document(folder, names.SUMS), _document(folder, names.SUMS_SIGNATURE)
        dated = proof.manifest.published_at if proof.manifest else None
        proof = replace(proof, key=keys.verify(sums, signature, dated=dated, what=names.SUMS))
        digests = digests_in(sums)
    except SigningError as error:
        return proof.refused(error)
    if proof.manifest is not None and digests != proof.manifest.digests:
        return proof.refused(DocumentsDisagree())
    return proof if proof.problems else replace(proof, digests=digests)


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


def _look(entry: "os.DirEntry[str]", aside: frozenset[str], proof: _Proof) -> FileFinding:
    try:
        if not entry.is_file(follow_symlinks=False):
            return FileFinding(entry.name, FileState.NOT_A_FILE, detail=_kind(entry))
        if entry.name in aside:
            return FileFinding(entry.name, FileState.DOCUMENT)
        if proof.digests is None:
            return FileFinding(entry.name, FileState.UNPROVEN)
        return _compare(entry, proof.digests.get(entry.name), proof.manifest)
    except OSError as error:
        return FileFinding(entry.name, FileState.UNREADABLE, detail=error.strerror or str(error))


def _compare(entry: "os.DirEntry[str]", expected: str | None, manifest: ReleaseManifest | None) -> FileFinding:
    if expected is None:
        return FileFinding(entry.name, FileState.NOT_LISTED)
    descriptor = _open_plain(Path(entry.path))
    if descriptor is None:
        return FileFinding(entry.name, FileState.NOT_A_FILE, detail="it changed while being looked at")
    sha256, size_bytes = _hashed(descriptor)
    signed_sizes = {item.name: item.size_bytes for item in manifest.artifacts} if manifest else {}
    signed_size = signed_sizes.get(entry.name, size_bytes)
    if size_bytes != signed_size:
        return FileFinding(entry.name, FileState.WRONG, size_bytes, f"{size_bytes} bytes instead of {signed_size}")
    if sha256 != expected:
        detail = f"its SHA-256 is {sha256}, the signed one is {expected}"
        return FileFinding(entry.name, FileState.WRONG, size_bytes, detail)
    return FileFinding(entry.name, FileState.RIGHT, size_bytes)


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
