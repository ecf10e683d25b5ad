import os
import shutil
import stat
import subprocess
import sys
import textwrap
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from storage import FileStore, InvalidKey, ObjectMissing, SizeMismatch, StoreFull, StoreUnavailable
from tests.storage.sources import MIB, Generated, numbered

ANY = 1 << 40
ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(files) -> FileStore:
    return files.store


def modes(root: Path) -> set[tuple[bool, str]]:
    return {(path.is_dir(), oct(stat.S_IMODE(path.stat().st_mode))) for path in root.rglob("*")}


def run_apart(script: str, *arguments: str, prefix: tuple[str, ...] = ()) -> str:
    command = [*prefix, sys.executable, "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_objects_are_for_owner_and_group_to_read_whatever_the_umask(store):
    for umask in (0o000, 0o077):
        before = os.umask(umask)
        try:
            store.receive(BytesIO(b"%d" % umask), limit_bytes=ANY)
        finally:
            os.umask(before)
    assert {mode for folder, mode in modes(store.root) if not folder} == {"0o440"}
    assert {mode for folder, mode in modes(store.root) if folder} == {"0o750"}


def test_an_object_is_a_file_of_its_own(store):
    key = store.receive(BytesIO(b"abc"), limit_bytes=ANY).key
    assert store.local_path(key).read_bytes() == b"abc"
    assert store.presigned_get(key, expires_in=timedelta(minutes=1)) is None
    with pytest.raises(ObjectMissing):
        store.local_path("nothing")


def test_a_name_cannot_be_a_folder_too(store):
    store.put("folder/object", b"1")
    with pytest.raises(InvalidKey):
        store.put("folder", b"1")
    with pytest.raises(InvalidKey):
        store.put("folder/object/deeper", b"1")


def test_bytes_are_on_the_disk_before_their_name_is(store, monkeypatch):
    steps: list[tuple[str, bool]] = []
    flush, link = os.fsync, Path.hardlink_to

    def record_flush(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append((str(path) if path.is_dir() else "file", bool(list(store.list()))))
        flush(descriptor)

    def record_link(path, target):
        steps.append(("link", bool(list(store.list()))))
        link(path, target)

    monkeypatch.setattr(os, "fsync", record_flush)
    monkeypatch.setattr(Path, "hardlink_to", record_link)
    key = store.receive(BytesIO(b"abc"), limit_bytes=ANY).key
    folders = [str(folder) for folder in (store.root / key).parents]
    upwards = [(folder, True) for folder in folders[: folders.index(str(store.root)) + 1]]
    assert steps == [(str(store.root.parent), False), ("file", False), ("link", False), *upwards]


def test_an_object_cut_on_the_disk_is_an_error_to_read_and_to_find_again(store):
    key = store.receive(BytesIO(numbered(MIB)), limit_bytes=ANY).key
    with store.open_range(key) as reader:
        os.truncate(store.local_path(key), 1000)
        with pytest.raises(SizeMismatch) as short:
            list(reader)
    assert (short.value.expected, short.value.received) == (MIB, 1000)
    with pytest.raises(SizeMismatch):
        store.receive(BytesIO(numbered(MIB)), limit_bytes=ANY)


def test_an_upload_swept_away_while_it_runs_says_so(files):
    def sweep(given):
        if given == MIB:
            shutil.rmtree(files.store.root)

    with pytest.raises(StoreUnavailable):
        files.store.receive(Generated(2 * MIB, before=sweep), limit_bytes=ANY)
    assert list(files.store.list()) == []


def test_a_size_that_the_disk_cannot_hold_is_refused_before_reading(files):
    source = Generated(1 << 60)
    with pytest.raises(StoreFull):
        files.store.receive(source, limit_bytes=1 << 60, expected_size=1 << 60)
    assert source.given == 0
    assert files.leftovers() == []


def test_a_declared_object_that_is_there_needs_no_room(files):
    kept = files.store.receive(BytesIO(numbered(MIB)), limit_bytes=ANY)
    (files.store.root / ".incoming").rmdir()
    (files.store.root / ".incoming").symlink_to("/proc")  # where nothing can be written
    again = files.store.receive(BytesIO(numbered(MIB)), limit_bytes=ANY, expected_sha256=kept.sha256)
    assert (again.key, again.created) == (kept.key, False)


FILL = """
    import os, sys
    from io import BytesIO
    from pathlib import Path
    from storage import FileStore, StoreFull
    {before}
    store = FileStore(Path(sys.argv[1]))
    kept = store.receive(BytesIO(b"kept"), limit_bytes=1 << 40)
    for content in (bytes(5 << 20), bytes(3 << 20)):
        for fill in (
            lambda: store.receive(BytesIO(content), limit_bytes=1 << 40),
            lambda: store.receive(BytesIO(content), limit_bytes=1 << 40, expected_sha256="0" * 64),
            lambda: store.put("named", content),
        ):
            try:
                fill()
            except StoreFull as error:
                assert error.code == "store-full", error.code
            else:
                raise SystemExit("it had room")
    assert [found.key for found in store.list()] == [kept.key]
    assert os.listdir(store.root / ".incoming") == []
    assert store.receive(BytesIO(b"room for a little"), limit_bytes=1 << 40).created
    print("held")
"""


def test_a_file_that_may_not_grow_is_a_full_store(tmp_path):
    before = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))"
    assert run_apart(FILL.format(before=before), str(tmp_path)) == "held"


def test_a_full_disk_leaves_nothing_and_what_was_there_stays(tmp_path):
    own_mounts = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--mount")
    if subprocess.run(
        [*own_mounts, "mount", "-t", "tmpfs", "none", tmp_path], capture_output=True, check=False
    ).returncode:
        message = "this machine lets us mount no tmpfs of 2 MB to fill"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    before = (
        "import subprocess; subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'none', sys.argv[1]], check=True)"
    )
    assert run_apart(FILL.format(before=before), str(tmp_path), prefix=own_mounts) == "held"


DENY = """
    import os, sys
    from io import BytesIO
    from pathlib import Path
    from storage import FileStore, StoreDenied
    store = FileStore(Path(sys.argv[1]))
    key = store.put("readable", b"1").key
    if os.geteuid() == 0:
        os.setegid(65534)
        os.seteuid(65534)
    else:
        store.root.chmod(0)
    for verb in (
        lambda: store.receive(BytesIO(b"2"), limit_bytes=1),
        lambda: store.receive(BytesIO(b"2"), limit_bytes=1, expected_sha256="0" * 64),
        lambda: store.stat(key),
        lambda: list(store.list()),
        lambda: store.put("other", b"2"),
        lambda: store.open_range(key),
        lambda: store.delete(key),
        store.check,
    ):
        try:
            verb()
        except StoreDenied:
            continue
        raise SystemExit("it was let in")
    print("held")
"""


def test_a_folder_of_somebody_else_is_denied(tmp_path):
    assert run_apart(DENY, str(tmp_path / "objects")) == "held"
