"""The slip of a kit: for whom it was made, on which medium, and the digest of whatever the manifest does not list.

An in-toto Statement v1 in a DSSE v1 envelope like the manifest, with a predicate type of its own, so that neither can
pass for the other.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from signing import names
from signing.envelope import open_statement, sign_statement
from signing.errors import MalformedManifest, MalformedSlip, OtherCustomer, SlipDisagrees, UnsafeName
from signing.keyring import KeyRing
from signing.keys import Signer
from signing.manifest import STATEMENT_TYPE, JsonObject, ReleaseManifest, instant, parse_json

SLIP_PREDICATE_TYPE = "https://release-portal.invalid/attestation/delivery-slip/v1"
_WHAT = "the slip"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GREATEST = 2**53


@dataclass(frozen=True)
class SlipFile:
    """A file of the kit that the manifest does not list; `name` may be `keys/…`. Raises MalformedSlip."""

    name: str
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        try:
            names.checked_kit_path(self.name)
        except UnsafeName as error:
            raise MalformedSlip(reason=str(error)) from error
        _require(_SHA256.fullmatch(self.sha256), f"the digest of {names.shown(self.name)}")
        _require(0 <= self.size_bytes <= _GREATEST, f"the size of {names.shown(self.name)}")


@dataclass(frozen=True)
class Slip:
    """What the vendor says of one kit.

    `medium_kind` and `medium_serial` may be empty: a kit that was sent by mail. `artifacts` are the names of the
    release's files that were sent, maybe not all. `issued_at` is aware. Raises MalformedSlip.
    """

    delivery_number: str
    recipient_name: str
    organisation_code: str
    organisation_name: str
    medium_kind: str
    medium_serial: str
    product: str
    version: str
    counter: int
    manifest_sha256: str
    issued_at: datetime
    artifacts: tuple[str, ...]
    files: tuple[SlipFile, ...] = ()

    def __post_init__(self) -> None:
        _require(self.delivery_number and self.recipient_name, "the delivery's number or its recipient")
        _require(self.organisation_code and self.organisation_name, "the organisation")
        _require(self.product and self.version, "product or version")
        _require(0 < self.counter <= _GREATEST, "the release counter")
        _require(_SHA256.fullmatch(self.manifest_sha256), "the digest of the manifest")
        _require(self.issued_at.tzinfo is not None, "the time of issue")
        _require(self.artifacts and len(set(self.artifacts)) == len(self.artifacts), "the list of artifacts")
        _require(len({file.name for file in self.files}) == len(self.files), "the list of files")
        object.__setattr__(self, "issued_at", self.issued_at.astimezone(UTC))
        object.__setattr__(self, "artifacts", tuple(sorted(self.artifacts)))
        object.__setattr__(self, "files", tuple(sorted(self.files, key=lambda file: file.name)))

    @property
    def digests(self) -> dict[str, str]:
        """Path in the kit → SHA-256."""
        return {file.name: file.sha256 for file in self.files}

    def require_of(self, manifest: ReleaseManifest, manifest_sha256: str) -> None:
        """Raises SlipDisagrees unless the slip was written for this manifest, whose bytes have that digest."""
        listed = set(manifest.digests)
        disagreements = {
            "the digest of the manifest": self.manifest_sha256 != manifest_sha256,
            "product or version": (self.product, self.version) != (manifest.product, manifest.version),
            "the release counter": self.counter != manifest.counter,
            "the list of artifacts": not listed.issuperset(self.artifacts),
            "the list of files": not listed.isdisjoint(self.digests),
        }
        for what, is_so in disagreements.items():
            if is_so:
                raise SlipDisagrees(what=what)

    def require_for(self, customer: str) -> None:
        """Raises OtherCustomer unless the slip names the organisation of that code."""
        if self.organisation_code.casefold() != customer.casefold():
            raise OtherCustomer(found=names.shown(self.organisation_code), customer=customer)

    def to_statement(self) -> bytes:
        """The statement's bytes; the same slip always gives the same."""
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": file.name, "digest": {"sha256": file.sha256}} for file in self.files],
            "predicateType": SLIP_PREDICATE_TYPE,
            "predicate": {
                "delivery": self.delivery_number,
                "recipient": self.recipient_name,
                "organisation": {"code": self.organisation_code, "name": self.organisation_name},
                "medium": {"kind": self.medium_kind, "serial": self.medium_serial},
                "product": self.product,
                "version": self.version,
                "counter": self.counter,
                "manifest": {"sha256": self.manifest_sha256},
                "issuedAt": self.issued_at.isoformat().replace("+00:00", "Z"),
                "artifacts": list(self.artifacts),
                "files": [{"name": file.name, "size": file.size_bytes} for file in self.files],
            },
        }
        return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_statement(cls, data: bytes) -> Self:
        """Read a statement. Raises MalformedSlip. Call it only on bytes whose signature has been verified."""
        try:
            return cls._read(JsonObject(parse_json(data)))
        except MalformedManifest as error:
            raise MalformedSlip(**error.facts) from error

    @classmethod
    def _read(cls, statement: JsonObject) -> Self:
        _require(statement.text("_type") == STATEMENT_TYPE, "the type of the statement")
        _require(statement.text("predicateType") == SLIP_PREDICATE_TYPE, "the type of the predicate")
        predicate = statement.object("predicate")
        organisation, medium = predicate.object("organisation"), predicate.object("medium")
        return cls(
            delivery_number=predicate.text("delivery"),
            recipient_name=predicate.text("recipient"),
            organisation_code=organisation.text("code"),
            organisation_name=organisation.text("name"),
            medium_kind=medium.text("kind"),
            medium_serial=medium.text("serial"),
            product=predicate.text("product"),
            version=predicate.text("version"),
            counter=predicate.number("counter"),
            manifest_sha256=predicate.object("manifest").text("sha256"),
            issued_at=instant(predicate.text("issuedAt"), "the time of issue"),
            artifacts=tuple(predicate.texts("artifacts")),
            files=_files(statement, predicate),
        )


def sign_slip(slip: Slip, signer: Signer) -> bytes:
    """The slip in its envelope, as JSON. ECDSA signatures differ each time: keep what this gives."""
    payload = slip.to_statement()
    Slip.from_statement(payload)  # what can't be read back must not be signed
    return sign_statement(payload, signer)


def open_slip(envelope: bytes, keys: KeyRing) -> Slip:
    """The slip inside, once a key of the ring vouches for it.

    Raises MalformedSlip, UnknownKey, BadSignature, RetiredKey, RevokedKey.
    """
    try:
        payload, key = open_statement(envelope, keys, _WHAT)
    except MalformedManifest as error:
        raise MalformedSlip(**error.facts) from error
    slip = Slip.from_statement(payload)
    key.require_trusted(slip.issued_at)
    return slip


def _files(statement: JsonObject, predicate: JsonObject) -> tuple[SlipFile, ...]:
    digests = [(item.text("name"), item.object("digest").text("sha256")) for item in statement.objects("subject")]
    sizes = {item.text("name"): item.number("size") for item in predicate.objects("files")}
    _require(len(digests) == len(sizes) == len(predicate.objects("files")), "the list of files")
    _require({name for name, _ in digests} == sizes.keys(), "the list of files")
    return tuple(SlipFile(name, sha256, sizes[name]) for name, sha256 in digests)


def _require(holds: object, what: str) -> None:
    if not holds:
        raise MalformedSlip(reason=f"{what} is missing or not as it must be.")
