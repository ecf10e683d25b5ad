import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import ManifestArtifact, ReleaseManifest
from signing.errors import MalformedManifest, OlderRelease
from signing.manifest import PREDICATE_TYPE, STATEMENT_TYPE
from tests.signing.making import AT, FILES, manifest_of

MANIFEST = manifest_of(FILES)

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
plain_names = st.text("abcй .9", min_size=1, max_size=12).filter(lambda name: name.strip("."))
artifacts = st.builds(ManifestArtifact, plain_names, digests, st.integers(0, 2**53), words, st.text("ab", max_size=2))
manifests = st.builds(
    ReleaseManifest,
    words, words, words, st.integers(1, 2**53),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14))]), min_value=datetime(1990, 1, 1)),
    digests,
    st.lists(artifacts, min_size=1, max_size=4, unique_by=lambda item: item.name).map(tuple),
)  # fmt: skip


@given(manifests)
def test_a_statement_reads_back_as_it_was_written(manifest: ReleaseManifest):
    assert ReleaseManifest.from_statement(manifest.to_statement()) == manifest


def test_the_same_manifest_gives_the_same_bytes_whatever_the_order_and_time_zone():
    other = replace(
        MANIFEST,
        artifacts=tuple(reversed(MANIFEST.artifacts)),
        published_at=AT.astimezone(timezone(timedelta(hours=3))),
    )
    assert other.to_statement() == MANIFEST.to_statement()


def test_the_statement_is_an_in_toto_statement_v1():
    statement = json.loads(MANIFEST.to_statement())
    assert statement["_type"] == STATEMENT_TYPE == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == PREDICATE_TYPE
    assert {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]} == MANIFEST.digests
    assert statement["predicate"]["publishedAt"] == "2026-03-01T12:00:00Z"
    assert statement["predicate"]["counter"] == 7


def test_fields_of_a_later_day_are_passed_over():
    statement = json.loads(MANIFEST.to_statement())
    statement["predicate"]["train"] = "4.x"
    assert ReleaseManifest.from_statement(json.dumps(statement).encode()) == MANIFEST


REFUSED_FACTS = {
    "no product": {"product": ""},
    "no version": {"version": ""},
    "counter nought": {"counter": 0},
    "counter below nought": {"counter": -1},
    "counter beyond JSON": {"counter": 2**53 + 1},
    "time without zone": {"published_at": datetime(2026, 1, 1)},
    "digest of the notes": {"notes_sha256": "0" * 63},
    "no artifacts": {"artifacts": ()},
    "a name twice": {
        "artifacts": (MANIFEST.artifacts[0], replace(MANIFEST.artifacts[1], name=MANIFEST.artifacts[0].name))
    },
}


@pytest.mark.parametrize("facts", REFUSED_FACTS.values(), ids=REFUSED_FACTS.keys())
def test_a_manifest_refuses_what_makes_no_sense(facts: dict[str, object]):
    with pytest.raises(MalformedManifest) as refused:
        replace(MANIFEST, **facts)
    assert refused.value.code == "malformed-manifest"


@pytest.mark.parametrize(
    "facts", [{"name": "../a"}, {"name": "SHA256SUMS"}, {"sha256": "A" * 64}, {"size_bytes": -1}, {"role": ""}]
)
def test_an_artifact_refuses_what_makes_no_sense(facts: dict[str, object]):
    with pytest.raises(MalformedManifest):
        replace(MANIFEST.artifacts[0], **facts)


def altered(path: str, value: object) -> bytes:
    """The statement with one member changed, or removed for `...`."""
    statement = json.loads(MANIFEST.to_statement())
    place, steps = statement, path.split(".")
    for step in steps[:-1]:
        place = place[int(step)] if step.isdigit() else place[step]
    if value is ...:
        del place[steps[-1]]
    else:
        place[int(steps[-1]) if steps[-1].isdigit() else steps[-1]] = value
    return json.dumps(statement).encode()


REFUSED_STATEMENTS = {
    "nothing": b"",
    "not JSON": b"{",
    "not an object": b"[]",
    "not UTF-8": b'{"_type":"\xff"}',
    "nested without end": b"[" * 200_000,
    "a number without end": b"1" * 10_000,
    "a member twice": MANIFEST.to_statement()[:-1] + b',"subject":[]}',
    "older statement type": altered("_type", "https://in-toto.io/Statement/v0.1"),
    "other predicate": altered("predicateType", "https://slsa.dev/provenance/v1"),
    "no predicate": altered("predicate", ...),
    "predicate a list": altered("predicate", []),
    "no subjects": altered("subject", []),
    "subject an object": altered("subject", {}),
    "a subject too few": altered("subject", json.loads(MANIFEST.to_statement())["subject"][:-1]),
    "an artifact too few": altered(
        "predicate.artifacts", json.loads(MANIFEST.to_statement())["predicate"]["artifacts"][:-1]
    ),
    "names differ": altered("subject.0.name", "other.bin"),
    "digest of another kind": altered("subject.0.digest", {"sha512": "0" * 128}),
    "counter a text": altered("predicate.counter", "7"),
    "counter true": altered("predicate.counter", True),
    "counter a fraction": altered("predicate.counter", 7.5),
    "version a number": altered("predicate.version", 4.9),
    "time without zone": altered("predicate.publishedAt", "2026-03-01T12:00:00"),
    "a day that does not exist": altered("predicate.publishedAt", "2026-02-30T12:00:00Z"),
    "no notes": altered("predicate.notes", ...),
    "NaN where nobody looks": altered("predicate.later", float("nan")),
    "size NaN": altered("predicate.artifacts.0.size", float("nan")),
}


@pytest.mark.parametrize("data", REFUSED_STATEMENTS.values(), ids=REFUSED_STATEMENTS.keys())
def test_a_malformed_statement_is_refused(data: bytes):
    with pytest.raises(MalformedManifest) as refused:
        ReleaseManifest.from_statement(data)
    assert refused.value.code == "malformed-manifest"


def test_an_older_release_is_refused_and_the_same_one_is_not():
    MANIFEST.require_not_older(6)
    MANIFEST.require_not_older(7)
    with pytest.raises(OlderRelease) as refused:
        MANIFEST.require_not_older(8)
    assert refused.value.code == "counter-rollback"
