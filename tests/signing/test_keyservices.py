"""Keys that live in a service: AWS KMS spoken to over HTTP by the real client, PKCS#11 where it is not installed."""

import base64
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signing import KeyFolder, KeyRing, PublicKey, key_source, open_signer, sign_release, verify_release
from signing.errors import SigningError
from tests.signing.making import FILES, key, manifest_of, secrets

ADDRESS = "awskms:arn:aws:kms:eu-north-1:111122223333:key/release"


@dataclass
class Service:
    """The two calls of AWS KMS that signing needs, over a key of its own."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    denied: bool = False
    calls: list[str] = field(default_factory=list)

    @property
    def public(self) -> PublicKey:
        return PublicKey.from_crypto(self.private.public_key())

    def answer(self, call: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(call)
        if self.denied:
            return 400, {"__type": "AccessDeniedException", "message": "not authorized to perform kms:Sign"}
        if call == "TrentService.GetPublicKey":
            der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return 200, {"PublicKey": base64.b64encode(der).decode(), "SigningAlgorithms": ["ECDSA_SHA_256"]}
        assert (request["MessageType"], request["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        der = self.private.sign(base64.b64decode(request["Message"]), ec.ECDSA(Prehashed(hashes.SHA256())))
        return 200, {"Signature": base64.b64encode(der).decode()}


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = service.answer(self.headers["X-Amz-Target"], request)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings(monkeypatch, server.server_port)
    yield service
    server.shutdown()
    server.server_close()


def settings(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def refusal(address: str, public: PublicKey | None = None) -> SigningError:
    with pytest.raises(SigningError) as refused:
        open_signer(address, secrets, public).sign(b"data")
    return refused.value


def test_a_release_is_signed_by_a_key_in_kms(kms: Service):
    manifest = manifest_of(FILES)
    signed = sign_release(manifest, open_signer(ADDRESS, secrets))
    assert verify_release(signed, KeyRing.of(kms.public)) == manifest


def test_a_key_whose_public_part_is_known_is_not_asked_for_it(kms: Service):
    open_signer(ADDRESS, secrets, kms.public).sign(b"data")
    assert kms.calls == ["TrentService.Sign"]


def test_a_source_asks_for_the_public_key_once(kms: Service):
    source = key_source(ADDRESS, secrets)
    assert source.ring().find(kms.public.key_id)
    assert source.signer(secrets).key_id == source.active().key_id
    assert kms.calls == ["TrentService.GetPublicKey"]


def test_a_service_that_signs_with_another_key_is_found_out(kms: Service):
    assert refusal(ADDRESS, key().public).code == "key-mismatch"


def test_a_refusal_of_the_service_is_said_in_our_words(kms: Service):
    kms.denied = True
    for public in (None, kms.public):
        refused = refusal(ADDRESS, public)
        assert refused.code == "key-service-unavailable"
        assert "not authorized" in str(refused)


def test_a_service_that_does_not_answer_is_said_in_our_words(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: a connection is refused at once
        settings(monkeypatch, taken.getsockname()[1])
        assert refusal(ADDRESS, key().public).code == "key-service-unavailable"


def test_a_folder_may_pass_from_a_file_to_a_service(kms: Service, tmp_path: Path):
    folder = KeyFolder(tmp_path / "keys")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    old = folder.create(secrets, at=at)
    new = folder.rotate(secrets, at=at, address=ADDRESS)
    assert (new.key_id, new.address) == (kms.public.key_id, ADDRESS)
    assert folder.signer(secrets).sign(b"x").key_id == kms.public.key_id
    names = sorted(path.name for path in folder.path.glob("*.pem"))
    assert names == sorted(f"{record.key_id[:16]}.pub.pem" for record in (old, new))


@pytest.mark.skipif(find_spec("pkcs11") is not None, reason="python-pkcs11 is installed")
def test_a_token_without_its_library_says_what_to_install():
    for public in (None, key().public):
        refused = refusal("hsm:2?label=release", public)
        assert refused.code == "key-service-unavailable"
        assert "pip install 'securesystemslib[hsm]'" in str(refused)
