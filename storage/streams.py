"""Reading a source once: blocks go to whoever stores them while a thread computes their SHA-256."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from itertools import cycle
from types import TracebackType
from typing import Protocol, Self, cast

from storage.errors import DigestMismatch, SizeMismatch, TooLarge
from storage.keys import check_digest

BLOCK_BYTES = 1024 * 1024
BLOCK_COUNT = 4


class Source(Protocol):
    """Anything binary and blocking that can be read once; with a `readinto` too, no bytes are copied on the way."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the sender may and said it will send; raises TooLarge and InvalidDigest before anything is read."""

    limit_bytes: int
    sha256: str | None = None
    size_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.sha256 is not None:
            object.__setattr__(self, "sha256", check_digest(self.sha256))
        if self.size_bytes is not None and self.size_bytes > self.limit_bytes:
            raise TooLarge(limit_bytes=self.limit_bytes)

    def allow(self, received: int) -> None:
        """Raise when so many bytes are already too many."""
        if self.size_bytes is not None and received > self.size_bytes:
            raise SizeMismatch(expected=self.size_bytes, received=received)
        if received > self.limit_bytes:
            raise TooLarge(limit_bytes=self.limit_bytes)

    def verify(self, *, sha256: str, size_bytes: int) -> None:
        """Raise unless what came is what was said."""
        if self.size_bytes is not None and size_bytes != self.size_bytes:
            raise SizeMismatch(expected=self.size_bytes, received=size_bytes)
        if self.sha256 is not None and sha256 != self.sha256:
            raise DigestMismatch(expected=self.sha256, received=sha256)


@dataclass(slots=True)
class Block:
    """A buffer and how much of it is filled. Whoever uses it in another thread adds that work to `busy`."""

    buffer: bytearray
    filled: int = 0
    busy: list["Future[str] | Future[None]"] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return self.filled == len(self.buffer)

    @property
    def view(self) -> memoryview:
        return memoryview(self.buffer)[: self.filled]

    def wait(self) -> None:
        """Until nobody uses the buffer any more; raises what that work raised."""
        for work in self.busy:
            work.result()
        self.busy.clear()


class Intake:
    """One pass over a source.

    Iterating gives blocks, all full but the last, each valid until its buffer comes round again: a few buffers are
    reused, so memory does not depend on the size. An empty source gives no block. After the last block `sha256` and
    `size_bytes` are set and have been verified against what was expected.
    """

    def __init__(
        self, source: Source, expected: Expected, *, block_bytes: int = BLOCK_BYTES, block_count: int = BLOCK_COUNT
    ) -> None:
        self._fill = _filler(source)
        self._expected = expected
        self._block_bytes, self._block_count = block_bytes, block_count
        self._digest = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        self.sha256 = ""
        self.size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hasher.shutdown()

    def __iter__(self) -> Iterator[Block]:
        ring = [Block(bytearray(0)) for _ in range(self._block_count)]
        for block in cycle(ring):
            block.wait()
            if not block.buffer:
                block.buffer = bytearray(self._block_bytes)
            block.filled = self._fill(memoryview(block.buffer))
            self.size_bytes += block.filled
            self._expected.allow(self.size_bytes)
            if block.filled:
                self._hash(block)
                yield block
            if not block.full:
                break
        for block in ring:
            block.wait()
        self.sha256 = self._digest.hexdigest()
        self._expected.verify(sha256=self.sha256, size_bytes=self.size_bytes)

    def _hash(self, block: Block) -> None:
        if self.size_bytes < self._block_bytes:
            self._digest.update(block.view)  # the only block: a thread would cost more than it saves
        else:
            block.busy.append(self._hasher.submit(self._digest.update, block.view))


def read_small(content: bytes | Source, *, limit_bytes: int) -> bytes:
    """The whole content in memory; raises TooLarge."""
    source = BytesIO(content) if isinstance(content, bytes) else content
    whole = bytearray()
    while block := source.read(min(BLOCK_BYTES, limit_bytes - len(whole) + 1)):
        whole += block
        if len(whole) > limit_bytes:
            raise TooLarge(limit_bytes=limit_bytes)
    return bytes(whole)


def _filler(source: Source) -> Callable[[memoryview], int]:
    """A function that fills a buffer from the source and says how far it came; less than full only at the end."""
    readinto = cast("Callable[[memoryview], int | None] | None", getattr(source, "readinto", None))

    def read_into(room: memoryview) -> int | None:
        piece = source.read(len(room))
        room[: len(piece)] = piece
        return len(piece)

    read = readinto or read_into

    def fill(room: memoryview) -> int:
        filled = 0
        while filled < len(room):
            count = read(room[filled:])
            if count is None:
                raise BlockingIOError("The source does not block; its end cannot be told from a pause")
            if not count:
                break
            filled += count
        return filled

    return fill
