"""In which language and time zone a page speaks: the reader's choice, then the person's, then the browser's."""

from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, make_response, redirect, request
from flask_babel import Babel, gettext

from portal.config import LANGUAGES
from portal.errors import NotFound
from portal.web.guard import actor, public
from portal.web.unit_of_work import resources

COOKIE = "language"
YEAR_SECONDS = 365 * 24 * 3600
LANGUAGE_NAMES = {"en": "English", "ru": "Русский"}

bp = Blueprint("locale", __name__)


def chosen_language() -> str:
    if "language" not in g:
        cookie = request.cookies.get(COOKIE)
        if cookie in LANGUAGES:
            g.language = cookie
        elif actor().is_somebody:
            g.language = actor().language
        else:
            g.language = request.accept_languages.best_match(LANGUAGES) or resources().config.default_language
    return cast("str", g.language)


def chosen_time_zone() -> str:
    return actor().time_zone if actor().is_somebody else resources().config.vendor_time_zone


def here_or_home(target: str | None) -> str:
    """A path of this portal to go back to; anything that leads elsewhere becomes the home page."""
    if not target:
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:  # `//[` is no address at all
        return "/"
    is_ours = not parts.scheme and not parts.netloc and target.startswith("/")
    is_plain = not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if is_ours and is_plain else "/"


@bp.post("/language/<code>")
@public
def choose(code: str) -> Response:
    if code not in LANGUAGES:
        raise NotFound
    response = make_response(redirect(here_or_home(request.form.get("next")), 303))
    response.set_cookie(
        COOKIE, code, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=resources().config.is_https
    )
    return response


def translate(text: str) -> str:
    """Put a sentence that was marked elsewhere into the reader's language."""
    return gettext(text) if text else ""


def install(app: Flask) -> None:
    app.register_blueprint(bp)
    folders = sorted(str(folder) for folder in Path(app.root_path).glob("**/translations"))
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(folders)
    Babel(app, locale_selector=chosen_language, timezone_selector=chosen_time_zone)
    app.jinja_env.globals.update(languages=LANGUAGE_NAMES, current_language=chosen_language, translate=translate)
    app.jinja_env.filters["translated"] = translate
