"""DSSE v1: a signature over the payload together with what the payload is."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from securesystemslib.dsse import Envelope

from signing.errors import MalformedManifest, UnknownKey
from signing.keyring import KeyRecord, KeyRing
from signing.keys import Signer
from signing.manifest import ReleaseManifest, parse_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MOST_BYTES = 16 * 1024 * 1024
_WHAT = "the release manifest"


@dataclass(frozen=True)
class VerifiedManifest:
    """A manifest together with the key that vouches for it."""

    manifest: ReleaseManifest
    key: KeyRecord


def sign_manifest(manifest: ReleaseManifest, signer: Signer) -> bytes:
    """The manifest in its envelope, as JSON."""
    payload = manifest.to_statement()
    ReleaseManifest.from_statement(payload)  # what can't be read back must not be signed
    return sign_statement(payload, signer)


def sign_statement(payload: bytes, signer: Signer) -> bytes:
    """Any in-toto statement in its envelope; the caller has read the statement back."""
    signature = signer.sign(pae(PAYLOAD_TYPE, payload))
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": signature.key_id, "sig": base64.b64encode(signature.der).decode()}],
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def verify_envelope(envelope: bytes, keys: KeyRing) -> ReleaseManifest:
    """The manifest inside, once a key of the ring vouches for it.

    Raises MalformedManifest, UnknownKey, BadSignature, RetiredKey, RevokedKey.
    """
    return open_envelope(envelope, keys).manifest


def open_envelope(envelope: bytes, keys: KeyRing) -> VerifiedManifest:
    """As `verify_envelope`, and says which key it was."""
    payload, key = open_statement(envelope, keys, _WHAT)
    manifest = ReleaseManifest.from_statement(payload)
    key.require_trusted(manifest.published_at)
    return VerifiedManifest(manifest, key)


def open_statement(envelope: bytes, keys: KeyRing, what: str) -> tuple[bytes, KeyRecord]:
    """The statement inside, and the key that signed it, whose dates are still to be compared with the statement's.

    Raises MalformedManifest, UnknownKey, BadSignature.
    """
    payload, signatures = _parts(envelope)
    return payload, _signer_of(pae(PAYLOAD_TYPE, payload), signatures, keys, what)


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: lengths before contents, so no two (type, payload) give the same bytes."""
    encoded: bytes = Envelope(payload, payload_type, {}).pae()
    return encoded


def _signer_of(data: bytes, signatures: list[tuple[str, bytes]], keys: KeyRing, what: str) -> KeyRecord:
    """The first known signer. A signature by a stranger is passed over; a false one under a known name is not."""
    for key_id, der in signatures:
        key = keys.find(key_id)
        if key is not None:
            key.public.verify(data, der, what)
            return key
    raise UnknownKey(what=what)


def _parts(envelope: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    if len(envelope) > MOST_BYTES:
        raise MalformedManifest(reason="it is too large.")
    document = parse_json(envelope)
    if not isinstance(document, dict) or document.get("payloadType") != PAYLOAD_TYPE:
        raise MalformedManifest(reason="it is not a DSSE envelope around an in-toto statement.")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise MalformedManifest(reason="it bears no signature.")
    return _decoded(document.get("payload")), [_signature(item) for item in signatures]


def _signature(item: Any) -> tuple[str, bytes]:  # noqa: ANN401 - whatever the JSON held
    if not isinstance(item, dict) or not isinstance(item.get("keyid"), str):
        raise MalformedManifest(reason="a signature is malformed.")
    return item["keyid"], _decoded(item.get("sig"))


def _decoded(text: object) -> bytes:
    """Base64, standard or URL-safe: a DSSE verifier must take either."""
    if not isinstance(text, str):
        raise MalformedManifest(reason="a part of the envelope is missing.")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedManifest(reason="a part of the envelope is not Base64.") from error
