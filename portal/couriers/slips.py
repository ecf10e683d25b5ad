"""What a parcel's papers carry to open its receipt: a long secret in the QR code, a short code for who types.

Both come from the portal's secret key and the consignment's id, so that papers can be printed again although only the
digests are kept.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from uuid import UUID

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which people mistake for each other."""
CODE_CHARS = 10
GROUP_CHARS = 5
SECRET_BYTES = 16
LONGEST_TYPED = 64


def secret_of(consignment_id: UUID, secret_key: str) -> str:
    """128 bits for the address in the QR code, which a telephone reads the better the shorter it is."""
    return urlsafe_b64encode(_mac(consignment_id, secret_key, "receipt secret")[:SECRET_BYTES]).decode().rstrip("=")


def code_of(consignment_id: UUID, secret_key: str) -> str:
    """50 bits in two groups, `7KQ2M-9PXAB`: enough where wrong codes are counted and the delivery's number is asked."""
    number = int.from_bytes(_mac(consignment_id, secret_key, "receipt code"))
    letters = "".join(ALPHABET[number >> 5 * place & 31] for place in range(CODE_CHARS))
    return f"{letters[:GROUP_CHARS]}-{letters[GROUP_CHARS:]}"


def digest(text: str) -> str:
    """What is kept of a secret or of a code as `typed` gives it: SHA-256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def typed(code: str) -> str:
    """The code as somebody typed it, in the one way in which it is kept: capitals and digits, no dash."""
    return "".join(sign for sign in code[:LONGEST_TYPED].upper() if sign.isalnum())


def _mac(consignment_id: UUID, secret_key: str, purpose: str) -> bytes:
    return hmac.digest(secret_key.encode(), f"{purpose}:{consignment_id}".encode(), "sha256")
