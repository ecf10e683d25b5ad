"""Factories: keys in memory, and folders as a customer receives them."""

import hashlib
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner

from signing import (
    MANIFEST,
    SUMS,
    SUMS_SIGNATURE,
    KeyRing,
    ManifestArtifact,
    OpenedKey,
    PublicKey,
    ReleaseManifest,
    Signer,
    sign_release,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSPHRASE = "correct horse батарея"
FILES = {
    "образ 4.9.bin": b"\x7fELF" + bytes(range(256)) * 40,
    "patch.bin": b"patch",
    "empty.txt": b"",
}


def secrets(name: str) -> str:
    assert name == "passphrase"
    return PASSPHRASE


def key(owner: str = "vendor") -> OpenedKey:
    """A key of this owner, the same for the whole run."""
    return _key(owner)


@cache
def _key(owner: str) -> OpenedKey:
    private = ec.generate_private_key(ec.SECP256R1())
    public = PublicKey.from_crypto(private.public_key())
    return OpenedKey(f"memory:{owner}", public, CryptoSigner(private, public.to_sslib()))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest_of(files: dict[str, bytes], *, counter: int = 7, published_at: datetime = AT) -> ReleaseManifest:
    artifacts = tuple(
        ManifestArtifact(name, sha256(data), len(data), role="image", platform="x86-64") for name, data in files.items()
    )
    return ReleaseManifest("edge-router", "4.9", "minor", counter, published_at, sha256(b"notes"), artifacts)


@dataclass(frozen=True)
class Received:
    """A folder as it came to the customer, and whom the customer believes."""

    folder: Path
    keys: KeyRing

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def resign_sums(self, data: bytes, signer: Signer | None = None) -> None:
        """Replace SHA256SUMS and sign it, by default as the vendor itself would."""
        self.write(SUMS, data)
        self.write(SUMS_SIGNATURE, (signer or key()).sign(data).der)


def received(folder: Path, *, counter: int = 7, owner: str = "vendor") -> Received:
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    signed = sign_release(manifest_of(FILES, counter=counter), key(owner))
    (folder / SUMS).write_bytes(signed.sums)
    (folder / SUMS_SIGNATURE).write_bytes(signed.sums_signature)
    (folder / MANIFEST).write_bytes(signed.manifest)
    return Received(folder, KeyRing.of(key(owner).public))


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A judge's answer; never raises on its refusal."""
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run(command, cwd=cwd, capture_output=True, check=False, env=env, timeout=60)
