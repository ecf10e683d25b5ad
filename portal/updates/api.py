"""Updates for programs: to read."""

from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.permissions import Permission
from portal.texts import searchable
from portal.updates import queries
from portal.updates.payloads import update_payload, whole_update_payload
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("updates_api", __name__, url_prefix="/api/v1")


@bp.get("/updates")
@requires(Permission.UPDATES_READ)
def updates() -> ResponseReturnValue:
    """`q` narrows by number, product, version; `open=1` to those that are not finished; `page` counts from 1."""
    narrowed = queries.Narrowed(searchable(request.args.get("q", "")), request.args.get("open") == "1")
    page = page_of(session(), queries.updates(narrowed, visible_to=actor()))
    return jsonify(updates=[update_payload(one) for one in page.rows], has_next=page.has_next)


@bp.get("/updates/<uuid:update_id>")
@requires(Permission.UPDATES_READ)
def update(update_id: UUID) -> ResponseReturnValue:
    return jsonify(whole_update_payload(queries.get(session(), update_id, visible_to=actor())))
