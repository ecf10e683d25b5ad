"""Devices for programs: the list, a table of them, and the version that runs on one."""

from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from portal.inventory import importing, queries, service
from portal.inventory.errors import BadLines
from portal.inventory.importing import Order
from portal.inventory.models import HowKnown
from portal.inventory.owners import UNPROCESSABLE, owner
from portal.inventory.payloads import device_payload, parse_version_report, preview_payload
from portal.permissions import Permission
from portal.texts import searchable
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import roll_back, session

bp = Blueprint("inventory_api", __name__, url_prefix="/api/v1")


@bp.get("/devices")
@requires(Permission.INVENTORY_READ)
def devices() -> ResponseReturnValue:
    """The caller's own, for staff every customer's (`customer`); `q` narrows; `page` goes on while `next` says so."""
    asked = request.args
    wanted = queries.Wanted(
        searchable(asked.get("customer", "")), searchable(asked.get("q", "")), searchable(asked.get("product", ""))
    )
    page = page_of(session(), queries.devices(wanted, visible_to=actor()))
    following = page.number + 1 if page.has_next else None
    return jsonify(devices=[device_payload(device) for device in page.rows], next=following)


@bp.post("/devices/import")
@requires(Permission.INVENTORY_EDIT)
def import_sheet() -> ResponseReturnValue:
    """The body is the table. `dry_run=1` shows what it would change, with a `token`; sent again with that token,
    exactly that is done. `keep_going=1` takes in the good lines. 422 with every line when some are wrong."""
    content, organisation = request.get_data(), owner(request.args.get("customer"))
    if request.args.get("dry_run"):
        shown = importing.preview(session(), content, organisation, by=actor())
        return jsonify(preview_payload(shown, gettext, applied=False))
    order = Order(content, "API", request.args.get("token"), keep_going=bool(request.args.get("keep_going")))
    try:
        done = importing.take_in(session(), order, organisation, by=actor(), at=now())
    except BadLines:
        roll_back()
        shown = importing.preview(session(), content, owner(request.args.get("customer")), by=actor())
        return jsonify(preview_payload(shown, gettext, applied=False)), UNPROCESSABLE
    return jsonify(preview_payload(done, gettext, applied=True))


@bp.post("/devices/<uuid:device_id>/version")
@requires(Permission.INVENTORY_EDIT)
def version(device_id: UUID) -> ResponseReturnValue:
    """What runs on the device now: {"version": "4.9", "reference": "nightly inventory"} (P14)."""
    device = queries.get_device(session(), device_id, visible_to=actor())
    installed, reference = parse_version_report(request.get_data())
    how = HowKnown.SUPPORT if actor().is_staff else HowKnown.REPORTED
    source = service.Source(how, reference)
    service.set_version(session(), device, installed, source=source, by=actor(), at=now())
    return jsonify(device_payload(device))
