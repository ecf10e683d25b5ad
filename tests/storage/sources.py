"""Sources as uploads are: long, cut, or waiting for one another."""

import hashlib
from collections.abc import Callable
from io import BytesIO, RawIOBase

MIB = 1024 * 1024


def numbered(size_bytes: int, seed: int = 0) -> bytes:
    """Bytes in which no stretch repeats another, so that a misplaced block shows."""
    blocks = (hashlib.sha512(f"{seed}/{n}".encode()).digest() * 64 for n in range(-(-size_bytes // 4096)))
    return b"".join(blocks)[:size_bytes]


class ReadOnly:
    """A source with `read` alone, giving little at a time as sockets do."""

    def __init__(self, content: bytes, most: int = 70_001) -> None:
        self._content, self._most = BytesIO(content), most

    def read(self, size: int, /) -> bytes:
        return self._content.read(min(size, self._most))


class Generated(RawIOBase):
    """So many bytes, made as they are read; `before` is called before each read with the number given so far."""

    def __init__(self, size_bytes: int, before: Callable[[int], object] = lambda given: None) -> None:
        self.size_bytes, self.given, self._before = size_bytes, 0, before
        self._piece = numbered(MIB)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self._before(self.given)
        at = self.given % MIB
        count = min(len(buffer), self.size_bytes - self.given, MIB - at)
        buffer[:count] = self._piece[at : at + count]
        self.given += count
        return count
