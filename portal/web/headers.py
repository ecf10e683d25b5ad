"""What every answer carries: a strict Content-Security-Policy, and no caching of what belongs to one person."""

from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, request
from werkzeug.routing import RequestRedirect

from portal.web.locale import here_or_home

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; "  # Bootstrap's own icons are data: pictures inside its style sheet
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def keep_to_itself(response: Response) -> Response:
    """For pages whose address is a secret: no path is told to anybody, no copy is kept, no search engine lists it.

    Not `no-referrer`: the page's own forms would come without their origin too, and the check of forged requests over
    HTTPS would refuse them.
    """
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Cache-Control"] = "no-store"
    return response


def _without_host(address: str) -> str:
    """The address within the portal: the host in it is the one that the request claims to have asked."""
    parts = urlsplit(address)
    return here_or_home(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def install(app: Flask, *, is_https: bool) -> None:
    @app.after_request
    def harden(response: Response) -> Response:
        if isinstance(request.routing_exception, RequestRedirect):
            response = make_response(redirect(_without_host(request.routing_exception.new_url), response.status_code))
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        if is_https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if not (request.endpoint or "").endswith("static"):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
