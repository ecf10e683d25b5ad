"""An archive and the vendor's keys as somebody names them on a command line, read to be checked."""

from pathlib import Path

from portal.evidence.verifying import MOST_BYTES
from portal.releases.command_errors import NotChecked
from signing import KeyRing, SigningError, read_public_key


def read_for_check(file: Path, key_files: tuple[Path, ...]) -> tuple[bytes, KeyRing]:
    """The archive's bytes, and a ring of the keys. Raises NotChecked: unreadable, archive-too-large, a key's error."""
    try:
        ring = KeyRing.of(*(read_public_key(path) for path in key_files))
        size = file.stat().st_size
        data = file.read_bytes() if size <= MOST_BYTES else b""
    except (OSError, SigningError) as error:
        raise NotChecked(getattr(error, "code", "unreadable"), str(error)) from error
    if size > MOST_BYTES:
        raise NotChecked("archive-too-large", f"{size} bytes")
    return data, ring
