"""A backup at rest: AES-256-GCM in blocks (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).

Each block of 1 MiB is sealed by itself under a key of this one backup, HKDF-SHA256 (RFC 5869) of the customer's data
key with the backup's id as salt. The nonce is the block's number (11 bytes) and whether it is the last (1 byte): a
block altered, left out, put in another's place, taken from another backup or another customer does not open, and
neither does a tail cut at a border, for no block but the last opens as the last. An empty backup is one empty block.

Pure but for the source that is read: a backup of any size passes in the memory of three blocks.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.backups.errors import BackupDamaged
from portal.config import MIB

BLOCK_BYTES = MIB
TAG_BYTES = 16
KEY_BYTES = 32
_NUMBER_BYTES = 11
_PURPOSE = b"portal: content of a device's backup, version 1"


class Source(Protocol):
    """Bytes that are read once: at most so many at a time, none at the end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Sealer:
    """Seals and opens the blocks of one backup."""

    data_key: bytes = field(repr=False)
    organisation_id: UUID
    backup_id: UUID
    _cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = HKDF(SHA256(), KEY_BYTES, self.backup_id.bytes, _PURPOSE).derive(self.data_key)
        object.__setattr__(self, "_cipher", AESGCM(key))

    @property
    def _bound(self) -> bytes:
        return self.organisation_id.bytes + self.backup_id.bytes

    def seal(self, number: int, plain: bytes, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, is_last=is_last), plain, self._bound)

    def open(self, number: int, sealed: bytes, *, is_last: bool) -> bytes:
        """Raises BackupDamaged."""
        try:
            return self._cipher.decrypt(_nonce(number, is_last=is_last), sealed, self._bound)
        except (InvalidTag, ValueError) as error:
            raise BackupDamaged(block=number) from error


class Sealing:
    """A source of plain bytes as a source of sealed ones, which counts and hashes what passes.

    `check(sha256, size_bytes)` is asked at the end, before the last block leaves: what it raises leaves nothing behind.
    """

    def __init__(self, source: Source, sealer: Sealer, check: Callable[[str, int], None]) -> None:
        self._source, self._sealer, self._check = source, sealer, check
        self._digest = hashlib.sha256()
        self._next: bytes | None = None
        self._out = memoryview(b"")
        self._number = 0
        self._is_over = False
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def read(self, size: int, /) -> bytes:
        if not self._out and not self._is_over:
            self._out = memoryview(self._sealed())
        given, self._out = bytes(self._out[:size]), self._out[size:]
        return given

    def _sealed(self) -> bytes:
        plain = self._taken() if self._next is None else self._next
        self._next = self._taken() if len(plain) == BLOCK_BYTES else b""
        self._is_over = not self._next
        if self._is_over:
            self._check(self.sha256, self.size_bytes)
        sealed = self._sealer.seal(self._number, plain, is_last=self._is_over)
        self._number += 1
        return sealed

    def _taken(self) -> bytes:
        block = filled(self._source, BLOCK_BYTES)
        self._digest.update(block)
        self.size_bytes += len(block)
        return block


def filled(source: Source, size: int) -> bytes:
    """So many bytes of the source; fewer only at its end."""
    block = bytearray()
    while len(block) < size and (piece := source.read(size - len(block))):
        block += piece
    return bytes(block)


def last_block(size_bytes: int) -> int:
    """The number of the last block of so many plain bytes."""
    return max(size_bytes - 1, 0) // BLOCK_BYTES


def sealed_size(size_bytes: int) -> int:
    return size_bytes + TAG_BYTES * (last_block(size_bytes) + 1)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_NUMBER_BYTES) + bytes([is_last])
