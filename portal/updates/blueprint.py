"""The blueprint of updates' pages, and what all of them are drawn with."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.updates.event_words import detail_in
from portal.updates.models import UpdateRequest
from portal.updates.sealing import Sealer
from portal.updates.states import (
    CHECK_TITLES,
    ORIGIN_TITLES,
    STEP_STATE_TITLES,
    UPDATE_EVENT_TITLES,
    UPDATE_STATE_TITLES,
    WAY_TITLES,
    Check,
    StepState,
    UpdateState,
    Way,
)
from portal.web.locale import chosen_time_zone
from portal.web.unit_of_work import resources

bp = Blueprint("updates", __name__, template_folder="templates")


def zoned(value: datetime | None, time_zone: str) -> str:
    """An instant as the clock of the zone shows it."""
    return "—" if value is None else f"{value.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M}"


WORDS = {
    "CHECK_TITLES": CHECK_TITLES,
    "ORIGIN_TITLES": ORIGIN_TITLES,
    "STEP_STATE_TITLES": STEP_STATE_TITLES,
    "UPDATE_EVENT_TITLES": UPDATE_EVENT_TITLES,
    "UPDATE_STATE_TITLES": UPDATE_STATE_TITLES,
    "WAY_TITLES": WAY_TITLES,
    "Check": Check,
    "State": UpdateState,
    "Step": StepState,
    "Way": Way,
    "detail_in": detail_in,
    "own_zone": chosen_time_zone,
    "zoned": zoned,
    "STATE_KINDS": {
        UpdateState.DRAFT: "calm",
        UpdateState.PROPOSED: "warn",
        UpdateState.AGREED: "info",
        UpdateState.PREPARING: "info",
        UpdateState.RUNNING: "warn",
        UpdateState.DONE: "good",
        UpdateState.FAILED: "bad",
        UpdateState.ROLLED_BACK: "bad",
        UpdateState.CANCELLED: "calm",
    },
    "STEP_KINDS": {
        StepState.PLANNED: "calm",
        StepState.STARTED: "warn",
        StepState.DONE: "good",
        StepState.FAILED: "bad",
        StepState.ROLLED_BACK: "bad",
    },
}


def sealer() -> Sealer:
    return Sealer(resources().config.secret_key)


def back(update: UpdateRequest, anchor: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("updates.show", update_id=update.id, _anchor=anchor), 303)
