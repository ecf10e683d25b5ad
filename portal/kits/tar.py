"""A kit as `.tar`: POSIX.1-2001 (pax), so that names of every script and files of every size find room.

Everything that could differ between two buildings is fixed: order, times, owners, modes.
"""

import tarfile
from datetime import datetime

from portal.kits.layout import Contents, Layout, Segment
from signing import VERIFIER

FILE_MODE, PROGRAM_MODE, FOLDER_MODE = 0o644, 0o755, 0o755


def tar_layout(contents: Contents) -> Layout:
    """The archive of these contents; the same contents always give the same bytes."""
    segments: list[Segment] = []
    headers = b"".join(
        _header(name, contents.dated_at, tarfile.DIRTYPE, FOLDER_MODE)
        for name in [contents.folder, *(f"{contents.folder}/{folder}" for folder in contents.folders)]
    )
    for file in contents.files:
        mode = PROGRAM_MODE if file.path == VERIFIER else FILE_MODE
        headers += _header(f"{contents.folder}/{file.path}", contents.dated_at, tarfile.REGTYPE, mode, file.size_bytes)
        segments += [headers, file] if file.size_bytes else [headers]
        headers = bytes(-file.size_bytes % tarfile.BLOCKSIZE)
    headers += bytes(2 * tarfile.BLOCKSIZE)
    total = Layout((*segments, headers)).size_bytes
    return Layout((*segments, headers + bytes(-total % tarfile.RECORDSIZE)))


def _header(name: str, at: datetime, kind: bytes, mode: int, size_bytes: int = 0) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.mtime = kind, mode, size_bytes, int(at.timestamp())
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
