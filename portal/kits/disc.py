"""A kit as `.iso`: one disc that Linux and macOS read by Rock Ridge, Windows by UDF or Joliet, all with the same names.

pycdlib lays it out; it is given no bytes of any file, only places, and what it writes is taken down as a layout.
"""

import io
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import Any, BinaryIO, cast

import pycdlib
from pycdlib import dates, headervd, udf
from pycdlib import pycdlib as mastering
from pycdlib.pycdlibexception import PyCdlibException

from portal.kits.errors import KitTooLongForDisc
from portal.kits.layout import Contents, Layout, Segment, StoredFile

SECTOR_BYTES = 2048
JOLIET_BYTES, LABEL_CHARS = 64, 16
"""Joliet takes 64 characters; pycdlib counts them as bytes of UTF-8. A name that is longer stands in UDF."""
FILE_MODE, FOLDER_MODE = 0o100444, 0o040555
_ISO_TOP = "/KIT"
_WHOLE = 1 << 60
_ONE_AT_A_TIME = Lock()


def disc_layout(contents: Contents) -> Layout:
    """The disc of these contents; the same contents always give the same bytes. Raises KitTooLongForDisc."""
    with _ONE_AT_A_TIME, _clock_stopped(int(contents.dated_at.timestamp())):
        disc = pycdlib.PyCdlib()
        has_joliet = all(len(name.encode()) <= JOLIET_BYTES for name in _names(contents))
        disc.new(
            interchange_level=3,
            joliet=3 if has_joliet else None,
            rock_ridge="1.09",
            udf="2.60",
            vol_ident=_label(contents.folder),
            app_ident_str="RELEASE KIT",
        )
        taken = _TakenDown()
        try:
            _fill(disc, contents, has_joliet=has_joliet)
            disc.write_fp(cast("BinaryIO", taken), blocksize=_WHOLE)
        finally:
            disc.close()
    return taken.layout()


def _label(folder: str) -> str:
    """The disc's name, as long as Joliet takes it: the end of the folder's name, where the delivery's number stands."""
    return re.sub("[^A-Z0-9_]", "_", folder.upper())[-LABEL_CHARS:]


def _names(contents: Contents) -> list[str]:
    return [contents.folder, *(file.path.rpartition("/")[2] for file in contents.files)]


def _fill(disc: pycdlib.PyCdlib, contents: Contents, *, has_joliet: bool) -> None:
    iso_folders = {"": _ISO_TOP}
    for number, folder in enumerate(contents.folders):
        iso_folders[folder] = f"{_ISO_TOP}/D{number:07}"
    for folder, iso_path in iso_folders.items():
        real = f"/{contents.folder}/{folder}".rstrip("/")
        facts = _paths(iso_path, real, FOLDER_MODE, has_joliet=has_joliet)
        disc.add_directory(**facts)
    for number, file in enumerate(contents.files):
        iso_path = f"{iso_folders[file.path.rpartition('/')[0]]}/F{number:07}.;1"
        facts = _paths(iso_path, f"/{contents.folder}/{file.path}", FILE_MODE, has_joliet=has_joliet)
        try:
            disc.add_fp(cast("BinaryIO", _Place(file)), file.size_bytes, **facts)
        except PyCdlibException as error:
            raise KitTooLongForDisc(name=file.path) from error


def _paths(iso_path: str, real: str, mode: int, *, has_joliet: bool) -> dict[str, Any]:
    joliet = {"joliet_path": real} if has_joliet else {}
    return {"iso_path": iso_path, "rr_name": real.rpartition("/")[2], "udf_path": real, "file_mode": mode, **joliet}


@dataclass(frozen=True)
class _Span:
    """What pycdlib takes for bytes: so many of a file, from there on."""

    file: StoredFile
    start: int
    length: int

    def __len__(self) -> int:
        return self.length


class _Place(io.RawIOBase):
    """What pycdlib takes for a file."""

    def __init__(self, file: StoredFile) -> None:
        self._file, self._position = file, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size_bytes}
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1, /) -> Any:  # noqa: ANN401 - handed on by pycdlib unseen
        span = _Span(self._file, self._position, min(size, self._file.size_bytes - self._position))
        self._position += span.length
        return span


class _TakenDown(io.RawIOBase):
    """What pycdlib takes for the disc: sectors of its own bytes, and where each span of a file begins."""

    def __init__(self) -> None:
        self._sectors: dict[int, bytearray] = {}
        self._spans: list[tuple[int, _Span]] = []
        self._position = self._end = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - bytes, or a span in their place
        if isinstance(data, _Span):
            self._spans.append((self._position, data))
            self._position += data.length
        else:
            self._write_bytes(bytes(data))
        self._end = max(self._end, self._position)
        return len(data)

    def layout(self) -> Layout:
        segments: list[Segment] = []
        position = 0
        for offset, file in _whole_files(self._spans):
            segments += [self._own(position, offset), file]
            position = offset + file.size_bytes
        segments.append(self._own(position, self._end))
        return Layout(tuple(segment for segment in segments if segment != b""))

    def _write_bytes(self, data: bytes) -> None:
        done = 0
        while done < len(data):
            number, within = divmod(self._position, SECTOR_BYTES)
            piece = data[done : done + SECTOR_BYTES - within]
            self._sectors.setdefault(number, bytearray(SECTOR_BYTES))[within : within + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)

    def _own(self, start: int, end: int) -> bytes:
        first = start // SECTOR_BYTES
        numbers = range(first, -(-end // SECTOR_BYTES))
        whole = b"".join(bytes(self._sectors.get(number, bytearray(SECTOR_BYTES))) for number in numbers)
        return whole[start - first * SECTOR_BYTES : end - first * SECTOR_BYTES]


def _whole_files(spans: list[tuple[int, _Span]]) -> Iterator[tuple[int, StoredFile]]:
    """Where each file begins. One of several extents lies in one piece: each extent but the last fills its sectors."""
    begun: dict[str, tuple[int, int]] = {}
    for offset, span in sorted(spans, key=lambda one: one[0]):
        if span.length:
            at, length = begun.get(span.file.path, (offset, 0))
            assert (offset, span.start) == (at + length, length)  # noqa: S101 - or the layout would be wrong
            begun[span.file.path] = (at, length + span.length)
            if length + span.length == span.file.size_bytes:
                yield at, span.file


class _StoppedClock:
    """What pycdlib takes for the module `time`."""

    gmtime = staticmethod(time.gmtime)
    localtime = staticmethod(time.gmtime)
    strftime = staticmethod(time.strftime)
    strptime = staticmethod(time.strptime)

    def __init__(self, seconds: int) -> None:
        self._seconds = float(seconds)

    def time(self) -> float:
        return self._seconds


@contextmanager
def _clock_stopped(seconds: int) -> Iterator[None]:
    """The library asks the clock, the time zone and a die, and takes no dates; nobody else uses its modules."""
    clock = _StoppedClock(seconds)
    modules: tuple[Any, ...] = (dates, headervd, mastering, udf)
    die: Any = udf
    for module in modules:
        module.time = clock
    die.random = Random(seconds)  # noqa: S311 - an identity of the volume, no secret
    try:
        yield
    finally:
        for module in modules:
            module.time = time
