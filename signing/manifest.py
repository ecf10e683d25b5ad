"""The release manifest: an in-toto Statement v1 in a DSSE v1 envelope, signed by the vendor's release key.

Long-lived: kits, evidence packs and the offline verifier read it ten years on. By in-toto's rule a reader ignores
fields that it does not know, so that fields may be added.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from signing import names
from signing.errors import MalformedManifest, OlderRelease, UnsafeName

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://release-portal.invalid/attestation/release/v1"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_GREATEST = 2**53  # beyond it a JSON number means different things to different readers


@dataclass(frozen=True)
class ManifestArtifact:
    """One file. `role` as the portal names it (image, patch, sbom…), `platform` empty where it has none."""

    name: str
    sha256: str
    size_bytes: int
    role: str
    platform: str = ""

    def __post_init__(self) -> None:
        try:
            names.checked(self.name)
        except UnsafeName as error:
            raise MalformedManifest(reason=str(error)) from error
        _require(_SHA256.fullmatch(self.sha256), f"the digest of {names.shown(self.name)}")
        _require(0 <= self.size_bytes <= _GREATEST, f"the size of {names.shown(self.name)}")
        _require(self.role, f"the role of {names.shown(self.name)}")


@dataclass(frozen=True)
class ReleaseManifest:
    """What the vendor says of one release.

    `counter` rises with every release of the product and never falls. `notes_sha256` is the digest of the notes'
    bytes as published. `published_at` is aware. Artifacts are kept sorted by name. Raises MalformedManifest.
    """

    product: str
    version: str
    level: str
    counter: int
    published_at: datetime
    notes_sha256: str
    artifacts: tuple[ManifestArtifact, ...] = field(default=())

    def __post_init__(self) -> None:
        _require(self.product and self.version and self.level, "product, version or level")
        _require(0 < self.counter <= _GREATEST, "the release counter")
        _require(self.published_at.tzinfo is not None, "the time of publication")
        _require(_SHA256.fullmatch(self.notes_sha256), "the digest of the notes")
        _require(self.artifacts, "the list of artifacts")
        _require(len({artifact.name for artifact in self.artifacts}) == len(self.artifacts), "a name used twice")
        object.__setattr__(self, "published_at", self.published_at.astimezone(UTC))
        object.__setattr__(self, "artifacts", tuple(sorted(self.artifacts, key=lambda artifact: artifact.name)))

    @property
    def digests(self) -> dict[str, str]:
        """Name → SHA-256, as `SHA256SUMS` has it."""
        return {artifact.name: artifact.sha256 for artifact in self.artifacts}

    def require_not_older(self, installed_counter: int) -> None:
        """Raises OlderRelease if a newer release than this is installed; the same again is no fault."""
        if self.counter < installed_counter:
            raise OlderRelease(counter=self.counter, installed=installed_counter)

    def to_statement(self) -> bytes:
        """The statement's bytes; the same manifest always gives the same."""
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": item.name, "digest": {"sha256": item.sha256}} for item in self.artifacts],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "product": self.product,
                "version": self.version,
                "level": self.level,
                "counter": self.counter,
                "publishedAt": self.published_at.isoformat().replace("+00:00", "Z"),
                "notes": {"sha256": self.notes_sha256},
                "artifacts": [
                    {"name": item.name, "role": item.role, "platform": item.platform, "size": item.size_bytes}
                    for item in self.artifacts
                ],
            },
        }
        return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_statement(cls, data: bytes) -> Self:
        """Read a statement. Raises MalformedManifest.

        Call it only on bytes whose signature has been verified (`signing.envelope`).
        """
        statement = JsonObject(parse_json(data))
        _require(statement.text("_type") == STATEMENT_TYPE, "the type of the statement")
        _require(statement.text("predicateType") == PREDICATE_TYPE, "the type of the predicate")
        predicate = statement.object("predicate")
        digests = [
            (subject.text("name"), subject.object("digest").text("sha256")) for subject in statement.objects("subject")
        ]
        facts = {item.text("name"): item for item in predicate.objects("artifacts")}
        _require(len(digests) == len(facts) == len(predicate.objects("artifacts")), "the list of artifacts")
        _require({name for name, _ in digests} == facts.keys(), "the list of artifacts")
        return cls(
            product=predicate.text("product"),
            version=predicate.text("version"),
            level=predicate.text("level"),
            counter=predicate.number("counter"),
            published_at=instant(predicate.text("publishedAt")),
            notes_sha256=predicate.object("notes").text("sha256"),
            artifacts=tuple(
                ManifestArtifact(
                    name,
                    sha256,
                    size_bytes=facts[name].number("size"),
                    role=facts[name].text("role"),
                    platform=facts[name].text("platform"),
                )
                for name, sha256 in digests
            ),
        )


def parse_json(data: bytes) -> object:
    """JSON with one reading: UTF-8, no name twice in an object, no NaN. Raises MalformedManifest."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_without_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedManifest(reason="it is not well-formed JSON.") from error


class JsonObject:
    """A JSON object asked for members by type. Raises MalformedManifest."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise MalformedManifest(reason="an object was expected.")
        self._members: dict[str, Any] = value

    def text(self, name: str) -> str:
        value = self._members.get(name)
        if not isinstance(value, str):
            raise MalformedManifest(reason=f"{name} is missing or not a text.")
        return value

    def number(self, name: str) -> int:
        value = self._members.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise MalformedManifest(reason=f"{name} is missing or not a whole number.")
        return value

    def object(self, name: str) -> "JsonObject":
        return JsonObject(self._members.get(name))

    def objects(self, name: str) -> list["JsonObject"]:
        value = self._members.get(name)
        if not isinstance(value, list):
            raise MalformedManifest(reason=f"{name} is missing or not a list.")
        return [JsonObject(item) for item in value]

    def texts(self, name: str) -> list[str]:
        value = self._members.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise MalformedManifest(reason=f"{name} is missing or not a list of texts.")
        return value


def _require(holds: object, what: str) -> None:
    if not holds:
        raise MalformedManifest(reason=f"{what} is missing or not as it must be.")


def instant(text: str, what: str = "the time of publication") -> datetime:
    """An instant in UTC as statements write it. Raises MalformedManifest."""
    _require(_INSTANT.fullmatch(text), what)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedManifest(reason=f"{what} does not exist.") from error


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError(pairs)
    return members


def _no_constant(text: str) -> object:
    raise ValueError(text)
