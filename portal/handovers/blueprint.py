"""The pages of hand-overs stand under one blueprint, in three files: acts, opening, signing."""

from flask import Blueprint

from portal.deliveries.states import CHANNEL_TITLES, DELIVERY_STATE_TITLES, EVENT_TITLES
from portal.deliveries.wording import STATE_BADGES
from portal.handovers.models import ACT_KIND_TITLES, ACT_STATE_TITLES, DOCUMENT_KIND_TITLES, ActState
from portal.handovers.papers import CODE_CHANNEL_TITLES

bp = Blueprint("handovers", __name__, template_folder="templates")

ACT_BADGES = {ActState.OPEN: "warn", ActState.SIGNED: "good", ActState.REFUSED: "bad", ActState.ABANDONED: "calm"}


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "act_states": ACT_STATE_TITLES,
        "act_kinds": ACT_KIND_TITLES,
        "act_badges": ACT_BADGES,
        "document_kinds": DOCUMENT_KIND_TITLES,
        "code_channels": CODE_CHANNEL_TITLES,
        "state_titles": DELIVERY_STATE_TITLES,
        "state_badges": STATE_BADGES,
        "channel_titles": CHANNEL_TITLES,
        "event_titles": EVENT_TITLES,
    }
