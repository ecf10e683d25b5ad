"""Public keys with what is known of their time: whose word counts, and until when."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from signing.errors import BadSignature, MalformedKey, RetiredKey, RevokedKey, SigningError, UnknownKey
from signing.keys import PublicKey


class KeyState(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class KeyRecord:
    """A public key and its time; `None` dates are unknown, as of a key that came as a bare PEM file.

    `address` is where the private key is (see signing.keys), kept out of every published form.
    """

    public: PublicKey
    active_from: datetime | None = None
    active_until: datetime | None = None
    revoked_at: datetime | None = None
    address: str | None = None

    @property
    def key_id(self) -> str:
        return self.public.key_id

    @property
    def fingerprint(self) -> str:
        return self.public.fingerprint

    @property
    def state(self) -> KeyState:
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.ACTIVE if self.active_until is None else KeyState.RETIRED

    def require_trusted(self, dated: datetime | None) -> None:
        """Raises RevokedKey, or RetiredKey if a statement of that date (None: undated) is not the key's to make.

        A date before `active_from` is no fault: an old release may be signed anew after its key was lost.
        """
        if self.revoked_at is not None:
            raise RevokedKey(key_id=self.key_id, revoked=self.revoked_at.isoformat())
        if self.active_until is not None and (dated is None or dated >= self.active_until):
            said = dated.isoformat() if dated else "nowhere"
            raise RetiredKey(key_id=self.key_id, until=self.active_until.isoformat(), dated=said)

    def published(self) -> dict[str, Any]:
        """The record as JSON shows it to anybody."""
        return {
            "key_id": self.key_id,
            "public_pem": self.public.pem,
            "active_from": _written(self.active_from),
            "active_until": _written(self.active_until),
            "revoked_at": _written(self.revoked_at),
        }

    @classmethod
    def from_published(cls, data: dict[str, Any], address: str | None = None) -> Self:
        """The inverse. Raises MalformedKey, also when the key id is not that of the key."""
        try:
            public = PublicKey.from_pem(data["public_pem"])
            began, ended, revoked = (_read(data[name]) for name in ("active_from", "active_until", "revoked_at"))
            said = data["key_id"]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedKey(reason="the record of a key lacks a field or holds a malformed one.") from error
        if said != public.key_id:
            raise MalformedKey(reason="the key id does not belong to the key.")
        return cls(public, began, ended, revoked, address)


@dataclass(frozen=True)
class KeyRing:
    """The keys a verifier believes."""

    records: tuple[KeyRecord, ...]

    @classmethod
    def of(cls, *keys: PublicKey) -> Self:
        """A ring of bare keys, with no dates known."""
        return cls(tuple(KeyRecord(key) for key in keys))

    def __iter__(self) -> Iterator[KeyRecord]:
        return iter(self.records)

    def find(self, key_id: str) -> KeyRecord | None:
        return next((record for record in self.records if record.key_id == key_id), None)

    def verify(self, data: bytes, der: bytes, *, dated: datetime | None = None, what: str = "the data") -> KeyRecord:
        """The key whose signature over `data` this is.

        Raises UnknownKey for an empty ring, BadSignature, RetiredKey, RevokedKey (see KeyRecord.require_trusted).
        """
        record = self.signer_of(data, der, what=what)
        record.require_trusted(dated)
        return record

    def signer_of(self, data: bytes, der: bytes, *, what: str = "the data") -> KeyRecord:
        """As `verify`, but whatever the key's dates: for a statement whose date is read only after its signature."""
        if not self.records:
            raise UnknownKey(what=what)
        for record in self.records:
            try:
                record.public.verify(data, der, what)
            except BadSignature:
                continue
            return record
        raise BadSignature(what=what)

    def to_json(self) -> bytes:
        """The ring for publication: public keys and dates, no addresses."""
        return json.dumps({"version": 1, "keys": [record.published() for record in self.records]}, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The inverse. Raises MalformedKey."""
        try:
            document = json.loads(data)
            return cls(tuple(KeyRecord.from_published(item) for item in document["keys"]))
        except SigningError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise MalformedKey(reason="a list of keys in JSON was expected.") from error


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _read(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at
