"""How fast bytes leave and arrive: 1 GiB down against nginx with sendfile, 1 GiB up against `tee` and `openssl`.

The portal is served as it really is (`portal serve`, one process); entitlement and ledger are part of each request.
The file is in the page cache in both cases. Uploads are written, hashed and flushed to the disk; `tee` flushes
nothing. So like is held against like twice: both flushed, and neither, with a second server whose flushes do nothing.
Two more rows show where the rest goes: a bare socket that hashes what the same curl sends and keeps nothing, and a
flushed copy with neither network nor hash (docs/decisions.md, 16).
"""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.rows import Row, interleaved, seconds
from portal import migrations
from portal.db import connect
from portal.releases import queries as releases
from tests.deliveries.moving import blocks, upload
from tests.deliveries.test_clients import nginx
from tests.deliveries.test_memory import forget, prepared, publish
from tests.portals import Portal, open_test_portal
from tests.servers.granian import Served, served

SIZE = 1 << 30
ROUNDS = int(os.environ.get("PORTAL_TEST_ROUNDS", "7"))
MANY = 8
GIB = 1 << 30


def run() -> list[Row]:
    """Needs curl, nginx, openssl and 5 GiB of disk."""
    with tempfile.TemporaryDirectory(prefix="portal-transfer-") as folder, ExitStack() as stack:
        portal = stack.enter_context(portal_in(Path(folder)))
        world, release_id = prepared(portal)
        server = stack.enter_context(served(portal))
        source = Path(folder) / "source.bin"
        with source.open("wb") as file:
            file.writelines(blocks(SIZE))
        with unflushed():
            careless = stack.enter_context(served(portal))
        servers = {"portal": server, "portal, unflushed": careless}
        rows = uploads(portal, servers, world.tokens["publisher"], release_id, source)
        upload(server, world.tokens["publisher"], f"/api/v1/releases/{release_id}/artifacts/large.bin", SIZE)
        artifact = publish(portal, release_id)
        address = f"{server.address}/downloads/{artifact.id}/large.bin"
        (Path(folder) / "front").mkdir()
        plain = stack.enter_context(nginx(server.address, portal, Path(folder) / "front", is_public=True))
        header = f"Authorization: Bearer {world.tokens['alpha']}"
        return rows + downloads(address, header, f"{plain}/plain/{artifact.key}")


@contextmanager
def portal_in(folder: Path) -> Iterator[Portal]:
    """A portal on SQLite and files."""
    engine = connect(f"sqlite:///{folder}/portal.sqlite")
    migrations.upgrade(engine)
    yield open_test_portal(engine, folder / "portal")
    engine.dispose()


@contextmanager
def unflushed() -> Iterator[None]:
    """Processes started meanwhile flush nothing."""
    os.environ["PYTHONPATH"] = str(Path(__file__).with_name("unflushed"))
    yield
    del os.environ["PYTHONPATH"]


def downloads(address: str, header: str, plain: str) -> list[Row]:
    rows = []
    for clients in (1, MANY):
        taken = interleaved(
            ROUNDS,
            {
                "portal": lambda clients=clients: fetch(address, header, clients),
                "nginx": lambda clients=clients: fetch(plain, header, clients),
            },
        )
        rows.append(row(f"download of 1 GiB, {clients} at once", taken, "portal", "nginx", clients, "≥ 0.95"))
    return rows


def fetch(address: str, header: str, clients: int) -> float:
    command = ["curl", "-sS", "-f", "-H", header, "-o", "/dev/null", address]

    def together() -> None:
        running = [subprocess.Popen(command) for _ in range(clients)]
        assert [process.wait() for process in running] == [0] * clients

    return seconds(together)


def uploads(portal: Portal, servers: dict[str, Served], token: str, release_id: object, source: Path) -> list[Row]:
    out = source.with_name("out.bin")

    def put(server: Served) -> float:
        address = f"{server.address}/api/v1/releases/{release_id}/artifacts/large.bin"
        bearer = f"Authorization: Bearer {token}"
        command = ["curl", "-sS", "-f", "-H", bearer, "-T", str(source), "-o", "/dev/null", address]
        taken = seconds(lambda: subprocess.run(command, check=True))
        with portal.sessions() as session:
            [artifact] = releases.artifacts_ever(session, release_id)
        forget(portal, release_id)
        portal.store.delete(artifact.key)
        return taken

    def shell(script: str) -> Callable[[], float]:
        def once() -> float:
            command = ["bash", "-c", script, "bash", str(source), str(out)]
            taken = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
            out.unlink()
            return taken

        return once

    shell('cp "$1" "$2"')()  # the disk's first writes are slow, whoever makes them
    taken = interleaved(
        ROUNDS,
        {
            **{name: lambda server=server: put(server) for name, server in servers.items()},
            "socket, nothing kept": lambda: seconds(lambda: swallow(source)),
            "tee, openssl": shell('tee "$2" < "$1" | openssl dgst -sha256'),
            "tee, openssl, sync": shell('tee "$2" < "$1" | openssl dgst -sha256; sync "$2"'),
            "cp, sha256sum": shell('cp "$1" "$2"; sha256sum "$2"'),
            "dd, flushed": shell('dd if="$1" of="$2" bs=1M conv=fsync status=none'),
        },
    )
    return upload_rows(taken)


def upload_rows(taken: dict[str, float]) -> list[Row]:
    return [
        row("upload of 1 GiB, both flushed", taken, "portal", "tee, openssl, sync", 1, "≥ 0.9"),
        row("upload of 1 GiB, neither flushed", taken, "portal, unflushed", "tee, openssl", 1, "≥ 0.9"),
        row("upload of 1 GiB, flushed against unflushed", taken, "portal", "tee, openssl", 1, "—"),
        row("hashed from a socket, nothing kept", taken, "socket, nothing kept", "tee, openssl", 1, "—"),
        row("copied and flushed, no network, no hash", taken, "dd, flushed", "tee, openssl", 1, "—"),
        row("upload of 1 GiB", taken, "portal", "cp, sha256sum", 1, "—"),
    ]


def swallow(source: Path) -> None:
    """What curl sends, received in large blocks and hashed in a thread beside; the least that any server does."""
    digest, room = hashlib.sha256(), [memoryview(bytearray(1 << 20)) for _ in range(4)]
    hashed: list[Future[None]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as hasher:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        command = ["curl", "-sS", "-H", "Expect:", "-T", str(source), "-o", "/dev/null", address]
        client = subprocess.Popen(command)
        connection, _ = listener.accept()
        with connection:
            for number in range(source.stat().st_size // len(room[0])):
                if number >= len(room):
                    hashed[number - len(room)].result()
                block = room[number % len(room)]
                assert connection.recv_into(block, len(block), socket.MSG_WAITALL) == len(block)
                hashed.append(hasher.submit(digest.update, block))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            assert client.wait() == 0


def row(name: str, taken: dict[str, float], ours: str, theirs: str, clients: int, aim: str) -> Row:
    def said(way: str) -> str:
        return f"{way}: {taken[way]:.2f} s, {clients * SIZE / GIB / taken[way]:.2f} GiB/s"

    return Row(name, said(ours), said(theirs), f"{taken[theirs] / taken[ours]:.2f}", aim)


if __name__ == "__main__":
    assert shutil.which("curl")
    for line in run():
        print(line)
