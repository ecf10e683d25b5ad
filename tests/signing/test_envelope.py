import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from securesystemslib.dsse import Envelope

from signing import KeyRecord, KeyRing, open_envelope, sign_manifest, verify_envelope
from signing.envelope import PAYLOAD_TYPE, pae
from signing.errors import SigningError
from tests.signing.making import AT, FILES, key, manifest_of

MANIFEST = manifest_of(FILES)
KEYS = KeyRing.of(key().public)


def signed(owner: str = "vendor") -> dict[str, Any]:
    return json.loads(sign_manifest(MANIFEST, key(owner)))


def code_of(document: object, keys: KeyRing = KEYS) -> str:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(SigningError) as refused:
        verify_envelope(data, keys)
    return refused.value.code


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_what_is_signed_is_verified_and_says_by_whom():
    verified = open_envelope(sign_manifest(MANIFEST, key()), KeyRing.of(key("other").public, key().public))
    assert verified.manifest == MANIFEST
    assert verified.key.key_id == key().key_id


def test_securesystemslib_verifies_our_envelope():
    envelope = Envelope.from_dict(signed())
    assert envelope.verify([key().public.to_sslib()], 1)


def test_an_envelope_signed_by_securesystemslib_is_verified():
    envelope = Envelope(MANIFEST.to_statement(), PAYLOAD_TYPE, {})
    envelope.sign(key()._signer)
    assert verify_envelope(json.dumps(envelope.to_dict()).encode(), KEYS) == MANIFEST


def test_pae_is_the_specification_s_example():
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("тип", b"") == "DSSEv1 6 тип 0 ".encode()


def test_base64_of_either_alphabet_is_read():
    odd = replace(MANIFEST, version="???")  # one of three question marks always gives a slash
    document = json.loads(sign_manifest(odd, key()))
    assert "/" in document["payload"]
    document["payload"] = document["payload"].replace("+", "-").replace("/", "_")
    assert verify_envelope(json.dumps(document).encode(), KEYS) == odd


def test_a_stranger_s_signature_beside_the_vendor_s_is_passed_over():
    document = signed()
    document["signatures"] = signed("stranger")["signatures"] + document["signatures"]
    assert verify_envelope(json.dumps(document).encode(), KEYS) == MANIFEST


def test_a_false_signature_under_a_known_name_is_not_outweighed():
    document = signed()
    false = {"keyid": key().key_id, "sig": signed("stranger")["signatures"][0]["sig"]}
    document["signatures"].insert(0, false)
    assert code_of(document) == "bad-signature"


def test_a_signature_by_a_stranger_is_refused():
    assert code_of(signed("stranger")) == "unknown-key"


def test_a_signature_over_the_bare_payload_is_refused():
    document = signed()
    document["signatures"][0]["sig"] = b64(key().sign(MANIFEST.to_statement()).der)
    assert code_of(document) == "bad-signature"


def test_a_signature_over_another_type_is_refused():
    document = signed()
    document["signatures"][0]["sig"] = b64(key().sign(pae("text/plain", MANIFEST.to_statement())).der)
    assert code_of(document) == "bad-signature"


def test_the_payload_type_can_t_be_changed():
    assert code_of(signed() | {"payloadType": "text/plain"}) == "malformed-manifest"


def test_another_statement_of_the_vendor_is_no_manifest():
    payload = json.dumps(
        {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1"}
    )
    der = key().sign(pae(PAYLOAD_TYPE, payload.encode())).der
    document = signed() | {"payload": b64(payload.encode()), "signatures": [{"keyid": key().key_id, "sig": b64(der)}]}
    assert code_of(document) == "malformed-manifest"


ALTERED: dict[str, tuple[object, str]] = {
    "payload": (
        signed() | {"payload": b64(MANIFEST.to_statement().replace(b'"counter":7', b'"counter":9'))},
        "bad-signature",
    ),
    "payload empty": (signed() | {"payload": ""}, "bad-signature"),
    "payload not Base64": (signed() | {"payload": "=(="}, "malformed-manifest"),
    "payload with line breaks": (signed() | {"payload": "YQ==\n"}, "malformed-manifest"),
    "payload missing": ({"payloadType": PAYLOAD_TYPE, "signatures": signed()["signatures"]}, "malformed-manifest"),
    "no signatures": (signed() | {"signatures": []}, "malformed-manifest"),
    "signatures an object": (signed() | {"signatures": {}}, "malformed-manifest"),
    "signature a text": (signed() | {"signatures": ["x"]}, "malformed-manifest"),
    "signature without key id": (signed() | {"signatures": [{"sig": "YQ=="}]}, "malformed-manifest"),
    "signature empty": (signed() | {"signatures": [{"keyid": key().key_id, "sig": ""}]}, "bad-signature"),
    "a list": ([], "malformed-manifest"),
    "nothing": (b"", "malformed-manifest"),
    "a member twice": (json.dumps(signed()).encode()[:-1] + b',"payload":"YQ=="}', "malformed-manifest"),
    "too large": (b" " * (16 * 1024 * 1024 + 1), "malformed-manifest"),
}


@pytest.mark.parametrize(("document", "code"), ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_envelope_is_refused(document: object, code: str):
    assert code_of(document) == code


@pytest.mark.parametrize("cut", [1, 2, 10, 35, 69])
def test_a_truncated_signature_is_refused(cut: int):
    document = signed()
    der = base64.b64decode(document["signatures"][0]["sig"])
    document["signatures"][0]["sig"] = b64(der[:-cut])
    assert code_of(document) == "bad-signature"


def test_a_retired_key_speaks_for_what_was_published_before_its_retirement():
    public = key().public
    data = sign_manifest(MANIFEST, key())
    later, earlier = AT + timedelta(microseconds=1), AT
    assert verify_envelope(data, KeyRing((KeyRecord(public, active_until=later),))) == MANIFEST
    assert code_of(data, KeyRing((KeyRecord(public, active_until=earlier),))) == "retired-key"
    assert code_of(data, KeyRing((KeyRecord(public, active_until=later, revoked_at=later),))) == "revoked-key"
