"""API tokens: recognisable by prefix, checked for typing errors before any look-up, kept as a hash only.

`rp_` + 32 characters of base 62 (190 random bits) + `_` + CRC-32 of all before, 6 characters of base 62.
"""

import hashlib
import secrets
import string
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.accounts.errors import BadTokenDays, NoScope, ScopeNotHeld
from portal.accounts.models import ApiToken, Person
from portal.accounts.service import checked_name
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.permissions import SCOPE_PERMISSIONS, Permission, Scope, permissions_of

PREFIX = "rp_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH, CHECK_LENGTH, HINT_LENGTH = 32, 6, 7
LONGEST_NAME = 100
MOST_DAYS = 366


@dataclass(frozen=True)
class NewToken:
    """What a person asks for; `expires_in` is a year at most."""

    name: str
    scopes: frozenset[Scope]
    expires_in: timedelta


def make() -> str:
    """A new token's text."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return f"{body}_{_check(body)}"


def is_well_formed(text: str) -> bool:
    """Whether the text can be a token at all: prefix, length, alphabet, checksum."""
    body, _, check = text.rpartition("_")
    secret = body.removeprefix(PREFIX)
    has_form = body.startswith(PREFIX) and len(secret) == SECRET_LENGTH and all(letter in ALPHABET for letter in secret)
    return has_form and check == _check(body)


def digest(secret: str) -> str:
    """How a secret of full entropy is kept: SHA-256, hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def scopes_held(permissions: frozenset[Permission]) -> tuple[Scope, ...]:
    """The scopes whose every permission is held."""
    return tuple(scope for scope in Scope if SCOPE_PERMISSIONS[scope] <= permissions)


def create_token(session: Session, person: Person, new: NewToken, *, by: Actor, at: datetime) -> tuple[ApiToken, str]:
    """A token of the person's own and its text, which nobody can read again.

    Raises BadName, BadTokenDays, NoScope, ScopeNotHeld.
    """
    name = checked_name(new.name)[:LONGEST_NAME]
    if not timedelta(days=1) <= new.expires_in <= timedelta(days=MOST_DAYS):
        raise BadTokenDays
    _require_held(new.scopes, permissions_of(person.roles) & by.permissions)
    text = make()
    token = ApiToken(
        person_id=person.id,
        name=name,
        hint=text[:HINT_LENGTH],
        secret_hash=digest(text),
        scope_words=sorted(new.scopes),
        created_at=at,
        expires_at=at + new.expires_in,
    )
    session.add(token)
    audit.record(session, Tag.TOKEN_CREATE, by=by, at=at, subject=token, named=f"{person.name}: {name}",
                 scopes=sorted(new.scopes), expires_at=token.expires_at)  # fmt: skip
    return token, text


def revoke_token(session: Session, token: ApiToken, *, by: Actor, at: datetime) -> None:
    """A revoked token opens nothing from the next request on; revoking twice is no error."""
    session.flush()  # our own changes would be overwritten by what is read now
    session.refresh(token, ["revoked_at"], with_for_update=True)  # twice at once is once
    if token.revoked_at is None:
        token.revoked_at = at
        audit.record(session, Tag.TOKEN_REVOKE, by=by, at=at, subject=token, named=token.name)


def _require_held(scopes: Iterable[Scope], permissions: frozenset[Permission]) -> None:
    wanted = sorted(scopes)
    if not wanted:
        raise NoScope
    held = scopes_held(permissions)
    for scope in wanted:
        if scope not in held:
            raise ScopeNotHeld(scope=scope.value)


def _check(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters = ALPHABET[rest] + letters
    return letters
