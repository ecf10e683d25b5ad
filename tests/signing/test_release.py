from dataclasses import replace

import pytest

from signing import KeyRing, SignedRelease, render_sums, sign_manifest, sign_release, verify_release
from signing.errors import SigningError
from tests.signing.making import FILES, key, manifest_of

MANIFEST = manifest_of(FILES)
SIGNED = sign_release(MANIFEST, key())
KEYS = KeyRing.of(key().public, key("second").public)
OTHER = manifest_of({**FILES, "patch.bin": b"other"})
FOREIGN = sign_release(MANIFEST, key("attacker"))


def test_documents_made_together_are_verified_together():
    assert verify_release(SIGNED, KEYS) == MANIFEST


def test_documents_may_be_signed_by_two_keys_of_the_ring():
    assert verify_release(replace(SIGNED, manifest=sign_manifest(MANIFEST, key("second"))), KEYS) == MANIFEST


REFUSED: dict[str, tuple[SignedRelease, str]] = {
    "sums altered": (replace(SIGNED, sums=SIGNED.sums.replace(b"patch", b"hctap")), "bad-signature"),
    "sums by a stranger": (replace(SIGNED, sums_signature=FOREIGN.sums_signature), "bad-signature"),
    "manifest by a stranger": (replace(SIGNED, manifest=FOREIGN.manifest), "unknown-key"),
    "manifest of another release": (replace(SIGNED, manifest=sign_manifest(OTHER, key())), "documents-disagree"),
    "malformed sums": (replace(SIGNED, sums=b"x", sums_signature=key().sign(b"x").der), "malformed-sums"),
    "malformed manifest": (replace(SIGNED, manifest=b"x"), "malformed-manifest"),
}


@pytest.mark.parametrize(("signed", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_documents_that_do_not_hold_together_are_refused(signed: SignedRelease, code: str):
    with pytest.raises(SigningError) as refused:
        verify_release(signed, KEYS)
    assert refused.value.code == code


def test_a_line_more_than_the_manifest_has_is_refused():
    sums = render_sums({**MANIFEST.digests, "z": "0" * 64})
    with pytest.raises(SigningError) as refused:
        verify_release(replace(SIGNED, sums=sums, sums_signature=key().sign(sums).der), KEYS)
    assert refused.value.code == "documents-disagree"
