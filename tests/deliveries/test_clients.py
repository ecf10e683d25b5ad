"""Real clients against the portal as it is really served: resuming, four ranges at once, a slow crowd, nginx before."""

import hashlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from portal.deliveries.chain import first_bad
from portal.deliveries.states import DeliveryState
from tests.deliveries.conftest import build
from tests.servers.cutting_proxy import cutting_proxy
from tests.servers.granian import served

SIZE = 12 * 1024 * 1024 + 12345
CONTENT = hashlib.shake_256(b"firmware").digest(SIZE)
CUT_AT = 5 * 1024 * 1024
README = Path(__file__).parents[2] / "README.md"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""What has nothing to do with the database is tried on one."""


def needs(program):
    """Skips aloud where the client is missing; under CI=true that is a failure."""
    if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{program} is not installed: under CI=true it has to be tried")
    pytest.skip(f"{program} is not installed: it was NOT tried")


@pytest.fixture
def world(portal):
    portal.clock.at = datetime.now(UTC)
    return build(portal, CONTENT)


@pytest.fixture
def server(world):
    with served(world.portal) as running:
        yield running


def run(*command, expect=0, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, check=False, **options
    )
    assert done.returncode == expect or expect is None, f"{command[0]}: {done.returncode}\n{done.stderr}\n{done.stdout}"
    return done


def header(world):
    return f"Authorization: Bearer {world.tokens['alpha']}"


@contextmanager
def standing_still(world, server):
    """A client that has begun to download and takes no more than the smallest buffer."""
    where = urlsplit(server.address)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(30)
        client.connect((where.hostname, where.port))
        client.sendall(f"GET {quote(world.address)} HTTP/1.1\r\nHost: x\r\n{header(world)}\r\n\r\n".encode())
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        yield client


def settled(world, state=DeliveryState.DELIVERED):
    """The one delivery, once the server has written what it sent."""
    for _ in range(600):
        [delivery] = world.deliveries()
        if delivery.state is state:
            return delivery
        time.sleep(0.05)
    raise AssertionError(f"{delivery.state}, {world.items()[0].sent}")


def test_curl_resumes_what_was_broken_off(world, server, tmp_path):
    needs("curl")
    path = tmp_path / "got"
    with cutting_proxy(server.address, after_bytes=CUT_AT, downwards=True, cuts=1) as proxy:
        address = proxy.endpoint + quote(world.address)
        run("curl", "-sS", "-f", "-H", header(world), "-o", path, address, expect=18)
        assert 0 < path.stat().st_size < SIZE
        assert world.deliveries()[0].state is DeliveryState.DISPATCHED
        run("curl", "-sS", "-f", "-H", header(world), "-C", "-", "-o", path, address)
    assert path.read_bytes() == CONTENT
    settled(world)
    assert first_bad(world.events()) is None
    assert world.items()[0].sent["ranges"] == [[0, SIZE]]


@on_sqlite
def test_what_the_readme_says_to_curl_goes_on_with_a_broken_download(world, server, tmp_path):
    needs("curl")
    [said] = [line for line in README.read_text().splitlines() if line.startswith("curl") and "/downloads/" in line]
    words = shlex.split(said)
    address = server.address + quote(world.address)
    words = [header(world) if word.startswith("Authorization") else word for word in words[:-1]]
    path = tmp_path / address.rpartition("/")[2]  # which is a name where it is ASCII; else the README says what to do
    path.write_bytes(CONTENT[:CUT_AT])
    run(*words, "-sS", "-f", address, cwd=tmp_path)
    assert path.read_bytes() == CONTENT


@on_sqlite
def test_curl_finds_that_nothing_is_missing(world, server, tmp_path):
    needs("curl")
    path = tmp_path / "got"
    path.write_bytes(CONTENT)
    run("curl", "-sS", "-H", header(world), "-C", "-", "-o", path, server.address + quote(world.address), expect=None)
    assert path.read_bytes() == CONTENT


@on_sqlite
def test_wget_resumes_what_was_broken_off(world, server, tmp_path):
    needs("wget")
    path = tmp_path / "got"
    with cutting_proxy(server.address, after_bytes=CUT_AT, downwards=True, cuts=2) as proxy:
        address = proxy.endpoint + quote(world.address)
        first = run("wget", "-q", "-t", "1", "--header", header(world), "-O", path, address, expect=None)
        assert first.returncode != 0
        assert 0 < path.stat().st_size < SIZE
        run("wget", "-q", "-c", "-t", "5", "--waitretry", "0", "--header", header(world), "-O", path, address)
    assert path.read_bytes() == CONTENT
    settled(world)


def test_aria2_fetches_four_ranges_at_once_and_resumes(world, server, tmp_path):
    needs("aria2c")
    options = ("-x4", "-s4", "-k", "1M", "-d", tmp_path, "-o", "got", "--header", header(world), "--no-conf",
               "--console-log-level=error", "--summary-interval=0", "--file-allocation=none")  # fmt: skip
    with cutting_proxy(server.address, after_bytes=1024 * 1024, downwards=True, cuts=4) as proxy:
        address = proxy.endpoint + quote(world.address)
        run("aria2c", *options, "-m", "1", address, expect=None)
        run("aria2c", *options, "-c", "-m", "20", "--retry-wait=0", address)
    assert (tmp_path / "got").read_bytes() == CONTENT
    settled(world)
    assert world.items()[0].sent["requests"] >= 4
    assert len(world.events()) <= 4


@on_sqlite
def test_a_client_that_hangs_up_leaves_the_ledger_with_what_was_sent(world, server):
    """What the kernel's buffers hold counts as sent: the portal can't know better, and says "left the portal"."""
    with standing_still(world, server) as client:
        got = 0
        while got < 1024 * 1024:
            got += len(client.recv(65536))
    for _ in range(600):
        if world.items()[0].sent["ranges"]:
            break
        time.sleep(0.1)
    [(start, end)] = world.items()[0].sent["ranges"]
    assert start == 0
    assert 1024 * 1024 - 4096 <= end < SIZE
    assert world.deliveries()[0].state is DeliveryState.DISPATCHED


@on_sqlite
def test_a_release_withdrawn_meanwhile_does_not_resume(world, server, tmp_path):
    needs("curl")
    path = tmp_path / "got"
    with cutting_proxy(server.address, after_bytes=CUT_AT, downwards=True, cuts=1) as proxy:
        address = proxy.endpoint + quote(world.address)
        run("curl", "-sS", "-f", "-H", header(world), "-o", path, address, expect=18)
        world.withdraw()
        before = path.read_bytes()
        run("curl", "-sS", "-f", "-H", header(world), "-C", "-", "-o", path, address, expect=22)
        assert path.read_bytes() == before
        told = run("curl", "-sS", "-H", header(world), "-r", "100-", address).stdout
    assert '"code":"withdrawn"' in told.replace(" ", "").replace("\n", "")


@on_sqlite
def test_a_crowd_of_slow_clients_does_not_starve_the_pages(world):
    """As many downloads as are allowed stand still; pages answer all the same, and one more is asked to wait."""
    crowd = 40
    with served(world.portal, max_downloads=str(crowd)) as server, ExitStack() as stack:
        for _ in range(crowd):
            stack.enter_context(standing_still(world, server))
        times = []
        for _ in range(10):
            began = time.monotonic()
            run("curl", "-sS", "-f", "-o", "/dev/null", f"{server.address}/sign-in")
            times.append(time.monotonic() - began)
        assert sorted(times)[5] < 2
        address = server.address + quote(world.address)
        refused = run("curl", "-sS", "-i", "-H", header(world), address, errors="replace").stdout
        assert refused.startswith("HTTP/1.1 503")
        assert "too-many-downloads" in refused
        assert "retry-after: 20" in refused.lower()


@on_sqlite
def test_an_interrupt_ends_the_server_cleanly_even_during_a_download(world):
    with served(world.portal) as server, standing_still(world, server):
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0


@on_sqlite
def test_nginx_sends_what_the_portal_allows(world, tmp_path):
    needs("nginx")
    needs("curl")
    with served(world.portal, downloads="accel") as server, nginx(server.address, world.portal, tmp_path) as address:
        path = tmp_path / "got"
        run("curl", "-sS", "-f", "-H", header(world), "-r", "0-999999", "-o", path, address + quote(world.address))
        assert path.stat().st_size == 1_000_000
        run("curl", "-sS", "-f", "-H", header(world), "-C", "-", "-o", path, address + quote(world.address))
        assert path.read_bytes() == CONTENT
        run("curl", "-sS", "-f", "-o", path, f"{address}/_objects/{next(world.portal.store.list()).key}", expect=22)
        head = run("curl", "-sS", "-f", "-I", "-H", header(world), address + quote(world.address)).stdout
    assert f"content-length: {SIZE}" in head.lower()
    assert "filename*=utf-8''" in head.lower()
    [delivery] = world.deliveries()
    assert delivery.state is DeliveryState.DISPATCHED
    assert world.items()[0].is_unseen


class nginx:  # noqa: N801 - used as a function is
    def __init__(self, upstream, portal, folder, *, is_public=False):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "nginx").mkdir()
        self.config = folder / "nginx" / "nginx.conf"
        plain = f"location /plain/ {{ alias {portal.store.root}/; sendfile on; }}" if is_public else ""
        self.config.write_text(f"""
worker_processes auto; daemon off; pid {folder}/nginx/pid; error_log {folder}/nginx/error.log; user root;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/nginx/body; proxy_temp_path {folder}/nginx/proxy;
  fastcgi_temp_path {folder}/nginx/f; uwsgi_temp_path {folder}/nginx/u; scgi_temp_path {folder}/nginx/s;
  server {{
    listen 127.0.0.1:{self.port};
    location / {{ proxy_pass {upstream}; proxy_set_header Host $host; }}
    location /_objects/ {{ internal; alias {portal.store.root}/; }}
    {plain}
  }}
}}
""")

    def __enter__(self):
        self.process = subprocess.Popen([NGINX, "-c", self.config, "-p", self.config.parent])
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        return f"http://127.0.0.1:{self.port}"

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait(10)


def test_connections_at_once_join_one_delivery(world, server):
    """Sixteen connections ask for their piece at the same moment."""
    needs("curl")
    piece = SIZE // 16 + 1
    barrier = threading.Barrier(16)
    got = {}

    def fetch(number):
        barrier.wait()
        first, last = number * piece, min((number + 1) * piece, SIZE) - 1
        address = server.address + quote(world.address)
        command = ["curl", "-sS", "-f", "-H", header(world), "-r", f"{first}-{last}", address]
        got[number] = subprocess.run(command, capture_output=True, timeout=60, check=False).stdout

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"".join(got[number] for number in range(16)) == CONTENT
    settled(world)
    assert world.items()[0].sent == world.items()[0].sent | {"requests": 16, "ranges": [[0, SIZE]]}
    assert world.kinds() == ["granted", "transferred"]
