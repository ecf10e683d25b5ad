"""Accounts for programs."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from portal.accounts import queries
from portal.accounts.payloads import actor_payload
from portal.errors import SignInRequired
from portal.web.guard import actor, public
from portal.web.unit_of_work import session

bp = Blueprint("accounts_api", __name__, url_prefix="/api/v1")


@bp.get("/me")
@public  # a token of any scope may ask what it is; nobody at all may not
def me() -> ResponseReturnValue:
    who = actor()
    if who.organisation_id is None:
        raise SignInRequired
    organisation = queries.organisation(session(), who.organisation_id, visible_to=who)
    return jsonify(actor_payload(who, organisation))
