"""The cookie that whoever showed the code holds: for one link, for two hours, sent to the link's own pages only."""

from datetime import datetime, timedelta

from flask import Response, request
from itsdangerous import BadSignature, URLSafeSerializer

from portal.config import Config
from portal.mailings.models import MailLink

LASTS = timedelta(hours=2)
PATH = "/m/"
NAME = "portal-link-"


def give(response: Response, link: MailLink, config: Config, at: datetime) -> None:
    """Let this browser open the link's pages from now on."""
    value = _serializer(config).dumps([link.id.hex, link.session_marker, int(at.timestamp())])
    response.set_cookie(
        _name(link),
        str(value),
        max_age=int(LASTS.total_seconds()),
        path=PATH,
        httponly=True,
        samesite="Lax",
        secure=config.is_https,
    )


def take_away(response: Response, link: MailLink) -> None:
    response.delete_cookie(_name(link), path=PATH)


def is_given(link: MailLink, config: Config, at: datetime) -> bool:
    """Whether this request comes from a browser that showed the code less than two hours ago."""
    try:
        told = _serializer(config).loads(request.cookies.get(_name(link), ""))
    except BadSignature:
        return False
    if not isinstance(told, list) or told[:2] != [link.id.hex, link.session_marker]:
        return False
    since = at.timestamp() - float(told[2])
    return -1 < since < LASTS.total_seconds()


def _name(link: MailLink) -> str:
    return NAME + link.id.hex[:12]


def _serializer(config: Config) -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key, salt="mail link")
