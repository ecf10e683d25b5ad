"""The catalogue for programs: the same shelf, the same decisions (P14)."""

from uuid import UUID

from flask import Blueprint, jsonify, url_for
from flask.typing import ResponseReturnValue

from portal.catalogue import queries
from portal.catalogue.payloads import files_payload, product_payload, row_payload
from portal.errors import NotFound
from portal.permissions import Permission
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session

bp = Blueprint("catalogue_api", __name__, url_prefix="/api/v1/catalogue")


def _customer() -> UUID:
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    return organisation_id


@bp.get("")
@requires(Permission.CATALOGUE_READ)
def newest() -> ResponseReturnValue:
    """The products on the caller's shelf and the newest releases that it may take."""
    customer, at = _customer(), now()
    return jsonify(
        products=[product_payload(one.product) for one in queries.my_products(session(), customer, at)],
        newest=[row_payload(row) for row in queries.newest(session(), customer, at)],
    )


@bp.get("/<code>")
@requires(Permission.CATALOGUE_READ)
def product(code: str) -> ResponseReturnValue:
    customer, at = _customer(), now()
    shown = queries.get_product(session(), code, customer, at)
    shelves = queries.shelves(session(), shown, customer, at)
    return jsonify(
        product=product_payload(shown), releases=[row_payload(row) for shelf in shelves for row in shelf.rows]
    )


@bp.get("/<code>/<version>")
@requires(Permission.CATALOGUE_READ)
def release(code: str, version: str) -> ResponseReturnValue:
    """One release with files, decision and where its proof lies."""
    customer, at = _customer(), now()
    shown = queries.get_release(session(), queries.get_product(session(), code, customer, at), version, customer, at)
    row = queries.rows_of(session(), [shown], customer, at, set())[0]
    proof = {
        name: url_for("deliveries.side_file", release_id=shown.id, name=name)
        for name in ("SHA256SUMS", "SHA256SUMS.sig", "manifest.dsse.json")
    }
    return jsonify(release=row_payload(row), files=files_payload(shown), proof=proof)
