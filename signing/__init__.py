"""Bytes in, proof out: keys by address, `SHA256SUMS`, release manifests, and a verifier that needs no portal.

folder = KeyFolder(Path("keys"))
folder.create(secrets, at=now)
signed = sign_release(manifest, folder.signer(secrets))
verify_release(signed, folder.ring())
"""

from signing.envelope import VerifiedManifest, open_envelope, sign_manifest, verify_envelope
from signing.errors import SigningError
from signing.keyfolder import KeyFolder
from signing.keyring import KeyRecord, KeyRing, KeyState
from signing.keys import (
    OpenedKey,
    PublicKey,
    Secrets,
    Signature,
    Signer,
    create_file_key,
    file_address,
    open_signer,
    read_public_key,
)
from signing.keysource import KeySource, ServiceKey, key_source
from signing.manifest import ManifestArtifact, ReleaseManifest
from signing.names import KEYS_FOLDER, KIT_SUMS, MANIFEST, SLIP, SUMS, SUMS_SIGNATURE, VERIFIER, VERIFY_PAGE
from signing.release import SignedRelease, sign_release, verify_release
from signing.report import render, to_json
from signing.seal import Seal, open_seal, sign_seal
from signing.slip import Slip, SlipFile, open_slip, sign_slip
from signing.sums import SumsEntry, digests_in, parse_sums, render_sums
from signing.verify import ExitCode, FileFinding, FileState, Report, keys_within, verify_folder

__all__ = [
    "KEYS_FOLDER",
    "KIT_SUMS",
    "MANIFEST",
    "SLIP",
    "SUMS",
    "SUMS_SIGNATURE",
    "VERIFIER",
    "VERIFY_PAGE",
    "ExitCode",
    "FileFinding",
    "FileState",
    "KeyFolder",
    "KeyRecord",
    "KeyRing",
    "KeySource",
    "KeyState",
    "ManifestArtifact",
    "OpenedKey",
    "PublicKey",
    "ReleaseManifest",
    "Report",
    "Seal",
    "Secrets",
    "ServiceKey",
    "Signature",
    "SignedRelease",
    "Signer",
    "SigningError",
    "Slip",
    "SlipFile",
    "SumsEntry",
    "VerifiedManifest",
    "create_file_key",
    "digests_in",
    "file_address",
    "key_source",
    "keys_within",
    "open_envelope",
    "open_seal",
    "open_signer",
    "open_slip",
    "parse_sums",
    "read_public_key",
    "render",
    "render_sums",
    "sign_manifest",
    "sign_release",
    "sign_seal",
    "sign_slip",
    "to_json",
    "verify_envelope",
    "verify_folder",
    "verify_release",
]
