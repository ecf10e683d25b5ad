"""Slips: what is written is read back, and nothing else passes for one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from signing import KeyRecord, KeyRing, SigningError, Slip, SlipFile, open_envelope, open_slip, sign_manifest, sign_slip
from tests.signing.making import AT, FILES, key, manifest_of, sha256

MANIFEST_SHA256 = sha256(b"manifest")
SLIP = Slip(
    delivery_number="D-000017",
    recipient_name="Анна «Петрова»\u2028",
    organisation_code="ALPHA",
    organisation_name="Альфа",
    medium_kind="",
    medium_serial="",
    product="edge-router",
    version="4.9",
    counter=7,
    manifest_sha256=MANIFEST_SHA256,
    issued_at=datetime(2026, 3, 2, 9, 30, 15, 250000, tzinfo=UTC),
    artifacts=("patch.bin",),
    files=(SlipFile("verify.py", sha256(b"1"), 1), SlipFile("keys/a.pem", sha256(b"2"), 2)),
)
RING = KeyRing.of(key().public)


def code_of(action) -> str:
    with pytest.raises(SigningError) as refused:
        action()
    return refused.value.code


def test_what_was_signed_is_read_back():
    assert open_slip(sign_slip(SLIP, key()), RING) == SLIP
    assert Slip.from_statement(SLIP.to_statement()).to_statement() == SLIP.to_statement()


def test_a_slip_and_a_manifest_can_t_pass_for_each_other():
    assert code_of(lambda: open_envelope(sign_slip(SLIP, key()), RING)) == "malformed-manifest"
    assert code_of(lambda: open_slip(sign_manifest(manifest_of(FILES), key()), RING)) == "malformed-slip"


@pytest.mark.parametrize("facts", [
    {"delivery_number": ""}, {"recipient_name": ""}, {"organisation_code": ""}, {"organisation_name": ""},
    {"product": ""}, {"version": ""}, {"counter": 0}, {"counter": 2**60}, {"manifest_sha256": "x"},
    {"issued_at": datetime(2026, 3, 2)}, {"artifacts": ()}, {"artifacts": ("a", "a")}, {"files": SLIP.files * 2},
])  # fmt: skip
def test_nonsense_is_not_signed(facts: dict[str, object]):
    assert code_of(lambda: replace(SLIP, **facts)) == "malformed-slip"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x",
        "/x",
        "keys/../x",
        "keys/",
        "bin/x",
        "keys/a/b",
        "Keys",
        "SHA256SUMS",
        "Slip.dsse.json",
        "keys/\\..\\x",
    ],
)
def test_a_slip_lists_only_what_can_lie_in_a_kit(name: str):
    assert code_of(lambda: SlipFile(name, sha256(b""), 0)) == "malformed-slip"


def test_a_slip_belongs_to_one_manifest():
    manifest = manifest_of(FILES)
    SLIP.require_of(manifest, MANIFEST_SHA256)
    others = [
        replace(SLIP, version="4.8"),
        replace(SLIP, counter=8),
        replace(SLIP, product="x"),
        replace(SLIP, artifacts=("other.bin",)),
        replace(SLIP, files=(SlipFile("patch.bin", sha256(b""), 0),)),
    ]
    for other in others:
        assert code_of(partial(other.require_of, manifest, MANIFEST_SHA256)) == "slip-disagrees"
    assert code_of(lambda: SLIP.require_of(manifest, sha256(b"other"))) == "slip-disagrees"


def test_a_retired_key_speaks_for_the_slips_of_its_time():
    envelope = sign_slip(SLIP, key())
    later, earlier = SLIP.issued_at + timedelta(days=1), AT - timedelta(days=1)
    assert open_slip(envelope, KeyRing((KeyRecord(key().public, active_until=later),))) == SLIP
    retired = KeyRing((KeyRecord(key().public, active_until=earlier),))
    assert code_of(lambda: open_slip(envelope, retired)) == "retired-key"
