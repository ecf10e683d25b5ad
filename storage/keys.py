"""Names of objects, the same for every backend."""

import re

from storage.errors import InvalidDigest, InvalidKey

MAX_KEY_CHARS = 512
# What every file system takes as a name.
MAX_SEGMENT_CHARS = 255
# Keys are chosen by the program, never by a person, so a short alphabet costs nothing and shuts out NUL, `..`,
# backslashes, case-folding and Unicode's several spellings of one name. A leading dot is kept for the store itself.
_SEGMENT = re.compile(r"[A-Za-z0-9_+=@~-][A-Za-z0-9_+=@~.-]*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CONTENT_KEY = re.compile(r"sha256/([0-9a-f]{2})/([0-9a-f]{62})")


def check_key(key: str) -> str:
    """The key itself, if it may name an object.

    A key is one or more segments joined by `/`, each of ASCII letters, digits and `_+=@~.-`, not beginning with a dot.
    Raises InvalidKey.
    """
    if len(key) > MAX_KEY_CHARS:
        raise InvalidKey(key, f"longer than {MAX_KEY_CHARS} characters")
    for segment in key.split("/"):
        if not segment:
            raise InvalidKey(key, "empty, absolute, or with an empty segment")
        if len(segment) > MAX_SEGMENT_CHARS:
            raise InvalidKey(key, f"a segment is longer than {MAX_SEGMENT_CHARS} characters")
        if not _SEGMENT.fullmatch(segment):
            raise InvalidKey(key, "a segment begins with a dot or has a character outside A-Z a-z 0-9 _+=@~.-")
    return key


def check_prefix(prefix: str) -> str:
    """The beginning of keys, as `list` takes it: like a key, but may be empty or end inside or after a segment."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


def check_digest(sha256: str) -> str:
    """The digest in lower case; raises InvalidDigest."""
    digest = sha256.lower()
    if not _DIGEST.fullmatch(digest):
        raise InvalidDigest(sha256)
    return digest


def content_key(sha256: str) -> str:
    """The key under which `receive` keeps the bytes with this digest; raises InvalidDigest."""
    digest = check_digest(sha256)
    return f"sha256/{digest[:2]}/{digest[2:]}"


def digest_in(key: str) -> str | None:
    """The SHA-256 that a content key states, and None for any other key."""
    found = _CONTENT_KEY.fullmatch(key)
    return found[1] + found[2] if found else None
