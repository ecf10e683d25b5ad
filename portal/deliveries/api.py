"""The ledger for programs (P14)."""

from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.deliveries import queries, receipt
from portal.deliveries.forms import chosen_filter
from portal.deliveries.payloads import delivery_payload, told_digest, whole_payload
from portal.permissions import Permission
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("deliveries_api", __name__, url_prefix="/api/v1")


@bp.get("/deliveries")
@requires(Permission.DELIVERIES_READ)
def index() -> ResponseReturnValue:
    """The ledger, newest first: a customer's own, all for the vendor; `q`, `state`, `customer` (id), `page`."""
    page = page_of(session(), queries.deliveries(chosen_filter(request.args), visible_to=actor()))
    return jsonify(
        deliveries=[delivery_payload(delivery) for delivery in page.rows],
        page=page.number,
        next=page.address_of(page.number + 1) if page.has_next else None,
    )


@bp.get("/deliveries/<uuid:delivery_id>")
@requires(Permission.DELIVERIES_READ)
def show(delivery_id: UUID) -> ResponseReturnValue:
    return jsonify(whole_payload(queries.get(session(), delivery_id, visible_to=actor())))


@bp.post("/deliveries/<uuid:delivery_id>/confirm")
@requires(Permission.DOWNLOAD)
def confirm(delivery_id: UUID) -> ResponseReturnValue:
    """Take `{"sha256": "…"}`: the digest that the recipient computed. 422 `digest-differs` when it is another."""
    queries.get(session(), delivery_id, visible_to=actor())  # 404 before anything is said of the body
    digest = told_digest(request.get_data())
    receipt.confirm(delivery_id, digest)
    return jsonify(whole_payload(queries.get(session(), delivery_id, visible_to=actor())))
