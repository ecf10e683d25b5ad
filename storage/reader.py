"""An opened object, or a range of one."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from storage.errors import SizeMismatch
from storage.values import StoredObject

# Large enough that the cost per block disappears, small enough that a hundred slow downloads hold 25 MiB.
READ_BLOCK_BYTES = 256 * 1024


class ObjectReader:
    """Exactly `length` bytes of `stored`, beginning at `start`: iterate over the blocks, or `read`; then close.

    It has the shape of a WSGI body (an iterable of bytes with `close`) and of a source for `receive`. A block that
    does not come raises SizeMismatch or StoreUnavailable: the bytes given out never silently end early.
    """

    def __init__(
        self,
        stored: StoredObject,
        *,
        start: int,
        length: int,
        block_bytes: int,
        read: Callable[[int], bytes],
        close: Callable[[], None],
    ) -> None:
        self.stored, self.start, self.length = stored, start, length
        self._block_bytes, self._read, self._close = block_bytes, read, close
        self._left = length

    def read(self, size: int = -1, /) -> bytes:
        """At least one byte and at most `size`, empty at the end; without a size all that is left (small objects)."""
        if size < 0:
            return b"".join(self)
        wanted = min(size, self._left)
        if not wanted:
            return b""
        block = self._read(wanted)
        if not block:
            raise SizeMismatch(expected=self.length, received=self.length - self._left)
        self._left -= len(block)
        return block

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(self._block_bytes):
            yield block

    def close(self) -> None:
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
