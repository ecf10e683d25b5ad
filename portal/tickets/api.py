"""Tickets for programs (P2): list, open, follow, answer.

The thread is always what the customer reads, whoever asks: internal notes never leave by the API.
"""

from dataclasses import replace

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.accounts.customers import customer
from portal.accounts.models import Organisation
from portal.permissions import OrganisationKind, Permission
from portal.releases.models import Product
from portal.texts import searchable
from portal.tickets import fixes, payloads, policy, queries, service, timing
from portal.tickets.errors import CustomerMissing, UnknownCustomer, UnknownProduct
from portal.tickets.models import Ticket, TicketChannel, TicketState
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("tickets_api", __name__, url_prefix="/api/v1/tickets")

IDEMPOTENCY_KEY = "Idempotency-Key"


@bp.get("")
@requires(Permission.TICKETS_READ)
def index() -> ResponseReturnValue:
    """Own tickets (staff: all), newest first; narrowed by `state`, `product` (code) and `q`; paged by `page`."""
    asked = request.args
    known = queries.products_for(None if actor().is_staff else actor().organisation_id, now())
    product = session().scalar(known.where(Product.code == searchable(asked.get("product", ""))))
    wanted = queries.Wanted(
        state=TicketState(asked["state"]) if asked.get("state") in set(TicketState) else None,
        product_id=product.id if product else None,
        text=searchable(asked.get("q", "")),
    )
    page = page_of(session(), queries.tickets(wanted, visible_to=actor()))
    return jsonify(
        tickets=[payloads.row_payload(ticket) for ticket in page.rows], page=page.number, has_next=page.has_next
    )


@bp.post("")
@requires(Permission.TICKETS_OPEN)
def open_one() -> ResponseReturnValue:
    """Open a ticket. With an `Idempotency-Key` that was sent before, the same ticket once more."""
    wanted = payloads.NewTicket.read(request.get_data())
    facts = service.TicketFacts(
        organisation=_customer(wanted.customer),
        kind=wanted.kind,
        severity=wanted.severity,
        channel=TicketChannel.API,
        title=wanted.title,
        body=wanted.body,
        product=_product(wanted.product),
        installed_version=wanted.installed_version,
        submission=service.checked_submission(request.headers.get(IDEMPOTENCY_KEY)),
    )
    ticket = service.open_ticket(session(), facts, by=actor(), at=now())
    session().flush()  # the thread that is answered is read from the database
    response = _whole(ticket)
    response.status_code = 201
    response.headers["Location"] = url_for(".show", number=str(ticket))
    return response


@bp.get("/<number>")
@requires(Permission.TICKETS_READ)
def show(number: str) -> ResponseReturnValue:
    return _whole(queries.get(session(), number, visible_to=actor()))


@bp.post("/<number>/messages")
@requires(Permission.TICKETS_ANSWER)
def answer(number: str) -> ResponseReturnValue:
    """Answer. With an `Idempotency-Key` that was sent before, nothing more is said."""
    ticket = queries.get(session(), number, visible_to=actor())
    body = payloads.read_message(request.get_data())
    key = service.checked_submission(request.headers.get(IDEMPOTENCY_KEY))
    service.answer(session(), ticket, body, by=actor(), at=now(), submission=key)
    session().flush()  # the thread that is answered is read from the database
    response = _whole(ticket)
    response.status_code = 201
    return response


def _whole(ticket: Ticket) -> Response:
    at, customer = now(), replace(actor(), kind=OrganisationKind.CUSTOMER, organisation_id=ticket.organisation_id)
    issues = queries.linked_issues(session(), ticket, visible_to=customer, at=at)
    releases = queries.linked_releases(session(), ticket, visible_to=customer, at=at)
    events = queries.thread(session(), ticket, visible_to=customer)
    return jsonify(
        payloads.ticket_payload(
            ticket,
            events,
            fixes=fixes.fixes_of(session(), ticket, issues, at=at),
            answers=fixes.answers_of(session(), ticket, releases, at=at),
            steps=policy.steps_for(ticket, actor()),
            clock=timing.clock_of(session(), ticket, events, at=at),
        )
    )


def _customer(code: str) -> Organisation:
    if actor().is_staff:
        found = customer(session(), code)
        if not code:
            raise CustomerMissing
    else:
        found = session().get(Organisation, actor().organisation_id)
        if code and (found is None or found.code != code):
            found = None
    if found is None:
        raise UnknownCustomer(customer=ascii(code[:40]))
    return found


def _product(code: str) -> Product | None:
    if not code:
        return None
    found = session().scalar(select(Product).where(Product.code == code)) if code.isprintable() else None
    if found is None:
        raise UnknownProduct(product=code[:60] if code.isprintable() else ascii(code[:40]))
    return found
