"""The evidence pack of a delivery, for whoever may see the delivery."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.deliveries import queries
from portal.evidence import packing, service
from portal.permissions import Permission
from portal.web.files import send_text
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language
from portal.web.unit_of_work import let_go, resources, session

bp = Blueprint("evidence", __name__)


@bp.get("/deliveries/<uuid:delivery_id>/evidence.zip")
@requires(Permission.DELIVERIES_READ)
def pack(delivery_id: UUID) -> ResponseReturnValue:
    """What proves the delivery, sealed now, as an archive that anybody can check."""
    delivery = queries.get(session(), delivery_id, visible_to=actor())
    found = service.find(session(), delivery)
    session().expunge_all()  # no lock is held while papers are drawn and bytes fetched
    let_go()
    kept = resources()
    parts = service.fetch(found, kept.store, language=chosen_language(), at=now())
    content = packing.pack(parts, kept.keys.ring(), kept.signer(), at=now())
    name = f"evidence {delivery.number or delivery.id}.zip"
    return send_text(name, content, content_type="application/zip")
