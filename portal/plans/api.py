"""Plans for programs."""

from uuid import UUID

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from portal.inventory import queries as inventory
from portal.inventory.payloads import device_payload
from portal.permissions import Permission
from portal.plans import queries
from portal.plans.payloads import plan_payload
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session

bp = Blueprint("plans_api", __name__, url_prefix="/api/v1")


@bp.get("/devices/<uuid:device_id>/plan")
@requires(Permission.INVENTORY_READ)
def plan(device_id: UUID) -> ResponseReturnValue:
    """The device and what is next for it (P16)."""
    device = inventory.get_device(session(), device_id, visible_to=actor())
    made = queries.plans_of(session(), [device], now())[device.id]
    return jsonify(device=device_payload(device), plan=plan_payload(made, gettext))
