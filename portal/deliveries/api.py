"""The ledger for programs (P14)."""

from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.accounts import queries as accounts
from portal.accounts.customers import customer
from portal.accounts.models import Organisation
from portal.authority import queries as authority
from portal.deliveries import queries, receipt, requests
from portal.deliveries.errors import BadJson, UnknownCustomer
from portal.deliveries.forms import MAX_SUBMISSION_CHARS, chosen_filter
from portal.deliveries.payloads import AskedDelivery, delivery_payload, told_digest, whole_payload
from portal.deliveries.requests import MOST_RELEASES, NewRequest, Wanted
from portal.errors import NotFound, mark
from portal.permissions import Permission
from portal.releases import queries as releases
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("deliveries_api", __name__, url_prefix="/api/v1")

IDEMPOTENCY_KEY = "Idempotency-Key"
LONG_KEY = mark("the header %(name)s is too long.")


@bp.get("/deliveries")
@requires(Permission.DELIVERIES_READ)
def index() -> ResponseReturnValue:
    """The ledger, newest first: a customer's own, all for staff; `q`, `state`, `channel`, `customer` (id), `page`."""
    page = page_of(session(), queries.deliveries(chosen_filter(request.args), visible_to=actor()))
    return jsonify(
        deliveries=[delivery_payload(delivery) for delivery in page.rows],
        page=page.number,
        next=page.address_of(page.number + 1) if page.has_next else None,
    )


@bp.post("/deliveries")
@requires(Permission.DELIVERIES_REQUEST)
def ask() -> ResponseReturnValue:
    """Ask for a delivery: 201 with one delivery for each release.

    With an `Idempotency-Key` that was sent before, the same deliveries once more.
    """
    asked = AskedDelivery.read(request.get_data())
    made = requests.request(session(), _request(asked), by=actor(), at=now())
    ids = [delivery.id for delivery in made]
    session().flush()
    session().expire_all()  # what is answered is read from the database
    whole = [queries.get(session(), delivery_id, visible_to=actor()) for delivery_id in ids]
    return jsonify(deliveries=[whole_payload(delivery) for delivery in whole]), 201


def _request(asked: AskedDelivery) -> NewRequest:
    """Raises NotFound for what is not the customer's, UnknownCustomer."""
    at, wanted = now(), []
    for one in asked.releases[: MOST_RELEASES + 1]:
        queries.require_known(session(), one.release_id, visible_to=actor(), at=at)
        wanted.append(Wanted(releases.get(session(), one.release_id, visible_to=actor()), one.files))
    key = request.headers.get(IDEMPOTENCY_KEY, "")
    if len(key) > MAX_SUBMISSION_CHARS:
        raise BadJson(reason=LONG_KEY, name=IDEMPOTENCY_KEY)
    return NewRequest(
        organisation=_customer(asked.customer),
        wanted=tuple(wanted),
        channel=asked.channel,
        recipient=authority.get(session(), asked.recipient_id, visible_to=actor()),
        address=queries.address(session(), asked.address_id, visible_to=actor()) if asked.address_id else None,
        wanted_by=asked.wanted_by,
        note=asked.note,
        submission=key or None,
    )


def _customer(code: str) -> Organisation:
    if actor().is_staff:
        found = customer(session(), code) if code else None
        if found is None:
            raise UnknownCustomer(customer=ascii(code[:40]))
        return found
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    own = accounts.organisation(session(), organisation_id, visible_to=actor())
    if code and own.code != code:
        raise UnknownCustomer(customer=ascii(code[:40]))
    return own


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
