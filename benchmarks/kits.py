"""How fast a kit reaches a disk: 1 GiB against `tar` writing the same files to the same disk, both flushed.

Both read files that are in the page cache and end with the bytes on the disk. `tar` writes what it is given. The portal
writes the archive of a kit that was prepared, and hashes every byte of it as it passes: the file stays only if it has
the digest that was recorded, so that what goes to a medium is proven to be what was signed, file by file. Preparing
writes nothing and is measured apart: it signs the slip, makes the papers, and reads everything once, hashing each
file against its signed digest and the archive for the record; `tar` piped to `sha256sum` stands against it. Reading the
medium back, which a courier's kit goes through after that, is not part of either.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import UUID

from benchmarks.rows import Row, interleaved, seconds
from benchmarks.transfer import portal_in
from portal.actors import PORTAL_COMMAND
from portal.kits import service as kits
from portal.kits.models import KitFormat, KitRecord
from portal.kits.service import KitSpec
from portal.releases import service as releases
from portal.releases.models import ArtifactRole, Level
from tests import factories
from tests.deliveries.moving import blocks
from tests.portals import START, Portal

SIZES = {"image.bin": 896 << 20, "patch.bin": 96 << 20, "sbom.json": 32 << 20}
ROUNDS = int(os.environ.get("PORTAL_TEST_ROUNDS", "7"))
GIB = 1 << 30


def run() -> list[Row]:
    """Needs tar and 4 GiB of disk where temporary files are."""
    with tempfile.TemporaryDirectory(prefix="portal-kits-") as name, portal_in(Path(name)) as portal:
        release_id = published(portal, Path(name) / "files")
        rows = []
        for kit_format in KitFormat:
            record = prepared(portal, release_id, f"D-{kit_format.value}", kit_format)
            rows.append(written(portal, record, Path(name)))
        return [*rows, read_through(portal, release_id, Path(name) / "files")]


def published(portal: Portal, folder: Path) -> UUID:
    """A release of SIZES, its files in the store and, for `tar`, as files of their names."""
    folder.mkdir()
    for name, size in SIZES.items():
        with (folder / name).open("wb") as file:
            file.writelines(blocks(size))
    with portal.sessions.begin() as session:
        release = factories.make_release(session, factories.make_product(session), "4.9", level=Level.MAJOR)
        for name, size in SIZES.items():
            with (folder / name).open("rb") as file:
                received = portal.store.receive(file, limit_bytes=size)
            artifact = releases.NewArtifact(name, ArtifactRole.IMAGE, "", received)
            row = releases.add_artifact(session, release, artifact, by=PORTAL_COMMAND, at=START)
            row.read_back_at = START
        factories.make_published(portal.resources, session, release)
        return release.id


def prepared(portal: Portal, release_id: UUID, number: str, kit_format: KitFormat = KitFormat.TAR) -> KitRecord:
    spec = KitSpec(release_id, number, "A. Reader", "ALPHA", "Alpha", "usb", "S-1", format=kit_format)
    return kits.prepare(portal.resources, spec, by=PORTAL_COMMAND, at=START)


def written(portal: Portal, record: KitRecord, folder: Path) -> Row:
    out = folder / "out"

    def portal_s() -> float:
        taken = seconds(lambda: kits.write(portal.store, record, out))
        out.unlink()
        return taken

    ways = {"portal": portal_s, "tar, sync": shell('tar -C "$1" -cf "$2" . && sync "$2"', folder / "files", out)}
    for way in ways.values():
        way()  # the disk's first writes are slow, whoever makes them
    return row(f"kit of 1 GiB written as .{record.format.value}, both flushed", interleaved(ROUNDS, ways), "≥ 0.8")


def read_through(portal: Portal, release_id: UUID, files: Path) -> Row:
    numbers = count()
    ways = {
        "portal": lambda: seconds(lambda: prepared(portal, release_id, f"D-{next(numbers)}")),
        "tar to sha256sum": shell('tar -C "$1" -cf - . | sha256sum', files, files / "none"),
    }
    return row("kit of 1 GiB prepared", interleaved(ROUNDS, ways), "—")


def shell(script: str, source: Path, out: Path) -> Callable[[], float]:
    def once() -> float:
        command = ["bash", "-c", script, "bash", str(source), str(out)]
        taken = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
        out.unlink(missing_ok=True)
        return taken

    return once


def row(name: str, taken: dict[str, float], aim: str) -> Row:
    ours, theirs = taken.values()
    said = [f"{way}: {value:.2f} s, {sum(SIZES.values()) / GIB / value:.2f} GiB/s" for way, value in taken.items()]
    return Row(name, said[0], said[1], f"{theirs / ours:.2f}", aim)


if __name__ == "__main__":
    for line in run():
        print(line)
