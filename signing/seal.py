"""The seal of an evidence pack: which files it holds, with what digests, about which delivery, as of which entry.

An in-toto Statement v1 in a DSSE v1 envelope, with a predicate type of its own: it can't pass for a manifest or a slip.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from signing import names
from signing.envelope import open_statement, sign_statement
from signing.errors import MalformedManifest, MalformedSeal
from signing.keyring import KeyRing
from signing.keys import Signer
from signing.manifest import STATEMENT_TYPE, JsonObject, instant, parse_json

SEAL_PREDICATE_TYPE = "https://release-portal.invalid/attestation/evidence/v1"
_WHAT = "the seal of the evidence pack"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"(?:[a-z]{1,20}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True)
class Seal:
    """`digests`: path in the pack → SHA-256, hex. `head` is the hash of the delivery's last entry, `entries` how many
    there are. `made_at` is aware. Raises MalformedSeal."""

    delivery: str
    entries: int
    head: str
    made_at: datetime
    digests: dict[str, str]

    def __post_init__(self) -> None:
        _require(self.delivery, "the delivery")
        _require(self.entries > 0, "the number of entries")
        _require(_SHA256.fullmatch(self.head), "the hash of the last entry")
        _require(self.made_at.tzinfo is not None, "the time")
        _require(self.digests, "the list of files")
        for name, sha256 in self.digests.items():
            _require(_PATH.fullmatch(name), f"the name {names.shown(name)}")
            _require(_SHA256.fullmatch(sha256), f"the digest of {names.shown(name)}")
        object.__setattr__(self, "made_at", self.made_at.astimezone(UTC))

    def to_statement(self) -> bytes:
        """The statement's bytes; the same seal always gives the same."""
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": self.digests[name]}} for name in sorted(self.digests)],
            "predicateType": SEAL_PREDICATE_TYPE,
            "predicate": {
                "delivery": self.delivery,
                "entries": self.entries,
                "head": self.head,
                "madeAt": self.made_at.isoformat().replace("+00:00", "Z"),
            },
        }
        return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_statement(cls, data: bytes) -> Self:
        """Read a statement. Raises MalformedSeal. Call it only on bytes whose signature has been verified."""
        try:
            statement = JsonObject(parse_json(data))
            _require(statement.text("_type") == STATEMENT_TYPE, "the type of the statement")
            _require(statement.text("predicateType") == SEAL_PREDICATE_TYPE, "the type of the predicate")
            predicate, subjects = statement.object("predicate"), statement.objects("subject")
            digests = {item.text("name"): item.object("digest").text("sha256") for item in subjects}
            _require(len(digests) == len(subjects), "the list of files")
            return cls(
                predicate.text("delivery"),
                predicate.number("entries"),
                predicate.text("head"),
                instant(predicate.text("madeAt"), "the time"),
                digests,
            )
        except MalformedManifest as error:
            raise MalformedSeal(**error.facts) from error


def sign_seal(seal: Seal, signer: Signer) -> bytes:
    """The seal in its envelope, as JSON."""
    payload = seal.to_statement()
    Seal.from_statement(payload)  # what can't be read back must not be signed
    return sign_statement(payload, signer)


def open_seal(envelope: bytes, keys: KeyRing) -> Seal:
    """The seal inside, once a key of the ring vouches for it.

    Raises MalformedSeal, UnknownKey, BadSignature, RetiredKey, RevokedKey.
    """
    try:
        payload, key = open_statement(envelope, keys, _WHAT)
    except MalformedManifest as error:
        raise MalformedSeal(**error.facts) from error
    seal = Seal.from_statement(payload)
    key.require_trusted(seal.made_at)
    return seal


def _require(holds: object, what: str) -> None:
    if not holds:
        raise MalformedSeal(reason=f"{what} is missing or not as it must be.")
