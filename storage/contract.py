"""What an object store is: one contract, held by every backend and by one suite of tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from storage.reader import READ_BLOCK_BYTES, ObjectReader
from storage.streams import Source
from storage.values import StoredObject

SMALL_OBJECT_BYTES = 8 * 1024 * 1024
FRESH = timedelta(days=1)
"""Who removes objects that nothing refers to leaves alone what came within this time, and well beyond it."""


@dataclass(frozen=True, slots=True)
class Received:
    """The outcome of `receive`. `created` is False when the same bytes were there already.

    It is for telling people, not for deciding who may delete: of uploads that end at the same instant in different
    processes, some S3 servers tell each that it was first; and after an answer lost on the way, none may hear it.
    """

    key: str
    sha256: str
    size_bytes: int
    created: bool


class ObjectStore(Protocol):
    """Objects by key, written once and never changed. Safe to share between threads.

    Every method may raise StoreUnavailable, StoreMissing, StoreDenied, StoreFull or StoreFailed, and InvalidKey where
    it takes a key. An exception raised by a source while it is read is passed on as it is; nothing stays behind then.
    """

    def receive(
        self,
        source: Source,
        *,
        limit_bytes: int,
        expected_sha256: str | None = None,
        expected_size: int | None = None,
    ) -> Received:
        """Read the source once and keep its bytes under `content_key` of their SHA-256, unless they are there.

        Whole or not at all: until it returns nothing is visible under the key, and then it is durable. At most a few
        tens of MiB are held in memory, whatever the size.

        Bytes that are there and fresh need not be kept anew. Older ones might be removed, if nothing refers to them,
        before a long upload ends: then what came takes their place.

        Raises TooLarge as soon as the limit (or a declared size above it) is passed, SizeMismatch for a stream cut
        short or running on, DigestMismatch, InvalidDigest.
        """

    def put(self, key: str, content: bytes | Source, *, limit_bytes: int = SMALL_OBJECT_BYTES) -> StoredObject:
        """Keep a small object under a name of its own, if absent; it is held in memory meanwhile.

        The same bytes again are no error, so a repeated call has one effect. Raises ObjectExists, TooLarge.
        """

    def open_range(
        self, key: str, start: int = 0, length: int | None = None, *, block_bytes: int = READ_BLOCK_BYTES
    ) -> ObjectReader:
        """Open `length` bytes from byte `start`; without a length, up to the end. Close it, or use `with`.

        Raises ObjectMissing, OutOfRange when the range does not lie inside the object (an empty one at its end does).
        While being read: SizeMismatch when the object ends early, StoreUnavailable when the connection does.
        """

    def stat(self, key: str) -> StoredObject:
        """Raises ObjectMissing."""

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose keys begin so, page by page, in the backend's own order."""

    def delete(self, key: str) -> None:
        """Remove the object; no error if there is none. That nothing refers to it any more is the caller's care."""

    def presigned_get(
        self,
        key: str,
        *,
        expires_in: timedelta,
        content_disposition: str | None = None,
        content_type: str | None = None,
    ) -> str | None:
        """A URL that fetches the object without credentials until it expires, or None where the backend has none.

        The two headers are what the answer will carry. It is signed for GET only, and does not ask whether the object
        exists.
        """

    def local_path(self, key: str) -> Path | None:
        """The object's own file, for sendfile or X-Accel-Redirect, or None where the backend has none.

        Raises ObjectMissing.
        """

    def sweep(self, *, older_than: datetime) -> int:
        """Remove what broken-off uploads begun before that instant (aware) left behind; the number removed.

        An upload still running is not spared: choose an instant further back than any upload lasts.
        """

    def check(self) -> None:
        """Raise what stands in the way of reading and writing here; return when nothing does."""
