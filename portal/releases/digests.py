"""The SHA-256 that a client declares for what it sends, as RFC 9530 writes it, or in plain hex."""

import base64
import binascii
import re

from werkzeug.datastructures import Headers

from portal.releases.errors import MalformedDigest

_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_MEMBER = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]*):\s*")
_SHA256_BYTES = 32
STRUCTURED = ("Repr-Digest", "Content-Digest")
PLAIN = "X-SHA256"


def declared_sha256(headers: Headers) -> str | None:
    """The digest in lower-case hex, or None if none is declared. Other algorithms are passed over (RFC 9530 §2).

    Raises MalformedDigest.
    """
    plain = headers.get(PLAIN)
    if plain is not None:
        if not _HEX.fullmatch(plain.strip()):
            raise MalformedDigest(header=PLAIN)
        return plain.strip().lower()
    for header in STRUCTURED:
        members = headers.get(header, "").split(",")
        for member in members:
            if member.strip().lower().startswith("sha-256"):
                return _decoded(header, member)
    return None


def _decoded(header: str, member: str) -> str:
    match = _MEMBER.fullmatch(member)
    try:
        digest = base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error as error:
        raise MalformedDigest(header=header) from error
    if len(digest) != _SHA256_BYTES:
        raise MalformedDigest(header=header)
    return digest.hex()
