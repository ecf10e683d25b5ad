"""An archive as a list of what follows what: some bytes of its own, then a stored object, and so on.

Headers are made once; files stay where they are. Whoever reads it, whole or a range, reads the objects then, so no
archive has to be written to be sent, and none is ever held in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a kit: its path below the top folder, and the object with its bytes."""

    path: str
    size_bytes: int
    sha256: str
    key: str


Segment = bytes | StoredFile


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive is made of: the name of its top folder, the time that everything bears, the files by path."""

    folder: str
    dated_at: datetime
    files: tuple[StoredFile, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", tuple(sorted(self.files, key=lambda file: file.path)))

    @property
    def folders(self) -> list[str]:
        """Folders below the top one."""
        return sorted({file.path.rpartition("/")[0] for file in self.files} - {""})


@dataclass(frozen=True, slots=True)
class Layout:
    segments: tuple[Segment, ...]

    @property
    def size_bytes(self) -> int:
        return sum(_length(segment) for segment in self.segments)

    def between(self, start: int, end: int) -> Iterator[tuple[Segment, int, int]]:
        """The segments that make up the bytes [start, end), each with the part of it that is meant."""
        position = 0
        for segment in self.segments:
            length = _length(segment)
            first, last = max(start - position, 0), min(end - position, length)
            if first < last:
                yield segment, first, last
            position += length


def _length(segment: Segment) -> int:
    return len(segment) if isinstance(segment, bytes) else segment.size_bytes
