"""The blueprint that the pages of couriers share."""

from flask import Blueprint

from portal.couriers.states import (
    INCIDENT_OUTCOME_TITLES,
    INCIDENT_TITLES,
    MEDIUM_KIND_TITLES,
    MEDIUM_OWNER_TITLES,
    MEDIUM_STATE_TITLES,
    WRITING_OUTCOME_TITLES,
    MediumState,
)
from portal.deliveries.states import EVENT_TITLES
from portal.deliveries.wording import STATE_BADGES, state_title
from portal.web.headers import keep_to_itself

bp = Blueprint("couriers", __name__, template_folder="templates")
receipt_bp = Blueprint("receipts", __name__, template_folder="templates", url_prefix="/r")
"""What the holder of the papers sees; its addresses are secrets."""

MEDIUM_BADGES = {
    MediumState.IN_STOCK: "good",
    MediumState.WRITTEN: "info",
    MediumState.IN_TRANSIT: "info",
    MediumState.AT_CUSTOMER: "calm",
    MediumState.RETURNED: "warn",
    MediumState.LOST: "bad",
    MediumState.DESTROYED: "calm",
}


receipt_bp.after_request(keep_to_itself)


@receipt_bp.context_processor
@bp.context_processor
def words() -> dict[str, object]:
    return {
        "incident_titles": INCIDENT_TITLES,
        "outcome_titles": INCIDENT_OUTCOME_TITLES,
        "kind_titles": MEDIUM_KIND_TITLES,
        "owner_titles": MEDIUM_OWNER_TITLES,
        "medium_titles": MEDIUM_STATE_TITLES,
        "medium_badges": MEDIUM_BADGES,
        "writing_titles": WRITING_OUTCOME_TITLES,
        "state_title": state_title,
        "state_badges": STATE_BADGES,
        "event_titles": EVENT_TITLES,
    }
