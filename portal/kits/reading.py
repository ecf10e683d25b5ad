"""Reading an archive that was never written: its own bytes and the objects between them, in order."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from portal.kits.errors import KitDamaged
from portal.kits.layout import Layout, Segment, StoredFile
from storage import ObjectMissing, ObjectReader, ObjectStore, OutOfRange, SizeMismatch

BLOCK_BYTES = 512 * 1024
"""What the portal's downloads send at a time."""


class _Part(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class KitReader:
    """The bytes [start, start + length) of an archive.

    It has the shape of a WSGI body (an iterable of bytes with `close`) and of a source for `ObjectStore.receive`.
    With `is_proving`, for reading from the beginning to the end, each object is held against its digest as it passes:
    KitDamaged names the file that is not what was signed. An object that is missing or ends early is KitDamaged too;
    a store that can't be reached is StoreUnavailable.
    """

    def __init__(
        self, store: ObjectStore, layout: Layout, start: int = 0, length: int | None = None, *, is_proving: bool = False
    ) -> None:
        self._store = store
        end = layout.size_bytes if length is None else start + length
        self._parts = layout.between(start, end)
        self._left_bytes = end - start
        self._segment: Segment = b""
        self._part: _Part | None = None
        self._left = 0
        self._is_proving = is_proving
        self._digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, empty at the end; without a size all that is left (for small archives)."""
        if size < 0:
            return b"".join(self)
        room = bytearray(min(size, self._left_bytes))
        return bytes(room[: self.readinto(memoryview(room))])

    def readinto(self, room: memoryview) -> int:
        """Fill the room as far as bytes are left; returns how many came."""
        filled = 0
        while filled < len(room) and (self._left or self._open_next()):
            filled += self._take(room[filled : filled + self._left])
        self._left_bytes -= filled
        return filled

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK_BYTES):
            yield block

    def close(self) -> None:
        if self._part is not None:
            self._part.close()
            self._part = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_next(self) -> bool:
        self.close()
        following = next(self._parts, None)
        if following is None:
            return False
        self._segment, first, last = following
        self._left = last - first
        self._digest = hashlib.sha256()
        self._part = _opened(self._store, self._segment, first, self._left)
        return True

    def _take(self, room: memoryview) -> int:
        count = _fill(self._part, room) if self._part is not None else 0
        if not count:
            raise self._damaged()
        self._left -= count
        if self._is_proving and isinstance(self._segment, StoredFile):
            self._digest.update(room[:count])
            if not self._left and self._digest.hexdigest() != self._segment.sha256:
                raise self._damaged()
        return count

    def _damaged(self) -> KitDamaged:
        return KitDamaged(path=self._segment.path if isinstance(self._segment, StoredFile) else "")


def _opened(store: ObjectStore, segment: Segment, start: int, length: int) -> _Part:
    if isinstance(segment, bytes):
        return BytesIO(segment[start : start + length])
    try:
        path = store.local_path(segment.key)
        if path is not None:
            return _file(path, start)
        return store.open_range(segment.key, start, length)
    except (ObjectMissing, OutOfRange, FileNotFoundError) as error:
        raise KitDamaged(path=segment.path) from error


def _file(path: Path, start: int) -> IO[bytes]:
    """The object's own file: unlike a reader it fills a buffer that is there already."""
    file = path.open("rb", buffering=0)
    file.seek(start)
    return file


def _fill(part: _Part, room: memoryview) -> int:
    if isinstance(part, ObjectReader):
        piece = b""
        with suppress(SizeMismatch):
            piece = part.read(len(room))
        room[: len(piece)] = piece
        return len(piece)
    count: int = part.readinto(room)  # type: ignore[attr-defined]
    return count
