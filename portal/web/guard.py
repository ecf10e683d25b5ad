"""Who may come in: every route says which permission it needs, or that it is public; one that says nothing is shut."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, g, request
from flask_wtf.csrf import CSRFProtect

from portal.actors import NOBODY, Actor, Via
from portal.errors import Forbidden, NotFound, SignInRequired
from portal.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC = "public"
csrf = CSRFProtect()


def requires(permission: Permission) -> Callable[[View], View]:
    """Only an actor whose roles (and token scopes) hold the permission reaches the view."""

    def mark_view(view: View) -> View:
        view.__dict__["portal_guard"] = permission
        return view

    return mark_view


def public(view: View) -> View:
    """Anybody reaches the view, signed in or not."""
    view.__dict__["portal_guard"] = PUBLIC
    return view


def accepts_up_to(largest_bytes: int) -> Callable[[View], View]:
    """The view takes a form larger than others may be, from whoever holds its permission."""

    def mark_view(view: View) -> View:
        view.__dict__["portal_largest_bytes"] = largest_bytes
        return view

    return mark_view


def guard_of(app: Flask, endpoint: str) -> Permission | str | None:
    """What the endpoint declares: a permission, PUBLIC, or None when it was forgotten."""
    if endpoint == "static" or endpoint.endswith(".static"):
        return PUBLIC
    return cast("Permission | str | None", getattr(app.view_functions[endpoint], "portal_guard", None))


def _widen(app: Flask, needed: Permission | str | None) -> None:
    """Before anything reads the form: what `accepts_up_to` says."""
    largest_bytes = getattr(app.view_functions[request.endpoint or ""], "portal_largest_bytes", None)
    if largest_bytes is not None and needed in g.actor.permissions:
        request.max_content_length = largest_bytes


def actor() -> Actor:
    """Who asks, as the sign-in or the token of this request says."""
    return cast("Actor", g.get("actor", NOBODY))


def install(app: Flask, load_actor: Callable[[], Actor]) -> None:
    """Check every request before its view runs; `load_actor` reads sign-in or token."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    csrf.init_app(app)

    @app.before_request
    def admit() -> None:
        if request.endpoint is None:  # the address leads nowhere; the 404 follows
            g.actor = load_actor()
            return
        if "\0" in request.path and request.method != "PUT":  # what is put there has its name refused in words
            raise NotFound  # nothing that is kept can be called so: PostgreSQL holds no NUL and takes it for an error
        if request.endpoint == "static" or request.endpoint.endswith(".static"):
            return
        needed = guard_of(app, request.endpoint)
        g.actor = load_actor()
        _widen(app, needed)
        # A token stands in a header that no foreign page can make a browser send; a cookie needs the second proof.
        if g.actor.via is not Via.TOKEN:
            csrf.protect()
        if needed == PUBLIC:
            return
        if not g.actor.is_somebody:
            raise SignInRequired
        if needed is None:
            raise NotFound
        if needed not in g.actor.permissions:
            raise Forbidden(permission=needed)
