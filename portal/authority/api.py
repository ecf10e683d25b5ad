"""Authorized persons for programs."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.authority import queries
from portal.authority.payloads import person_payload
from portal.permissions import Permission
from portal.texts import searchable
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("authority_api", __name__, url_prefix="/api/v1")


@bp.get("/authorized-persons")
@requires(Permission.AUTHORITY_READ)
def people() -> ResponseReturnValue:
    """The customer's own, for staff every customer's; `q` narrows, `page` goes on while `next` says there is more."""
    text = searchable(request.args.get("q", ""))
    page = page_of(session(), queries.people(visible_to=actor(), text=text))
    following = page.number + 1 if page.has_next else None
    return jsonify(authorized_persons=[person_payload(row, now()) for row in page.rows], next=following)
