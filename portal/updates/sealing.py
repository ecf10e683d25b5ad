"""Access information at rest: AES-256-GCM (NIST SP 800-38D) under a key that needs two things to be made.

The key is HKDF-SHA256 (RFC 5869) of the portal's secret key with 32 random bytes of the update request as salt: a
copy of the database alone opens nothing, nor does the secret key alone. When an update ends, the sealed bytes and the
salt are both overwritten; where a database keeps old versions of rows for a while, they are noise to whoever lacks
the portal's secret key. The request's and the piece's ids are bound in, so that no row can be put in another's place.

Rotation: access information lives for the days of one update. After a change of PORTAL_SECRET_KEY what was sealed
before answers `access-secret-unreadable`, and the customer enters it again; nothing is sealed anew, so that no key is
needed after its day.
"""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.updates.errors import SecretUnreadable

SALT_BYTES, NONCE_BYTES, KEY_BYTES = 32, 12, 32
_PURPOSE = b"portal: access information of an update, version 1"


@dataclass(frozen=True)
class Sealer:
    """Seals and opens with the portal's secret key, which its repr does not show."""

    secret_key: str = field(repr=False)

    def seal(self, text: str, salt: bytes, *names: UUID) -> bytes:
        """Nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher(salt).encrypt(nonce, text.encode(), _bound(names))

    def open(self, sealed: bytes, salt: bytes, *names: UUID) -> str:
        """Raises SecretUnreadable."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher(salt).decrypt(nonce, rest, _bound(names)).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable from error

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, _PURPOSE).derive(self.secret_key.encode()))


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def noise(length: int) -> bytes:
    """What is written over a secret: as long, so that it lies in the same place."""
    return secrets.token_bytes(length)


def _bound(names: tuple[UUID, ...]) -> bytes:
    return b"".join(name.bytes for name in names)
