"""A backup on its way out: any range of its plain bytes, opened block by block."""

import hashlib
from dataclasses import dataclass

from portal.backups.errors import BackupCut, BackupDiffers, BackupMissing
from portal.backups.sealing import BLOCK_BYTES, TAG_BYTES, Sealer, filled, last_block, sealed_size
from storage import ObjectMissing, ObjectReader, ObjectStore, OutOfRange, SizeMismatch

SEALED_BLOCK_BYTES = BLOCK_BYTES + TAG_BYTES


@dataclass(frozen=True)
class Kept:
    """A sealed backup: the object's key, and the size of its plain bytes."""

    key: str
    size_bytes: int
    sealer: Sealer


class BackupReader:
    """`length` plain bytes from `start`; close it. The first block is opened at once, so that what is wrong with a
    backup is mostly known before anything is answered.

    Raises BackupMissing, BackupCut, BackupDamaged, and the store's own errors; the last three while read, too.
    """

    def __init__(self, store: ObjectStore, kept: Kept, start: int, length: int) -> None:
        self._kept, self._left = kept, length
        self._number = start // BLOCK_BYTES if length else 0
        self._last = (start + length - 1) // BLOCK_BYTES if length else 0
        self._reader = self._opened(store)
        try:
            self._block = memoryview(self._next())[start - self._number * BLOCK_BYTES if length else 0 :]
        except BaseException:
            self.close()
            raise

    def read(self, size: int, /) -> bytes:
        if not self._left:
            return b""
        if not self._block:
            self._number += 1
            self._block = memoryview(self._next())
        count = min(size, self._left, len(self._block))
        given, self._block = bytes(self._block[:count]), self._block[count:]
        self._left -= count
        return given

    def close(self) -> None:
        self._reader.close()

    def _opened(self, store: ObjectStore) -> ObjectReader:
        """The sealed blocks of the range, of an object that has the size it should have."""
        whole = sealed_size(self._kept.size_bytes)
        begin, end = self._number * SEALED_BLOCK_BYTES, min((self._last + 1) * SEALED_BLOCK_BYTES, whole)
        try:
            if store.stat(self._kept.key).size_bytes != whole:
                raise BackupCut
            return store.open_range(self._kept.key, begin, end - begin, block_bytes=SEALED_BLOCK_BYTES)
        except ObjectMissing as error:
            raise BackupMissing from error
        except OutOfRange as error:
            raise BackupCut from error

    def _next(self) -> bytes:
        try:
            sealed = filled(self._reader, SEALED_BLOCK_BYTES)
        except SizeMismatch as error:
            raise BackupCut from error
        is_last = self._number == last_block(self._kept.size_bytes)
        return self._kept.sealer.open(self._number, sealed, is_last=is_last)


def verify(store: ObjectStore, kept: Kept, sha256: str) -> None:
    """Open all of it and compare. Raises BackupMissing, BackupCut, BackupDamaged, BackupDiffers."""
    digest = hashlib.sha256()
    reader = BackupReader(store, kept, 0, kept.size_bytes)
    try:
        while block := reader.read(BLOCK_BYTES):
            digest.update(block)
    finally:
        reader.close()
    if digest.hexdigest() != sha256:
        raise BackupDiffers
