"""A folder that holds the release keys of one vendor: one active, the rest retired, and when each spoke.

    keyring.json           who is active since when; replaced whole, never edited in place
    <key id, 16>.pem       the active private key, encrypted (absent when the key lives in a key service)
    <key id, 16>.pub.pem   the public key of each
    .lock                  held while the ring changes

When a key is retired its private file is destroyed: whoever found it later could otherwise back-date a statement.
"""

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from signing.errors import (
    KeyChangedMeanwhile,
    KeyDatesRefused,
    KeyExists,
    KeyFolderDamaged,
    KeyInUse,
    KeyMissing,
    MalformedKey,
)
from signing.keyring import KeyRecord, KeyRing
from signing.keys import (
    OpenedKey,
    PublicKey,
    Secrets,
    create_file_key,
    file_address,
    open_signer,
    public_path_of,
    replace_file,
)

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_STATE = "keyring.json"


class KeyFolder:
    """The keys in one folder. Safe to use from several processes and threads at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key that ever was active, newest first. Raises KeyFolderDamaged."""
        try:
            text = (self.path / _STATE).read_bytes()
        except FileNotFoundError:
            return ()
        try:
            return tuple(self._record(item) for item in json.loads(text)["keys"])
        except (ValueError, KeyError, TypeError, MalformedKey) as error:
            raise KeyFolderDamaged(folder=str(self.path), reason=f"{_STATE} can't be read ({error}).") from error

    def ring(self) -> KeyRing:
        """What a verifier may believe, retired keys included."""
        return KeyRing(self.records())

    def active(self) -> KeyRecord:
        """Raises KeyMissing if no key was made yet, KeyFolderDamaged."""
        record = next((record for record in self.records() if record.active_until is None), None)
        if record is None or record.address is None:
            raise KeyMissing(address=str(self.path))
        return record

    def signer(self, secrets: Secrets) -> OpenedKey:
        """The active key, opened. Raises as `active` and `signing.keys.open_signer` do."""
        record = self.active()
        assert record.address is not None  # noqa: S101 - `active` saw to it
        return open_signer(record.address, secrets, record.public)

    def create(self, secrets: Secrets, *, at: datetime, address: str | None = None) -> KeyRecord:
        """The first key: a new encrypted file, or the one that a key service holds at `address`.

        Raises KeyExists if there is an active key; else as `create_file_key` and `open_signer` do.
        """
        _require_zone(at)
        with self._locked():
            if self.records():
                raise KeyExists(address=str(self.path))
            return self._activate(secrets, (), at, address)

    def rotate(
        self, secrets: Secrets, *, at: datetime, address: str | None = None, replacing: str | None = None
    ) -> KeyRecord:
        """A new active key; the old one is retired at the same instant and its private file destroyed.

        With `replacing`, the key id that the caller believes active, two rotations at once are not both carried out.
        Raises KeyMissing, KeyChangedMeanwhile, KeyDatesRefused; else as `create` does.
        """
        _require_zone(at)
        with self._locked():
            old = self.active()
            if replacing is not None and replacing != old.key_id:
                raise KeyChangedMeanwhile(expected=replacing)
            if old.active_from is not None and at < old.active_from:
                raise KeyDatesRefused(at=at.isoformat(), reason="it is before the key became active.")
            kept = tuple(
                replace(record, active_until=at) if record.key_id == old.key_id else record for record in self.records()
            )
            return self._activate(secrets, kept, at, address)

    def revoke(self, key_id: str, *, at: datetime) -> KeyRecord:
        """A retired key was stolen: nothing that it signed is believed from now on, whatever its date.

        Raises KeyMissing, and KeyInUse for the active key.
        """
        _require_zone(at)
        with self._locked():
            records = self.records()
            revoked = next((record for record in records if record.key_id == key_id), None)
            if revoked is None:
                raise KeyMissing(address=key_id)
            if revoked.active_until is None:
                raise KeyInUse(key_id=key_id)
            revoked = replace(revoked, revoked_at=revoked.revoked_at or at)
            self._write(tuple(revoked if record.key_id == key_id else record for record in records))
            return revoked

    def _activate(self, secrets: Secrets, kept: tuple[KeyRecord, ...], at: datetime, address: str | None) -> KeyRecord:
        """Key files first, then the state that names them: a crash between leaves files that nobody believes."""
        if address is None:
            public, address = self._new_file_key(secrets)
        else:
            public = open_signer(address, secrets).public
            if any(record.key_id == public.key_id for record in kept):
                raise KeyExists(address=address)
            replace_file(self._public_path(public), public.pem.encode(), mode=0o644)
        record = KeyRecord(public, active_from=at, address=address)
        self._write((record, *kept))
        self._destroy_retired(kept)
        return record

    def _new_file_key(self, secrets: Secrets) -> tuple[PublicKey, str]:
        made = self.path / f".making-{uuid.uuid4().hex}.pem"
        public = create_file_key(made, secrets("passphrase"))
        public_path_of(made).rename(self._public_path(public))
        final = self._private_path(public)
        made.rename(final)
        return public, file_address(final)

    def _destroy_retired(self, records: tuple[KeyRecord, ...]) -> None:
        for record in records:
            self._private_path(record.public).unlink(missing_ok=True)

    def _private_path(self, public: PublicKey) -> Path:
        return self.path / f"{public.key_id[:16]}.pem"

    def _public_path(self, public: PublicKey) -> Path:
        return public_path_of(self._private_path(public))

    def _record(self, item: dict[str, Any]) -> KeyRecord:
        """An address of a file in this folder is kept as its name, so that the folder may be moved."""
        address = item["address"]
        if item.get("in_folder"):
            address = file_address(self.path / address)
        return KeyRecord.from_published(item, address)

    def _write(self, records: tuple[KeyRecord, ...]) -> None:
        items = []
        for record in records:
            private = self._private_path(record.public)
            in_folder = record.address == file_address(private)
            address = private.name if in_folder else record.address
            items.append({**record.published(), "address": address, "in_folder": in_folder})
        replace_file(self.path / _STATE, json.dumps({"version": 1, "keys": items}, indent=1).encode(), mode=0o644)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path / ".lock").open("ab") as lock:
            if sys.platform == "win32":
                msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
            else:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _require_zone(at: datetime) -> None:
    if at.tzinfo is None:
        raise KeyDatesRefused(at=at.isoformat(), reason="it names no time zone.")
