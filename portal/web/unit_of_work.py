"""One transaction per request: it commits when the request answers below 400 and rolls back otherwise.

The only `commit()` of the portal stands here. Bytes of a response are sent after it.
"""

from collections.abc import Callable
from typing import cast

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from portal.db import reading
from portal.errors import Conflict, PortalError, ValueUnkeepable
from portal.resources import Resources
from storage import StorageError

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FIRST_REFUSAL = 400


def resources() -> Resources:
    return cast("Resources", current_app.extensions["portal"])


def session() -> Session:
    """The session of this request; its transaction begins with the first use."""
    if "session" not in g:
        g.session = resources().sessions()
        if request.method in SAFE_METHODS and not g.get("writes"):
            reading(g.session)
    return cast("Session", g.session)


def let_go() -> None:
    """End the transaction without writing, so that no lock is held while bytes move; what was loaded is stale.

    The next `session()` begins another, which may write even in a request that only asked to read (a download is
    a GET and still an entry in the ledger). Load again, and check again, what the first one found.
    """
    roll_back()
    g.writes = True


def roll_back() -> None:
    open_session = g.pop("session", None)
    if open_session is not None:
        open_session.close()


def install(app: Flask, answer: Callable[[PortalError], Response]) -> None:
    """End every request's transaction; `answer` words the refusal when the commit itself meets a conflict."""

    @app.after_request
    def end(response: Response) -> Response:
        open_session = g.get("session")
        if open_session is None:
            return response
        try:
            if response.status_code < FIRST_REFUSAL:
                open_session.commit()
        except (IntegrityError, StaleDataError):
            roll_back()
            return answer(Conflict())
        except DataError:
            roll_back()
            return answer(ValueUnkeepable())
        except (PortalError, StorageError) as error:  # who looks on as a transaction commits has a reason against it
            return app.make_response(app.handle_user_exception(error))
        roll_back()
        return response

    @app.teardown_appcontext
    def abandon(_error: BaseException | None) -> None:
        roll_back()
