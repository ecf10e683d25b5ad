"""An encrypted PKCS#8 private key (RFC 5958, RFC 8018 PBES2) that costs a guesser something.

cryptography's own `BestAvailableEncryption` writes PBKDF2 with 2,048 rounds and offers no way to ask for more; a
stolen key file would then fall to a dictionary. The structure is written out here, with 600,000 rounds (OWASP's
figure for PBKDF2 with SHA-256); cryptography and openssl both read it.
"""

import base64
import os

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ROUNDS = 600_000
_SEQUENCE, _INTEGER, _OCTETS, _OID, _NULL = 0x30, 0x02, 0x04, 0x06, b"\x05\x00"
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")
_AES256_CBC = bytes.fromhex("60864801650304012a")


def encrypted_pem(key: ec.EllipticCurvePrivateKey, passphrase: str) -> bytes:
    """`key` as `ENCRYPTED PRIVATE KEY`: PBKDF2-HMAC-SHA256, then AES-256-CBC."""
    salt, iv = os.urandom(16), os.urandom(16)
    secret = PBKDF2HMAC(hashes.SHA256(), 32, salt, ROUNDS).derive(passphrase.encode())
    pad = padding.PKCS7(algorithms.AES256.block_size).padder()
    plain = pad.update(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())) + pad.finalize()
    encryptor = Cipher(algorithms.AES256(secret), modes.CBC(iv)).encryptor()
    body = encryptor.update(plain) + encryptor.finalize()
    derivation = _tlv(_SEQUENCE, _tlv(_OID, _PBKDF2), _tlv(
        _SEQUENCE, _tlv(_OCTETS, salt), _tlv(_INTEGER, ROUNDS.to_bytes(ROUNDS.bit_length() // 8 + 1, "big")),
        _tlv(_SEQUENCE, _tlv(_OID, _HMAC_SHA256), _NULL),
    ))  # fmt: skip
    cipher = _tlv(_SEQUENCE, _tlv(_OID, _AES256_CBC), _tlv(_OCTETS, iv))
    scheme = _tlv(_SEQUENCE, _tlv(_OID, _PBES2), _tlv(_SEQUENCE, derivation, cipher))
    text = base64.b64encode(_tlv(_SEQUENCE, scheme, _tlv(_OCTETS, body))).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(
        ["-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, "-----END ENCRYPTED PRIVATE KEY-----", ""]
    ).encode()


def _tlv(tag: int, *parts: bytes) -> bytes:
    """Tag, length, value (X.690 §8.1), for values below 64 KiB."""
    value = b"".join(parts)
    size = len(value)
    short = 0x80
    if size < short:
        return bytes([tag, size]) + value
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, short | len(octets)]) + octets + value
