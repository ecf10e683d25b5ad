"""Keys, opened by address through securesystemslib's signers.

`file:/path/key.pem`  an encrypted PKCS#8 PEM; the passphrase is asked for as `passphrase`
`awskms:KEY`          AWS KMS; credentials are those of the environment
`hsm:ID?label=TOKEN`  PKCS#11; the PIN is asked for as `pin`, the library stands in `PYKCS11LIB`

All keys are ECDSA P-256: with it, and with nothing else that all three services offer, `openssl dgst -sha256 -verify`
verifies what was signed, and every OpenSSL since 1.0 can.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib import signer as sslib
from securesystemslib.exceptions import UnsupportedLibraryError

from signing.errors import (
    BadSignature,
    KeyAddressUnsupported,
    KeyExists,
    KeyMismatch,
    KeyMissing,
    KeyServiceUnavailable,
    MalformedKey,
    SigningError,
    WeakPassphrase,
    WrongPassphrase,
)
from signing.pkcs8 import encrypted_pem

Secrets = Callable[[str], str]
"""Asked for a secret by its name, `passphrase` or `pin`."""

SCHEME = sslib.ECDSA_SHA2_NISTP256
LEAST_PASSPHRASE_CHARACTERS = 8
_WHAT_TO_INSTALL = {
    "awskms": "pip install 'securesystemslib[awskms]'",
    "hsm": "pip install 'securesystemslib[hsm]', and set PYKCS11LIB to the token's PKCS#11 library",
}


@dataclass(frozen=True)
class Signature:
    """`der` is an ASN.1 DER ECDSA signature over the SHA-256 of the data (RFC 3279 §2.2.3), as openssl reads it."""

    key_id: str
    der: bytes


class Signer(Protocol):
    """All that the rest of the portal knows of a private key."""

    @property
    def key_id(self) -> str: ...

    @property
    def public_pem(self) -> str: ...

    def sign(self, data: bytes) -> Signature: ...


@dataclass(frozen=True)
class PublicKey:
    """An ECDSA P-256 public key. `key_id` is the SHA-256 of its DER SubjectPublicKeyInfo (RFC 5280), in hex."""

    key_id: str
    pem: str

    @classmethod
    def from_pem(cls, pem: bytes | str) -> Self:
        """Read a PEM SubjectPublicKeyInfo. Raises MalformedKey."""
        try:
            key = load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise MalformedKey(reason="a public key in PEM form was expected.") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise MalformedKey(reason="only ECDSA P-256 keys are used here.")
        return cls.from_crypto(key)

    @classmethod
    def from_crypto(cls, key: ec.EllipticCurvePublicKey) -> Self:
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(hashlib.sha256(der).hexdigest(), pem.decode())

    @property
    def fingerprint(self) -> str:
        """The key id in groups of four, to be read out over the telephone."""
        return " ".join(self.key_id[start : start + 4] for start in range(0, len(self.key_id), 4))

    def verify(self, data: bytes, der: bytes, what: str = "the data") -> None:
        """Raises BadSignature unless `der` is this key's signature over `data`."""
        key = load_pem_public_key(self.pem.encode())
        assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - from_pem let nothing else in
        try:
            key.verify(der, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise BadSignature(what=what) from error

    def to_sslib(self) -> sslib.SSlibKey:
        """The same key as securesystemslib knows it, under our key id."""
        return sslib.SSlibKey(self.key_id, sslib.KEY_TYPE_ECDSA, SCHEME, {"public": self.pem})


def read_public_key(path: Path) -> PublicKey:
    """The key in a PEM file. Raises KeyMissing, MalformedKey."""
    try:
        return PublicKey.from_pem(path.read_bytes())
    except OSError as error:
        raise KeyMissing(address=str(path)) from error


class OpenedKey:
    """A private key behind one of securesystemslib's signers. Built by `open_signer`."""

    def __init__(self, address: str, public: PublicKey, signer: sslib.Signer) -> None:
        self.address = address
        self.public = public
        self._signer = signer

    @property
    def key_id(self) -> str:
        return self.public.key_id

    @property
    def public_pem(self) -> str:
        return self.public.pem

    def sign(self, data: bytes) -> Signature:
        """Sign, and look at the result before it is let out: a service may hold another key than it once did.

        Raises KeyServiceUnavailable, KeyMismatch.
        """
        try:
            der = bytes.fromhex(self._signer.sign(data).signature)
        except Exception as error:  # every service has errors of its own, and they are not importable without it
            raise KeyServiceUnavailable(address=self.address, reason=_said(error)) from error
        try:
            self.public.verify(data, der)
        except BadSignature as error:
            raise KeyMismatch(address=self.address, expected=self.key_id) from error
        return Signature(self.key_id, der)


def open_signer(address: str, secrets: Secrets, public: PublicKey | None = None) -> OpenedKey:
    """Open the private key at `address`; with `public` given, only if it is that one.

    Without `public` a key service is asked for it. Raises KeyAddressUnsupported, KeyMissing, WrongPassphrase,
    MalformedKey, KeyMismatch, KeyServiceUnavailable.
    """
    scheme = address.partition(":")[0]
    if scheme == "file":
        return _open_file(address, secrets, public)
    if scheme not in _WHAT_TO_INSTALL:
        raise KeyAddressUnsupported(address=address)
    try:
        known = public or _ask_service(address, secrets)
        return OpenedKey(address, known, sslib.Signer.from_priv_key_uri(address, known.to_sslib(), secrets))
    except SigningError:
        raise
    except UnsupportedLibraryError as error:
        raise KeyServiceUnavailable(address=address, reason=f"{_WHAT_TO_INSTALL[scheme]} ({error})") from error
    except Exception as error:  # as in OpenedKey.sign
        raise KeyServiceUnavailable(address=address, reason=_said(error)) from error


def create_file_key(path: Path, passphrase: str) -> PublicKey:
    """Make a new ECDSA P-256 key: an encrypted PEM at `path` (mode 0600), its public PEM beside it (`*.pub.pem`).

    Raises WeakPassphrase; KeyExists if either file is there already.
    """
    if len(passphrase) < LEAST_PASSPHRASE_CHARACTERS:
        raise WeakPassphrase(least=LEAST_PASSPHRASE_CHARACTERS)
    public_path = public_path_of(path)
    if public_path.exists():
        raise KeyExists(address=str(public_path))
    key = ec.generate_private_key(ec.SECP256R1())
    public = PublicKey.from_crypto(key.public_key())
    write_new(path, encrypted_pem(key, passphrase), mode=0o600)
    write_new(public_path, public.pem.encode(), mode=0o644)
    return public


def public_path_of(path: Path) -> Path:
    return path.with_suffix(".pub.pem")


def file_address(path: Path) -> str:
    """The `file:` address of a key file."""
    return path.absolute().as_uri()


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file that did not exist, whole or not at all. Raises KeyExists."""
    stage = _staged(path, data, mode)
    try:
        path.hardlink_to(stage)
    except FileExistsError as error:
        raise KeyExists(address=str(path)) from error
    finally:
        stage.unlink()
    _sync_folder(path.parent)


def replace_file(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file, whole or not at all, over what was there."""
    _staged(path, data, mode).replace(path)
    _sync_folder(path.parent)


def _staged(path: Path, data: bytes, mode: int) -> Path:
    """A finished file beside `path`, on the disk, to be moved into its place."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(descriptor, "wb") as stage:
        stage.write(data)
        stage.flush()
        os.fsync(stage.fileno())
    made = Path(name)
    made.chmod(mode)
    return made


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is. Windows can't open folders, and needs no such step."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _said(error: Exception) -> str:
    """Some services' errors say everything in their class's name."""
    return str(error) or type(error).__name__


def _open_file(address: str, secrets: Secrets, expected: PublicKey | None) -> OpenedKey:
    try:
        pem = Path(_path_in(address)).read_bytes()
    except OSError as error:
        raise KeyMissing(address=address) from error
    if b"ENCRYPTED PRIVATE KEY" not in pem:
        raise MalformedKey(reason="an encrypted PKCS#8 private key in PEM form was expected.")
    try:
        private = load_pem_private_key(pem, secrets("passphrase").encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: an empty passphrase
        raise WrongPassphrase(address=address) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise MalformedKey(reason="only ECDSA P-256 keys are used here.")
    public = PublicKey.from_crypto(private.public_key())
    if expected is not None and expected.key_id != public.key_id:
        raise KeyMismatch(address=address, expected=expected.key_id)
    return OpenedKey(address, public, sslib.CryptoSigner(private, public.to_sslib()))


def _path_in(address: str) -> str:
    """`file:rel/key.pem`, `file:/abs/key.pem` and `file:///abs/key.pem` (RFC 8089), percent-encoding undone."""
    rest = address.removeprefix("file:")
    return unquote(rest.removeprefix("//") if rest.startswith("///") else rest)


def _ask_service(address: str, secrets: Secrets) -> PublicKey:
    parts = urlsplit(address)
    if parts.scheme == "awskms":
        _, key = sslib.AWSSigner.import_(parts.path, SCHEME)
    else:
        label = dict(parse_qsl(parts.query)).get("label")
        _, key = sslib.HSMSigner.import_(int(parts.path) if parts.path else None, label, secrets)
    return PublicKey.from_pem(key.keyval["public"])
