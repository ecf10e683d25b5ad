"""The portal as it is really served: `portal serve` in a process of its own, over a test's database and store."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.portals import Portal


@dataclass(frozen=True)
class Served:
    address: str
    process: subprocess.Popen

    def rss_bytes(self) -> int:
        """Resident memory of the process that serves (the child of the one that was started)."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return max(_resident(int(pid)) for pid in children)


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def served(portal: Portal, **settings: str) -> Iterator[Served]:
    """`settings` are PORTAL_* variables without their prefix, in lower case."""
    port, config = free_port(), portal.resources.config
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    environment |= {
        "PORTAL_DATA": str(config.data),
        "PORTAL_DATABASE": portal.resources.engine.url.render_as_string(hide_password=False),
        "PORTAL_SECRET_KEY": config.secret_key,
        "PORTAL_KEY_PASSPHRASE": config.key_passphrase,
        "PORTAL_KEYS": config.keys,
        "PORTAL_STORE": config.store,
        "PORTAL_MAIL": config.mail,
        "PORTAL_BASE_URL": f"http://127.0.0.1:{port}",
        "PORTAL_WORKER_IN_PROCESS": "no",
        **{f"PORTAL_{name.upper()}": value for name, value in settings.items()},
    }
    command = [str(Path(sys.executable).parent / "portal"), "serve", "--port", str(port)]
    log = config.data / "served.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        wait_for(port, process, log)
        yield Served(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen, log: Path, seconds: int = 30) -> None:
    for _ in range(seconds * 20):
        try:
            with urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5):
                return
        except (URLError, OSError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
    raise AssertionError(log.read_text())
