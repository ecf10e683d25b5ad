"""Passwords: argon2id (RFC 9106), long rather than motley (NIST SP 800-63B §5.1.1.2)."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from portal.accounts.errors import PasswordLikeOwner, PasswordTooCommon, PasswordTooLong, PasswordTooShort

MIN_LENGTH = 12
MAX_LENGTH = 256  # hashing a megabyte is a gift to whoever wants the portal busy

HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
"""The cost of a hash: about 0.1 s and 64 MiB. Tests replace it by a cheap one."""
AT_ONCE = 4
PLACES = BoundedSemaphore(AT_ONCE)
"""More hashes wait: a burst of sign-ins, which anybody can send, would else take 64 MiB for each of its threads."""

COMMON = frozenset(
    """
    123456789012 1234567890123 12345678901234 123456123456 123123123123 111111111111 000000000000 121212121212
    112233445566 qwertyuiop12 qwertyuiop123 qwertyuiop[] qwerty123456 qwertyqwerty qwerty12345678 1q2w3e4r5t6y
    1qaz2wsx3edc 1qaz2wsx3edc4rfv q1w2e3r4t5y6 zaq12wsxcde3 asdfghjkl123 asdfasdfasdf aaaaaaaaaaaa abcdefghijkl
    abcd12345678 abc123abc123 password1234 password12345 password123456 passwordpassword password2024 password2025
    password2026 p@ssw0rd1234 passw0rd1234 administrator administrator1 adminadminadmin admin1234567 letmeinletmein
    letmein12345 welcome12345 welcome123456 iloveyou1234 iloveyouiloveyou changeme1234 changemechangeme
    trustno1trustno1 superman1234 football1234 sunshine1234 princess1234 monkeymonkey releaseportal release-portal
    пароль123456 парольпароль йцукенгшщзхъ йцукен123456 администратор
    """.split()  # noqa: SIM905 - a list of words reads as one
)


def hash_of(password: str) -> str:
    with PLACES:
        return HASHER.hash(password)


def require_good(password: str, *, email: str, name: str) -> None:
    """Raises WeakPassword for one that is too short, too long, the owner's own name or address, or well known."""
    if len(password) < MIN_LENGTH:
        raise PasswordTooShort(least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise PasswordTooLong(most=MAX_LENGTH)
    plain = "".join(password.casefold().split())
    own = (email, email.partition("@")[0], name, name + name, email.partition("@")[0] * 2)
    if plain in {"".join(word.casefold().split()) for word in own}:
        raise PasswordLikeOwner
    if plain in COMMON or len(set(plain)) == 1:
        raise PasswordTooCommon


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed; without a hash, no, in the same time."""
    if len(password) > MAX_LENGTH:
        password = ""  # nobody has an empty one; the time stays the same
    try:
        with PLACES:
            HASHER.verify(password_hash or _nobodys_hash(HASHER), password)
    except (Argon2Error, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made at another cost than today's."""
    return HASHER.check_needs_rehash(password_hash)


@cache
def _nobodys_hash(hasher: PasswordHasher) -> str:
    """What to compare with where there is no hash, at today's cost, so that an unknown address takes as long."""
    return hasher.hash("a password that is never accepted")
