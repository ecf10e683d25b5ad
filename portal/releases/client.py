"""The portal from afar: what the commands ask of its API with a token. Files leave as streams."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from portal.releases.command_errors import CommandFailed, Unreachable

BLOCK_BYTES = 1 << 20
FIRST_REFUSAL = 400
CONNECT_SECONDS, READ_SECONDS = 10, 600

Progress = Callable[[int], object]
"""Told how many bytes more have left."""


class PortalClient:
    """Raises CommandFailed with the portal's own code and sentence when it refuses, Unreachable when it is silent."""

    def __init__(self, address: str, token: str) -> None:
        if urlsplit(address).scheme not in ("http", "https"):
            raise CommandFailed("bad-address", f"{address} is not an http or https address.")
        self._base = f"{address.rstrip('/')}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, blocksize=BLOCK_BYTES)

    def get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, None, {})

    def send(self, method: str, path: str, document: object) -> dict[str, Any]:
        body = json.dumps(document, ensure_ascii=False).encode()
        return self._ask(method, path, body, {"Content-Type": "application/json"})

    def put_file(self, path: str, file: "LocalFile", progress: Progress) -> dict[str, Any]:
        headers = {"Content-Length": str(file.size_bytes), "X-SHA256": file.sha256,
                   "Content-Type": "application/octet-stream"}  # fmt: skip
        with file.path.open("rb") as opened:
            return self._ask("PUT", path, cast("IO[bytes]", _Told(opened, progress)), headers)

    def _ask(self, method: str, path: str, body: bytes | IO[bytes] | None, headers: dict[str, str]) -> dict[str, Any]:
        try:
            answer = self._pool.request(method, self._base + path, body=body, headers={**self._headers, **headers})
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable("unreachable", f"The portal does not answer: {error}") from error
        document = _document(answer.data)
        if answer.status >= FIRST_REFUSAL:
            code = str(document.get("code") or f"http-{answer.status}")
            raise CommandFailed(code, str(document.get("detail") or f"The portal answered {answer.status}."))
        return document


class LocalFile:
    """A file to be sent, read once for its digest before it is read again on its way."""

    def __init__(self, path: Path) -> None:
        self.path, self.size_bytes = path, path.stat().st_size
        with path.open("rb") as opened:
            self.sha256 = hashlib.file_digest(opened, "sha256").hexdigest()


class _Told:
    def __init__(self, opened: IO[bytes], progress: Progress) -> None:
        self._opened, self._progress = opened, progress

    def read(self, size: int = -1) -> bytes:
        block = self._opened.read(size)
        self._progress(len(block))
        return block


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def artifact_path(release_id: str, name: str, *, role: str, platform: str) -> str:
    query = urlencode({"role": role, "platform": platform})
    return f"/releases/{release_id}/artifacts/{quote(name, safe='')}?{query}"
