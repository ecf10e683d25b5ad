"""Objects as files under a folder."""

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR

from storage.contract import FRESH, SMALL_OBJECT_BYTES, Received
from storage.errors import (
    InvalidKey,
    ObjectExists,
    ObjectMissing,
    OutOfRange,
    SizeMismatch,
    StorageError,
    StoreDenied,
    StoreFailed,
    StoreFull,
    StoreUnavailable,
)
from storage.flushing import Flusher
from storage.keys import check_key, check_prefix, content_key, digest_in
from storage.reader import READ_BLOCK_BYTES, ObjectReader
from storage.streams import Expected, Intake, Source, read_small
from storage.values import StoredObject

# A leading dot, so that no key can ever lead here.
INCOMING = ".incoming"
FILE_MODE = 0o440
# Measured on ext4 under Linux 6.18: writing 1 GiB costs the kernel about 1 s in pieces of 1 MiB and 0.1 s in these.
WRITE_BYTES = 64 * 1024
FOLDER_MODE = 0o750
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_LATER = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE, errno.ENODEV, errno.EHOSTDOWN}
_ABSENT = {errno.ENOENT, errno.ENOTDIR}


class FileStore:
    """Objects as files under `root`, readable by owner and group only (0440 in folders of 0750).

    A new object is written beside, in `.incoming` on the same file system, flushed to the disk, and only then linked
    to its name: linking is atomic and refuses a name that is taken. Whatever the moment of a crash, a name leads to a
    whole object or to none; what stays in `.incoming` is removed by `sweep`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def receive(
        self,
        source: Source,
        *,
        limit_bytes: int,
        expected_sha256: str | None = None,
        expected_size: int | None = None,
    ) -> Received:
        expected = Expected(limit_bytes, expected_sha256, expected_size)
        if expected.sha256 is not None and self._is_fresh(content_key(expected.sha256)):
            return self._receive_again(source, expected)
        with self._incoming(room_bytes=expected_size or 0) as (incoming, descriptor):
            with Intake(source, expected) as intake, Flusher(descriptor) as flusher:
                for block in intake:
                    _write(descriptor, block.view)
                    with _translated(INCOMING):
                        flusher.written(block.filled)
                with _translated(INCOMING):
                    flusher.finish()
            key = content_key(intake.sha256)
            created = self._publish(incoming, descriptor, key)
        return self._received(key, intake, created=created)

    def put(self, key: str, content: bytes | Source, *, limit_bytes: int = SMALL_OBJECT_BYTES) -> StoredObject:
        check_key(key)
        whole = read_small(content, limit_bytes=limit_bytes)
        with self._incoming(room_bytes=len(whole)) as (incoming, descriptor):
            _write(descriptor, memoryview(whole))
            created = self._publish(incoming, descriptor, key)
        if not created and not self._holds(key, whole):
            raise ObjectExists(key)
        return self.stat(key)

    def open_range(
        self, key: str, start: int = 0, length: int | None = None, *, block_bytes: int = READ_BLOCK_BYTES
    ) -> ObjectReader:
        path = self._path(key)
        with ExitStack() as opened:
            with _translated(key):
                file = opened.enter_context(path.open("rb", buffering=0))
                stored = _describe(key, os.fstat(file.fileno()))
            wanted = stored.size_bytes - start if length is None else length
            if start < 0 or wanted < 0 or start + wanted > stored.size_bytes:
                raise OutOfRange(key, start=start, length=length, size_bytes=stored.size_bytes)
            file.seek(start)
            opened.pop_all()

        def read(size: int) -> bytes:
            with _translated(key):
                return file.read(size)

        return ObjectReader(stored, start=start, length=wanted, block_bytes=block_bytes, read=read, close=file.close)

    def stat(self, key: str) -> StoredObject:
        path = self._path(key)
        with _translated(key):
            facts = path.stat()
        if S_ISDIR(facts.st_mode):
            raise ObjectMissing(key)
        return _describe(key, facts)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        folder, _, _ = check_prefix(prefix).rpartition("/")
        yield from self._walk(folder, prefix)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with suppress(ObjectMissing), _translated(key):
            path.unlink()
            _sync_folder(path.parent)

    def presigned_get(
        self,
        key: str,
        *,
        expires_in: timedelta,  # noqa: ARG002 - the contract's argument
        content_disposition: str | None = None,  # noqa: ARG002 - the contract's argument
        content_type: str | None = None,  # noqa: ARG002 - the contract's argument
    ) -> str | None:
        check_key(key)
        return None

    def local_path(self, key: str) -> Path | None:
        self.stat(key)
        return self._path(key)

    def sweep(self, *, older_than: datetime) -> int:
        removed = 0
        with suppress(ObjectMissing), _translated(INCOMING), os.scandir(self.root / INCOMING) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # its upload has just ended
                    if entry.stat().st_mtime < older_than.timestamp():
                        Path(entry.path).unlink()
                        removed += 1
        return removed

    def check(self) -> None:
        with self._incoming(room_bytes=1) as (_, descriptor):
            _write(descriptor, memoryview(b"1"))
            with _translated(INCOMING):
                os.fsync(descriptor)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextmanager
    def _incoming(self, *, room_bytes: int) -> Iterator[tuple[Path, int]]:
        """A new file for writing, closed and removed from `.incoming` at the end, whatever happened."""
        folder = self.root / INCOMING
        incoming = folder / token_hex(16)
        with _translated(INCOMING):
            if not self.root.is_dir():
                _make_folder(self.root)
                _sync_folder(self.root.parent)
            _make_folder(folder)
            room = os.statvfs(folder)
            if room_bytes > room.f_bavail * room.f_frsize:  # told before the upload, not at its end
                raise StoreFull(f"{room_bytes} bytes wanted, {room.f_bavail * room.f_frsize} free")
            descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            yield incoming, descriptor
        finally:
            os.close(descriptor)
            with suppress(OSError):  # `sweep` comes round; the outcome of the upload is what counts here
                incoming.unlink(missing_ok=True)

    def _publish(self, incoming: Path, descriptor: int, key: str) -> bool:
        """Give the written file its name, durably, if the name is free; whether it was."""
        path = self._path(key)
        with _translated(key, naming=True):
            os.fchmod(descriptor, FILE_MODE)
            os.fsync(descriptor)
            _make_folder(path.parent)
            created = _link(incoming, path)
        self._sync_folders(key)
        if not created and not self._there(key):
            raise InvalidKey(key, "other objects have it as their folder")
        return created

    def _there(self, key: str) -> bool:
        try:
            self.stat(key)
        except ObjectMissing:
            return False
        return True

    def _is_fresh(self, key: str) -> bool:
        try:
            return datetime.now(UTC) - self.stat(key).modified_at < FRESH
        except ObjectMissing:
            return False

    def _receive_again(self, source: Source, expected: Expected) -> Received:
        """Read what is there already and store nothing, so that it needs no room on the disk."""
        with Intake(source, expected) as intake:
            for _ in intake:  # read all the same: only who has the bytes may say that they are these
                pass
        key = content_key(intake.sha256)
        self._sync_folders(key)
        return self._received(key, intake, created=False)

    def _received(self, key: str, intake: Intake, *, created: bool) -> Received:
        stored = self.stat(key)
        if stored.size_bytes != intake.size_bytes:
            raise SizeMismatch(expected=intake.size_bytes, received=stored.size_bytes)
        return Received(key, intake.sha256, intake.size_bytes, created)

    def _sync_folders(self, key: str) -> None:
        """Make the name durable, and the folders above it.

        Also for what another upload made: it may not have come this far, and what we report must last. Where nothing
        has changed, this costs next to nothing.
        """
        with _translated(key):
            for folder in self._path(key).parents[: -len(self.root.parents)]:
                _sync_folder(folder)

    def _holds(self, key: str, content: bytes) -> bool:
        with self.open_range(key) as reader:
            if reader.length != len(content):
                return False
            digest = hashlib.sha256()
            for block in reader:
                digest.update(block)
        return digest.digest() == hashlib.sha256(content).digest()

    def _walk(self, folder: str, prefix: str) -> Iterator[StoredObject]:
        for entry in self._entries(folder):
            key = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if f"{key}/".startswith(prefix) or prefix.startswith(f"{key}/"):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                with suppress(ObjectMissing):  # deleted since the folder was read
                    yield self._stat_entry(key, entry)

    def _entries(self, folder: str) -> Sequence["os.DirEntry[str]"]:
        try:
            with _translated(folder), os.scandir(self.root / folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except ObjectMissing:
            return ()
        return sorted(visible, key=lambda entry: entry.name)

    @staticmethod
    def _stat_entry(key: str, entry: "os.DirEntry[str]") -> StoredObject:
        with _translated(key):
            return _describe(key, entry.stat(follow_symlinks=False))


def _describe(key: str, facts: os.stat_result) -> StoredObject:
    return StoredObject(key, facts.st_size, digest_in(key), datetime.fromtimestamp(facts.st_mtime, UTC))


def _write(descriptor: int, view: memoryview) -> None:
    with _translated(INCOMING):
        while view:
            view = view[os.write(descriptor, view[:WRITE_BYTES]) :]


def _link(incoming: Path, path: Path) -> bool:
    """Whether the name was free. A name that is taken may become free while we look: nobody waits for uploads."""
    while True:
        try:
            path.hardlink_to(incoming)
        except FileExistsError:
            if path.exists():
                return False
        else:
            return True


def _make_folder(folder: Path) -> None:
    """Like `mkdir -p`, with the mode of a store's folder whatever the umask: a web server of the group may enter."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(FOLDER_MODE)
        folder.chmod(FOLDER_MODE)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(key: str, *, naming: bool = False) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _translate(error, key, naming=naming) from error


def _translate(error: OSError, key: str, *, naming: bool) -> StorageError:
    number, detail = error.errno, str(error)
    if naming and number in {errno.ENOTDIR, errno.EEXIST}:
        return InvalidKey(key, "another object has the name of its folder")
    if naming and number == errno.ENOENT:
        return StoreUnavailable("the upload was swept away before its end")
    if number in _ABSENT or number == errno.EISDIR:
        return ObjectMissing(key)
    kinds = ((_FULL, StoreFull), (_DENIED, StoreDenied), (_LATER, StoreUnavailable))
    return next((kind(detail) for numbers, kind in kinds if number in numbers), StoreFailed(detail))
