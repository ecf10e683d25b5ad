"""A kit's bytes to a medium and back: written, pushed to the device, read from it again, compared."""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.couriers.errors import MediumNotEmpty, MediumTooSmall, MediumUnwritable, PathNotEmpty
from portal.kits import service as kits
from portal.kits.layout import StoredFile
from portal.kits.models import KitFormat, KitRecord
from storage import ObjectStore

Progress = Callable[[str, int], None]
"""Told what is done (`write`, `read`) and how many more bytes of it."""
WRITE, READ = "write", "read"
BLOCK_BYTES = 1 << 20
LOOK_EVERY_SECONDS = 0.25
PARTIAL = ".part"
SUM = ".sha256"
OF_SYSTEMS = frozenset(
    ("lost+found", "System Volume Information", "$RECYCLE.BIN", ".Trashes", ".fseventsd", ".Spotlight-V100")
)
"""Folders that an operating system makes by itself on whatever is plugged in."""
MOST_NAMES = 5


@dataclass(frozen=True)
class Place:
    """Where a kit goes: into a folder, usually where the medium is mounted.

    `is_extracted`: as files in a folder of the kit's name instead of as one archive. `burnt`: what to read back instead
    of the file that was written, for an image that is burnt on a disc (`/dev/sr0`).
    """

    folder: Path
    is_extracted: bool = False
    burnt: Path | None = None

    def target(self, record: KitRecord) -> Path:
        return self.folder / (record.folder if self.is_extracted else record.file_name)


def require_room(place: Place, record: KitRecord, capacity_bytes: int) -> None:
    """Before anything is written. Raises MediumTooSmall, MediumUnwritable, MediumNotEmpty, PathNotEmpty."""
    with _told(place.folder):
        target = place.target(record)
        _require_nothing_else(place, record)
        if target.exists() and not _is_left_over(target, record):
            raise PathNotEmpty(path=target)
        there = target.stat().st_size if target.is_file() else 0
        free = shutil.disk_usage(place.folder).free + there
    room = min(free, capacity_bytes) if place.burnt is None else capacity_bytes
    needs = record.size_bytes
    if needs > room:
        raise MediumTooSmall(needs=needs, room=room)


def _require_nothing_else(place: Place, record: KitRecord) -> None:
    """Nobody vouches for another file on the medium, and the kit of another customer must not travel with this one.

    An image lies in a folder of the clerk's own until it is burnt: what is beside it there travels nowhere.
    """
    if record.format is KitFormat.ISO and not place.is_extracted:
        return
    target = place.target(record)
    own = {target.name, target.name + PARTIAL, target.name + SUM}
    others = sorted({path.name for path in place.folder.iterdir()} - own - OF_SYSTEMS)
    if others:
        more = ["…"] if len(others) > MOST_NAMES else []
        raise MediumNotEmpty(names=", ".join([*map(ascii, others[:MOST_NAMES]), *more]))


def write(store: ObjectStore, record: KitRecord, place: Place, progress: Progress) -> None:
    """Write the kit and push it to the device. What was broken off does not bear the kit's name.

    Raises MediumUnwritable, KitDamaged, KitDiffers.
    """
    target = place.target(record)
    if _is_left_over(target, record):
        return  # written whole by an earlier attempt whose end was not noted; reading back will tell
    partial = target.with_name(target.name + PARTIAL)
    with _told(target):
        _remove(partial)
        if place.is_extracted:
            kits.write_folder(store, record, partial)
            progress(WRITE, record.size_bytes)
        else:
            with _watched(partial, progress):
                kits.write(store, record, partial)
        partial.rename(target)
        if not place.is_extracted:
            sums = target.with_name(target.name + SUM)
            _remove(sums)  # a link that a customer's own medium brought along would lead out of it
            sums.write_text(f"{record.sha256}  {target.name}\n", encoding="utf-8")
        os.sync()


def read_back(record: KitRecord, place: Place, progress: Progress) -> str:
    """The SHA-256 (hex) of the kit as the medium itself gives it, not the memory of this machine.

    Of an extracted kit: of the archive that its files make. Raises MediumUnwritable.
    """
    target = place.burnt or place.target(record)
    with _told(target):
        if place.is_extracted:
            return _digest_of_files(record, target, progress)
        digest = hashlib.sha256()
        for block in _blocks(target, record.size_bytes if place.burnt else None):
            digest.update(block)
            progress(READ, len(block))
        return digest.hexdigest()


def _digest_of_files(record: KitRecord, folder: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    for segment in kits.layout(record).segments:
        blocks = _blocks(folder / segment.path) if isinstance(segment, StoredFile) else iter([segment])
        for block in blocks:
            digest.update(block)
            progress(READ, len(block))
    return digest.hexdigest()


def _blocks(path: Path, limit_bytes: int | None = None) -> Iterator[bytes]:
    left = limit_bytes
    with path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while left is None or left > 0:
            block = file.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left))
            if not block:
                return
            left = None if left is None else left - len(block)
            yield block


def _is_left_over(target: Path, record: KitRecord) -> bool:
    """A link that a customer's own medium brought along is none: another file would be read back for the kit."""
    return not target.is_symlink() and target.is_file() and target.stat().st_size == record.size_bytes


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _watched(path: Path, progress: Progress) -> Iterator[None]:
    """Tell how the file grows while it is written."""
    done = threading.Event()

    def look() -> None:
        seen = 0
        while True:
            is_done = done.wait(LOOK_EVERY_SECONDS)
            size = path.stat().st_size if path.exists() else seen
            progress(WRITE, size - seen)
            seen = size
            if is_done:
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MediumUnwritable(path=error.filename or path, reason=error.strerror or str(error)) from error


def hardware_serial(folder: Path) -> str | None:
    """The serial number of the device that is mounted there, where Linux knows it (udev), or None."""
    try:
        device = folder.stat().st_dev
        facts = Path(f"/run/udev/data/b{os.major(device)}:{os.minor(device)}").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    known = dict(line[2:].split("=", 1) for line in facts.splitlines() if line.startswith("E:") and "=" in line)
    return known.get("ID_SERIAL_SHORT")
