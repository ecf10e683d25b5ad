"""Entitlements for programs."""

from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.entitlements import queries
from portal.entitlements.payloads import decision_payload
from portal.entitlements.why_pages import customer_in_question, decision_for
from portal.errors import InvalidInput, mark
from portal.permissions import Permission
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session

bp = Blueprint("entitlements_api", __name__, url_prefix="/api/v1")


class ReleaseNotNamed(InvalidInput):
    code = "release-not-named"
    sentence = mark("Name the release by its id: ?release=….")


@bp.get("/decisions")
@requires(Permission.DELIVERIES_READ)
def decisions() -> ResponseReturnValue:
    """May the caller's organisation (for staff: `customer=<id>`) take `release=<id>` now, and why."""
    try:
        release_id = UUID(request.args.get("release", ""))
    except ValueError as error:
        raise ReleaseNotNamed from error
    customer = customer_in_question(session(), actor())
    release = queries.subject(session(), release_id, customer.id, now(), visible_to=actor())
    return jsonify(decision_payload(decision_for(session(), actor(), customer, release), customer, release))
