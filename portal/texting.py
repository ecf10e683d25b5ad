"""How a text message leaves the portal: into a folder (the embedded default) or through a gateway by HTTPS.

Every operator's gateway speaks in its own way; ours is the least that one can ask for: a POST of `{"to": "+7916…",
"text": "…"}` as JSON with `Authorization: Bearer <secret>`, any 2xx means taken. What a provider wants otherwise is
said by a few lines in front of it (docs/production.md).
"""

import json
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import urllib3

from portal.errors import Unavailable, mark

TIMEOUT_SECONDS = 30.0
FIRST_GOOD, FIRST_BAD = 200, 300


class TextsUnavailable(Unavailable):
    code = "texts-unavailable"
    sentence = mark("The gateway for text messages does not take any now.")


class Texter(Protocol):
    def send(self, phone: str, text: str, *, identity: str) -> None:
        """Hand the message over. Raises TextsUnavailable; the same message may be sent again later."""


class FolderTexter:
    """Writes each message as a file. Nothing reaches anybody: for trying out and for tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, phone: str, text: str, *, identity: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{identity}.txt").write_text(f"To: {phone}\n\n{text}\n")


class GatewayTexter:
    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        place = parts.netloc.rpartition("@")[2]
        self.address = urlunsplit((parts.scheme, place, parts.path or "/", parts.query, ""))
        self.secret = unquote(parts.password or "")
        self.pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_SECONDS)

    def send(self, phone: str, text: str, *, identity: str) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": identity}
        if self.secret:
            headers["Authorization"] = f"Bearer {self.secret}"
        body = json.dumps({"to": phone, "text": text}).encode()
        try:
            answer = self.pool.request("POST", self.address, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise TextsUnavailable from error
        if not FIRST_GOOD <= answer.status < FIRST_BAD:
            raise TextsUnavailable


class NoTexter:
    """Where nothing is configured: a message waits in the outbox, and its job says why."""

    def send(self, phone: str, text: str, *, identity: str) -> None:  # noqa: ARG002 - the protocol's own shape
        raise TextsUnavailable


def open_texter(address: str) -> Texter:
    """The texter for `folder:///path` or `https://:secret@host/path`; nothing said: none."""
    if not address:
        return NoTexter()
    parts = urlsplit(address)
    return FolderTexter(Path(unquote(parts.path))) if parts.scheme == "folder" else GatewayTexter(address)
