"""The disc image, read by pycdlib in each of its three tongues, and by libarchive where cmake is there to lend it."""

import hashlib
import shutil
import subprocess
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pycdlib
import pytest

from portal.kits import service as kits
from portal.kits.disc import disc_layout
from portal.kits.errors import KitTooLongForDisc
from portal.kits.layout import Contents, Layout, StoredFile
from portal.kits.models import KitFormat
from signing import KeyRing, PublicKey, verify_folder
from tests.kits.conftest import FILES, Workshop
from tests.portals import START

GIB = 1 << 30


def contents(files: dict[str, int], folder: str = "router-4.9-D-1") -> Contents:
    stored = tuple(
        StoredFile(name, size, hashlib.sha256(name.encode()).hexdigest(), name) for name, size in files.items()
    )
    return Contents(folder, START, stored)


@pytest.fixture(scope="module")
def image(shared: Workshop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    record = shared.prepared(delivery_number="D-disc", medium_kind="disc", format=KitFormat.ISO)
    path = tmp_path_factory.mktemp("disc") / record.file_name
    kits.write(shared.portal.store, record, path)
    return path, record.folder


@pytest.mark.parametrize("tongue", ["rr_path", "udf_path"])
def test_every_file_is_read_under_its_own_name(image: tuple[Path, str], tongue: str):
    path, folder = image
    disc = pycdlib.PyCdlib()
    disc.open(str(path))
    for name, data in FILES.items():
        out = BytesIO()
        disc.get_file_from_iso_fp(out, **{tongue: f"/{folder}/{name}"})
        assert out.getvalue() == data, name
    disc.close()


def test_windows_reads_short_names_by_joliet_too(shared: Workshop, tmp_path: Path):
    files = contents({"образ.bin": 5, "keys/a.pub.pem": 3000, "empty": 0})
    layout = disc_layout(files)
    path = tmp_path / "disc.iso"
    with path.open("wb") as out:
        for segment in layout.segments:
            out.write(segment if isinstance(segment, bytes) else b"x" * segment.size_bytes)
    disc = pycdlib.PyCdlib()
    disc.open(str(path))
    for file in files.files:
        found = disc.get_record(joliet_path=f"/{files.folder}/{file.path}")
        assert found.get_data_length() == file.size_bytes
    disc.close()


def test_libarchive_unpacks_it_and_the_kit_verifies(shared: Workshop, image: tuple[Path, str], tmp_path: Path):
    cmake = shutil.which("cmake")
    if cmake is None:
        print("cmake is not here to lend libarchive: not tried")
        pytest.skip("no cmake")
    path, folder = image
    subprocess.run([cmake, "-E", "tar", "xf", str(path)], cwd=tmp_path, check=True, env={"LC_ALL": "C.UTF-8"})
    ring = KeyRing.of(PublicKey.from_pem(shared.key()))
    assert verify_folder(tmp_path / folder, ring, customer="ALPHA").exit_code == 0
    assert {entry.stat().st_mtime for entry in (tmp_path / folder).iterdir()} == {START.timestamp()}


def test_the_same_contents_give_the_same_disc_at_any_time_of_day(monkeypatch: pytest.MonkeyPatch):
    files = contents({"a": 100, "б": 5000, "keys/k": 1})
    first = disc_layout(files)
    monkeypatch.setenv("TZ", "Asia/Vladivostok")
    assert disc_layout(files) == first
    later = Contents(files.folder, START + timedelta(days=1), files.files)
    assert disc_layout(later) != first


def test_files_of_many_gigabytes_have_their_place(tmp_path: Path):
    files = contents({"huge.bin": 9 * GIB + 1, "large.bin": 4 * GIB, "small.txt": 10, "keys/k": 3})
    layout = disc_layout(files)
    path = tmp_path / "huge.iso"
    offsets = sparse(layout, path)
    disc = pycdlib.PyCdlib()
    disc.open(str(path))
    for file in files.files:
        assert disc.get_record(udf_path=f"/{files.folder}/{file.path}").get_data_length() == file.size_bytes
    out = BytesIO()
    disc.get_file_from_iso_fp(out, udf_path=f"/{files.folder}/small.txt")
    assert out.getvalue() == b"small.txt"[:10].ljust(10, b"\0")
    disc.close()
    assert len(offsets) == 4
    assert all(offset % 2048 == 0 for offset in offsets)
    own = sum(len(segment) for segment in layout.segments if isinstance(segment, bytes))
    assert own < 1 << 20


def sparse(layout: Layout, path: Path) -> list[int]:
    """The image on a disk that has no room for it: of each file only its name is written, at its beginning."""
    offsets = []
    with path.open("wb") as out:
        position = 0
        for segment in layout.segments:
            out.seek(position)
            if isinstance(segment, bytes):
                out.write(segment)
                position += len(segment)
            else:
                offsets.append(position)
                out.write(segment.path.encode()[: segment.size_bytes])
                position += segment.size_bytes
        out.truncate(position)
    return offsets


@pytest.mark.parametrize(("length", "has_joliet"), [(32, True), (33, False), (64, False), (120, False)])
def test_long_names_are_kept_as_long_as_a_disc_can(tmp_path: Path, length: int, has_joliet: bool):
    name = "й" * length
    sparse(disc_layout(contents({name: 1})), tmp_path / "disc.iso")
    disc = pycdlib.PyCdlib()
    disc.open(str(tmp_path / "disc.iso"))
    assert disc.get_record(udf_path=f"/router-4.9-D-1/{name}").get_data_length() == 1
    assert disc.get_record(rr_path=f"/router-4.9-D-1/{name}").get_data_length() == 1
    assert disc.has_joliet() is has_joliet
    disc.close()


def test_a_name_that_no_disc_can_hold_is_refused_by_name():
    name = "й" * 127 + "x"
    with pytest.raises(KitTooLongForDisc) as refused:
        disc_layout(contents({name: 1}))
    assert refused.value.facts["name"] == name
