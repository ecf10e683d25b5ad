"""Nothing ever holds a whole object."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGE_MIB = 256
ALLOWED_MIB = 64

# The peak is asked of /proc, for getrusage also counts what the parent held when it started this process.
RECEIVE_AND_READ = textwrap.dedent(
    """
    import re, sys
    from io import BytesIO
    from pathlib import Path
    from storage import open_store
    from tests.storage.sources import Generated

    def peak_mib():
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

    address, access_key, secret_key, digest, size_mib = sys.argv[1:]
    store = open_store(address, access_key=access_key or None, secret_key=secret_key or None)
    store.receive(BytesIO(b"warm"), limit_bytes=4)
    source = Generated(int(size_mib) << 20)
    before = peak_mib()
    received = store.receive(source, limit_bytes=1 << 40, expected_sha256=digest or None)
    with store.open_range(received.key) as reader:
        assert sum(map(len, reader)) == int(size_mib) << 20
    print(received.sha256, peak_mib() - before)
    """
)


def receive_and_read(backend, digest: str) -> tuple[str, float]:
    if backend.settings:
        place = backend.settings
        address = f"s3://{place.bucket}/{place.prefix}?endpoint={place.endpoint}"
        arguments = [address, place.access_key, place.secret_key]
    else:
        arguments = [f"file://{backend.store.root}", "", ""]
    command = [sys.executable, "-c", RECEIVE_AND_READ, *arguments, digest, str(LARGE_MIB)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found, grown = done.stdout.split()
    return found, float(grown)


def test_memory_does_not_grow_with_the_object(backend):
    digest, grown = receive_and_read(backend, "")
    assert grown < ALLOWED_MIB
    for found in backend.store.list("sha256/"):
        backend.store.delete(found.key)
    _, grown = receive_and_read(backend, digest)
    assert grown < ALLOWED_MIB


def test_the_measure_itself_sees_a_whole_object():
    script = RECEIVE_AND_READ.partition("address,")[0] + (
        "before = peak_mib(); whole = bytearray(b'x') * (int(sys.argv[1]) << 20); print(peak_mib() - before)"
    )
    command = [sys.executable, "-c", script, str(LARGE_MIB)]
    assert float(subprocess.check_output(command, cwd=ROOT)) > ALLOWED_MIB


@pytest.fixture(autouse=True)
def _room(tmp_path):
    """The folder of a test with a quarter GiB in it is not kept for the next three runs."""
    yield
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
