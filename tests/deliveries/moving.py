"""Large files to and from a portal that is really served, with an eye on its memory."""

import hashlib
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from tests.servers.granian import Served

MIB = 1 << 20
PATTERN = hashlib.shake_256(b"a large file").digest(MIB - 8)


def blocks(size_bytes: int) -> Iterator[bytes]:
    """Bytes that are the same each time, and no block of which is like another."""
    for number in range(-(-size_bytes // MIB)):
        yield (number.to_bytes(8, "big") + PATTERN)[: size_bytes - number * MIB]


@dataclass
class Memory:
    before: int
    peak: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def rise_bytes(self) -> int:
        return self.peak - self.before


@contextmanager
def watched(served: Served) -> Iterator[Memory]:
    """The resident memory of the serving process, looked at twenty times a second."""
    memory = Memory(served.rss_bytes())

    def look() -> None:
        while not memory.stop.wait(0.05):
            memory.peak = max(memory.peak, served.rss_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield memory
    finally:
        memory.stop.set()
        thread.join()
        memory.peak = max(memory.peak, served.rss_bytes())


def upload(served: Served, token: str, address: str, size_bytes: int) -> str:
    """PUT so many bytes; their SHA-256."""
    connection, digest = _connection(served), hashlib.sha256()

    def body() -> Iterator[bytes]:
        for block in blocks(size_bytes):
            digest.update(block)
            yield block

    headers = {"Authorization": f"Bearer {token}", "Content-Length": str(size_bytes)}
    connection.request("PUT", quote(address), body=body(), headers=headers)
    answer = connection.getresponse()
    told = answer.read()
    assert answer.status == 201, told
    connection.close()
    return digest.hexdigest()


def download(served: Served, token: str, address: str) -> tuple[str, int]:
    """SHA-256 and number of the bytes that came."""
    connection, digest, count = _connection(served), hashlib.sha256(), 0
    connection.request("GET", quote(address), headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    while block := answer.read(MIB):
        digest.update(block)
        count += len(block)
    connection.close()
    return digest.hexdigest(), count


def _connection(served: Served) -> http.client.HTTPConnection:
    parts = urlsplit(served.address)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=300)
