"""The signed documents of one release, made together and checked together."""

from dataclasses import dataclass

from signing.envelope import open_envelope, sign_manifest
from signing.errors import DocumentsDisagree
from signing.keyring import KeyRing
from signing.keys import Signer
from signing.manifest import ReleaseManifest
from signing.names import SUMS
from signing.sums import digests_in, render_sums


@dataclass(frozen=True)
class SignedRelease:
    """The bytes of `SHA256SUMS`, `SHA256SUMS.sig` (DER) and `manifest.dsse.json`."""

    sums: bytes
    sums_signature: bytes
    manifest: bytes


def sign_release(manifest: ReleaseManifest, signer: Signer) -> SignedRelease:
    """Every document that stands beside a release's files. Raises what the signer raises."""
    sums = render_sums(manifest.digests)
    return SignedRelease(sums, signer.sign(sums).der, sign_manifest(manifest, signer))


def verify_release(signed: SignedRelease, keys: KeyRing) -> ReleaseManifest:
    """The manifest, if both signatures hold and both documents say the same; for documents signed elsewhere.

    Raises BadSignature, UnknownKey, RetiredKey, RevokedKey, MalformedManifest, MalformedSums, DocumentsDisagree.
    """
    verified = open_envelope(signed.manifest, keys)
    keys.verify(signed.sums, signed.sums_signature, dated=verified.manifest.published_at, what=SUMS)
    if digests_in(signed.sums) != verified.manifest.digests:
        raise DocumentsDisagree
    return verified.manifest
