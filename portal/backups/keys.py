"""The keys of customers: 32 random bytes each, wrapped under a key made from the portal's secret key.

A copy of the database alone opens nothing, a copy of the object store alone neither. When PORTAL_SECRET_KEY changes,
the one before it (PORTAL_OLD_SECRET_KEY) still opens, until `portal backups rewrap` has put every key under the new
one; the backups themselves stay as they are.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.backups.errors import BackupKeyUnreadable
from portal.backups.models import CustomerKey
from portal.backups.sealing import KEY_BYTES
from portal.config import Config

SALT_BYTES, NONCE_BYTES = 32, 12
_PURPOSE = b"portal: key of a customer's backups, version 1"


@dataclass(frozen=True)
class KeyRing:
    """Wraps under `secret`; opens what is under it or under `old`, if there is one."""

    secret: str = field(repr=False)
    old: str = field(default="", repr=False)

    @classmethod
    def of(cls, config: Config) -> "KeyRing":
        return cls(config.secret_key, config.old_secret_key)

    def make(self, organisation_id: UUID, at: datetime) -> tuple[CustomerKey, bytes]:
        """A fresh data key, as the row that keeps it (not yet in a session) and as it is."""
        data_key = secrets.token_bytes(KEY_BYTES)
        row = CustomerKey(id=uuid4(), organisation_id=organisation_id, created_at=at)
        self._wrap(row, data_key, at)
        return row, data_key

    def open(self, row: CustomerKey) -> bytes:
        """The data key. Raises BackupKeyUnreadable."""
        try:
            return _unwrapped(row, self.secret)
        except InvalidTag as error:
            if not self.old:
                raise BackupKeyUnreadable from error
        try:
            return _unwrapped(row, self.old)
        except InvalidTag as error:
            raise BackupKeyUnreadable from error

    def rewrap(self, row: CustomerKey, at: datetime) -> bool:
        """Put the key under the present secret; False if it is there already. Raises BackupKeyUnreadable."""
        try:
            _unwrapped(row, self.secret)
        except InvalidTag:
            self._wrap(row, self.open(row), at)
            return True
        return False

    def _wrap(self, row: CustomerKey, data_key: bytes, at: datetime) -> None:
        row.salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
        row.wrapped = nonce + _cipher(row, self.secret).encrypt(nonce, data_key, _bound(row))
        row.wrapped_at = at


def _unwrapped(row: CustomerKey, secret: str) -> bytes:
    return _cipher(row, secret).decrypt(row.wrapped[:NONCE_BYTES], row.wrapped[NONCE_BYTES:], _bound(row))


def _cipher(row: CustomerKey, secret: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_BYTES, row.salt, _PURPOSE).derive(secret.encode()))


def _bound(row: CustomerKey) -> bytes:
    return row.organisation_id.bytes + row.id.bytes
