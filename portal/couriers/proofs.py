"""Files that prove something, on their way in and out: scans, and signatures."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from io import BytesIO
from typing import Any

from flask import Response
from werkzeug.datastructures import FileStorage

from portal.authority.scanning import take_in
from portal.couriers.errors import SignatureMissing
from portal.couriers.media import Proof
from portal.documents.drawings import PNG, drawn
from portal.errors import NotFound
from portal.web.byte_ranges import Span
from portal.web.files import ServedFile, send, send_text
from portal.web.unit_of_work import let_go, resources

LARGEST_SIGNATURE_BYTES = 1 << 18
LONGEST_TEXT_BYTES = 2_000


def proof_of(text: str, file: FileStorage | None) -> Proof:
    """What a form shows. A file goes to the store, with no transaction open: load again what was loaded.

    Raises NotAScan, ScanTooLarge, and the store's own errors.
    """
    scan = take_in(file)
    return Proof(text, asdict(scan) if scan else None)


def signature_of(picture: str, typed: str) -> bytes:
    """The bytes of a signature: the PNG that was drawn, or the name that was typed in its place.

    Raises SignatureMissing, SignatureEmpty, SignatureUnusable.
    """
    if picture:
        return drawn(picture)
    if not typed:
        raise SignatureMissing
    return typed.encode()


def keep_signature(content: bytes) -> dict[str, Any]:
    """Put it into the store, with no transaction open; what a receipt says of it."""
    let_go()
    received = resources().store.receive(BytesIO(content), limit_bytes=LARGEST_SIGNATURE_BYTES)
    return {
        "key": received.key,
        "sha256": received.sha256,
        "size_bytes": received.size_bytes,
        "drawn": content.startswith(PNG),
    }


def serve_proof(proof: object, at: datetime) -> Response:
    """The file of a proof to be saved. Raises NotFound where there is none."""
    file = proof.get("file") if isinstance(proof, dict) else None
    if not file:
        raise NotFound
    served = ServedFile(file["key"], file["name"], file["size_bytes"], file["sha256"], at, file["content_type"])
    let_go()
    return send(served, _ignored)


def serve_signature(signature: dict[str, Any], at: datetime) -> Response:
    """The picture, or the typed name as text."""
    if not signature["drawn"]:
        let_go()
        with resources().store.open_range(signature["key"]) as reader:
            return send_text("signature.txt", reader.read(LONGEST_TEXT_BYTES), content_type="text/plain; charset=utf-8")
    name = "signature.png"
    served = ServedFile(signature["key"], name, signature["size_bytes"], signature["sha256"], at, "image/png")
    let_go()
    return send(served, _ignored)


def _ignored(_span: Span | None) -> Callable[[Span], None]:
    return lambda _sent: None
