"""Who asks: read from a token or from the session at each request, and held against the database each time."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from flask import Flask, request
from flask import session as cookie
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy import or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload

from portal.accounts import queries, tokens
from portal.accounts.errors import TokenExpired, TokenInvalid
from portal.accounts.models import ApiToken, Person
from portal.accounts.service import actor_of
from portal.actors import NOBODY, Actor, Via
from portal.permissions import permissions_of
from portal.web.formats import now
from portal.web.unit_of_work import resources, roll_back, session

log = logging.getLogger(__name__)

BEARER = "bearer "
SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"
IDLE_SHARE = 4
"""A session that nobody uses ends after this part of `config.session_for`, and any session after the whole."""
USE_NOTED_EVERY = timedelta(minutes=1)
SEEN_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc,unused-ignore]
    """What flask-login holds: `id` stands in the cookie and names person and session epoch."""

    id: str
    actor: Actor


def load_actor() -> Actor:
    """The actor of this request.

    A bearer token decides alone: one that does not open raises TokenInvalid or TokenExpired, whatever the cookie says.
    """
    header = request.headers.get("Authorization", "")
    if header.lower().startswith(BEARER):
        return _by_token(header[len(BEARER) :].strip())
    user = cast("SignedIn | AnonymousUserMixin", current_user._get_current_object())  # noqa: SLF001 - a proxy has no type
    return user.actor if isinstance(user, SignedIn) else NOBODY


def begin_session(person: Person, at: datetime) -> None:
    """Sign the browser in: nothing that the cookie held before goes on, so nobody can have planted it."""
    cookie.clear()
    cookie.permanent = True
    cookie[SIGNED_IN_AT] = cookie[SEEN_AT] = at.timestamp()
    login_user(SignedIn(_user_id(person), actor_of(person, address=request.remote_addr or "")))


def end_session() -> None:
    logout_user()
    cookie.clear()


def install(app: Flask) -> None:
    app.config["SESSION_PROTECTION"] = None  # telephones change their address; the epoch ends sessions instead
    manager = LoginManager(app)
    manager.user_loader(_signed_in)


def _user_id(person: Person) -> str:
    return f"{person.id}.{person.session_epoch}"


def _signed_in(user_id: str) -> SignedIn | None:
    """The person of a cookie, unless disabled since, or of an epoch that is over, or gone for too long."""
    person_id, _, epoch = user_id.partition(".")
    if not _is_fresh(now()):
        return None
    try:
        query = select(Person).where(Person.id == UUID(person_id)).options(*queries.WHOLE_PERSON)
    except ValueError:
        return None
    person = session().scalars(query).unique().one_or_none()
    if person is None or not person.is_active or str(person.session_epoch) != epoch:
        return None
    return SignedIn(user_id, actor_of(person, address=request.remote_addr or ""))


def _is_fresh(at: datetime) -> bool:
    signed_in_at, seen_at = cookie.get(SIGNED_IN_AT), cookie.get(SEEN_AT)
    if not isinstance(signed_in_at, float) or not isinstance(seen_at, float):
        return False
    longest = resources().config.session_for
    last_seen = datetime.fromtimestamp(seen_at, UTC)
    if at >= datetime.fromtimestamp(signed_in_at, UTC) + longest or at >= last_seen + longest / IDLE_SHARE:
        return False
    if at >= last_seen + SEEN_NOTED_EVERY:
        cookie[SEEN_AT] = at.timestamp()
    return True


def _by_token(text: str) -> Actor:
    if not tokens.is_well_formed(text):
        raise TokenInvalid
    whole = joinedload(ApiToken.person)
    token = (
        session()
        .scalars(
            select(ApiToken)
            .where(ApiToken.secret_hash == tokens.digest(text))
            .options(whole.joinedload(Person.organisation), whole.joinedload(Person.role_rows))
        )
        .unique()
        .one_or_none()
    )
    if token is None or token.revoked_at is not None or not token.person.is_active:
        raise TokenInvalid
    if not token.is_open(now()):
        raise TokenExpired
    person = token.person
    _note_use(token, now())
    actor = actor_of(person, via=Via.TOKEN, address=request.remote_addr or "")
    return Actor(**{**vars(actor), "permissions": permissions_of(person.roles, token.scopes)})


def _note_use(token: ApiToken, at: datetime) -> None:
    """Write down when the token was used, once a minute at most and before the request's own transaction begins."""
    if token.last_used_at is not None and at < token.last_used_at + USE_NOTED_EVERY:
        return
    roll_back()  # SQLite has one writer: the request begins again after this one
    stale = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= at - USE_NOTED_EVERY)
    try:
        with resources().sessions.begin() as own:
            own.execute(update(ApiToken).where(ApiToken.id == token.id, stale).values(last_used_at=at))
    except OperationalError:
        log.warning("the use of token %s could not be noted", token.id)
