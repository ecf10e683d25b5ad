"""Every refusal becomes an answer here: one table of HTTP statuses, a page for people, problem JSON for programs."""

import logging
from collections.abc import Callable

from flask import Flask, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal.actors import Actor
from portal.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PortalError,
    Refused,
    SignInRequired,
    Unavailable,
    ValueUnkeepable,
    WrongState,
    mark,
)
from portal.web import unit_of_work
from portal.web.guard import actor
from signing import SigningError
from storage import StorageError, StoreFull

log = logging.getLogger(__name__)

STATUSES: tuple[tuple[type[PortalError], int], ...] = (
    (SignInRequired, 401),
    (Forbidden, 403),
    (Refused, 403),
    (NotFound, 404),
    (Conflict, 409),
    (WrongState, 409),
    (InvalidInput, 422),
    (Unavailable, 503),
)
"""The first class that fits decides; `status` on a class of its own overrides."""

SERVER_FAULT, NOT_FOUND, FIRST_ERROR, UNAUTHENTICATED = 500, 404, 400, 401
RETRY_SECONDS = "30"
SIGN_IN_PAGE = "accounts.sign_in"


class ServerFault(PortalError):
    code = "server-fault"
    sentence = mark("The portal made a mistake. It is recorded; nothing of what you sent was half done.")


class DatabaseUnavailable(Unavailable):
    code = "database-unavailable"
    sentence = mark("The portal's database does not answer. Try again in a few minutes.")


class StoreFailed(Unavailable):
    code = "store-unavailable"
    sentence = mark("The object store does not answer. Nothing was changed; try again in a few minutes.")


class StoreIsFull(Unavailable):
    code = "store-full"
    status = 507
    sentence = mark("The object store is full. Nothing was changed; the operator has to make room.")


class KeyUnusable(Unavailable):
    """Signing knows no language of the reader's; its own sentence stands inside ours."""

    code = "key-unusable"
    sentence = mark("The release key can't be used: %(reason)s Nothing was published.")


class FormExpired(PortalError):
    code = "form-expired"
    status = 400
    sentence = mark("This form has expired or is not the portal's own. Go back, reload the page and send it again.")


class OtherRefusal(PortalError):
    """What the HTTP layer itself refuses: a wrong method, a body too large…"""

    code = "http"
    sentence = mark("The request can't be answered: %(reason)s.")


REPLACEMENTS: tuple[tuple[type[Exception], type[PortalError]], ...] = (
    (CSRFError, FormExpired),
    (IntegrityError, Conflict),
    (DataError, ValueUnkeepable),
    (StaleDataError, Conflict),  # the row that was to be changed is gone: another removed it meanwhile
    (OperationalError, DatabaseUnavailable),
)


def status_of(error: PortalError) -> int:
    own = getattr(error, "status", None)
    if isinstance(own, int):
        return own
    return next((status for kind, status in STATUSES if isinstance(error, kind)), SERVER_FAULT)


def wants_json() -> bool:
    if request.path.startswith("/api/") or "Authorization" in request.headers:
        return True  # who sends a token is a program, and is never led to the sign-in page
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def answer(error: PortalError, status: int | None = None) -> Response:
    """The refusal as a page or as RFC 9457 problem details, with the error's stable code in both."""
    status = status or status_of(error)
    sentence = error.sentence_in(gettext)
    if wants_json():
        facts = {name: str(value) for name, value in error.facts.items()}
        response = jsonify(
            type="about:blank", title=error.code, status=status, detail=sentence, code=error.code, facts=facts
        )
        response.content_type = "application/problem+json"
    else:
        response = make_response(render_template("web/error.html", error=error, sentence=sentence, status=status))
    response.status_code = status
    if status in (429, 503):
        response.headers.setdefault("Retry-After", str(error.facts.get("retry_after", RETRY_SECONDS)))
    if status == UNAUTHENTICATED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="portal"'
    return response


def install(app: Flask, record_refusal: Callable[[PortalError, Actor], None]) -> None:
    """Handle every error; `record_refusal` notes a refusal in a transaction of its own, after the rollback."""

    def refused(error: PortalError) -> Response:
        unit_of_work.roll_back()
        if isinstance(error, (Forbidden, Refused)):
            record_refusal(error, actor())
        if isinstance(error, SignInRequired) and not wants_json() and request.method == "GET":
            return make_response(redirect(url_for(SIGN_IN_PAGE, next=request.full_path.rstrip("?")), 303))
        return answer(error)

    app.register_error_handler(PortalError, refused)
    for kind, replacement in REPLACEMENTS:
        app.register_error_handler(kind, _replacing(replacement))
    app.register_error_handler(StorageError, _store_failed)
    app.register_error_handler(SigningError, _signing_failed)
    app.register_error_handler(HTTPException, _http)


def _replacing(replacement: type[PortalError]) -> Callable[[Exception], Response]:
    def handler(error: Exception) -> Response:
        log.warning("%s: %s", replacement.code, error)
        unit_of_work.roll_back()
        return answer(replacement())

    return handler


def _store_failed(error: StorageError) -> Response:
    log.error("object store: %s", error)
    unit_of_work.roll_back()
    return answer(StoreIsFull() if isinstance(error, StoreFull) else StoreFailed())


def _signing_failed(error: SigningError) -> Response:
    log.error("signing: %s", error)
    unit_of_work.roll_back()
    return answer(KeyUnusable(reason=str(error), cause=error.code))


def _http(error: HTTPException) -> Response:
    unit_of_work.roll_back()
    if isinstance(error, InternalServerError):
        return answer(ServerFault(), SERVER_FAULT)
    if error.code == NOT_FOUND:
        return answer(NotFound())
    if error.code is None or error.code < FIRST_ERROR:
        return make_response(error.get_response())
    response = answer(OtherRefusal(reason=error.name), error.code)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "content-range"):
            response.headers[name] = value
    return response
