"""The pages of parcels: what is on its way, one delivery with its next step, its papers."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.couriers import (
    carrier_pages,
    dispatching,
    media_pages,
    papers,
    queries,
    receipt_pages,
    trouble_pages,
    troubles,
)
from portal.couriers.blueprint import bp, receipt_bp
from portal.couriers.carriers import tracking_link
from portal.couriers.dispatching import HandingOver, Packing
from portal.couriers.errors import SealUsed
from portal.couriers.following import following
from portal.couriers.forms import DispatchForm, PackForm
from portal.couriers.models import Consignment
from portal.couriers.proofs import serve_proof, serve_signature
from portal.deliveries.errors import TimeBeforeLastStep, TimeInFuture
from portal.errors import NotFound
from portal.permissions import Permission
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.files import send_text
from portal.web.formats import now
from portal.web.forms import Form
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import let_go, resources, session

__all__ = ["bp", "carrier_pages", "media_pages", "receipt_bp", "receipt_pages", "trouble_pages"]

WAITING_SHOWN = 50


@bp.get("/couriers")
@requires(Permission.DELIVERIES_READ)
def index() -> ResponseReturnValue:
    waiting = session().scalars(queries.to_be_sent(visible_to=actor()).limit(WAITING_SHOWN)).all()
    page = page_of(session(), queries.in_transit(visible_to=actor()))
    return render_template("couriers/index.html", page=page, waiting=waiting, link=tracking_link)


@bp.get("/couriers/<uuid:delivery_id>")
@requires(Permission.DELIVERIES_READ)
def show(delivery_id: UUID) -> ResponseReturnValue:
    return page_of_delivery(delivery_id)


def page_of_delivery(delivery_id: UUID, pack: PackForm | None = None, hand: DispatchForm | None = None) -> str:
    """The delivery's page; with a form that was refused, its words."""
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    consignment = queries.last_consignment(session(), delivery.id)
    may_act = actor().may(Permission.DELIVERIES_DISPATCH)
    forms = _forms(consignment, pack, hand) if may_act else {}
    return render_template(
        "couriers/show.html",
        delivery=delivery,
        consignment=consignment,
        link=tracking_link(consignment.carrier, consignment.tracking) if consignment else None,
        incidents=queries.incidents(session(), delivery.id),
        replacements=queries.replacements(session(), delivery.id),
        may_act=may_act,
        may_replace=may_act and troubles.may_be_replaced(delivery),
        step=following(delivery, consignment, is_staff=actor().is_staff),
        **forms,
    )


def _forms(consignment: Consignment | None, pack: PackForm | None, hand: DispatchForm | None) -> dict[str, Form]:
    if pack is None:
        given = {"seal": consignment.seal, "carrier": str(consignment.carrier_id or "")} if consignment else {}
        pack = PackForm(formdata=None, data=given)
    pack.offer(queries.carriers(session()))
    hand = hand or DispatchForm(formdata=None, data={"tracking": consignment.tracking if consignment else ""})
    hand.offer_now(now())
    return {"pack_form": pack, "hand_form": hand}


@bp.post("/couriers/<uuid:delivery_id>/pack")
@requires(Permission.DELIVERIES_DISPATCH)
def pack(delivery_id: UUID) -> ResponseReturnValue:
    queries.delivery(session(), delivery_id, visible_to=actor())
    form = PackForm()
    form.offer(queries.carriers(session()))
    if form.is_sent():
        packing = Packing(form.seal.data or "", queries.carrier(session(), UUID(form.carrier.data)))
        try:
            dispatching.pack(session(), delivery_id, packing, by=actor(), at=now())
        except SealUsed as error:
            refuse(form.seal, error)
        else:
            flash(_("The papers are ready."))
            return redirect(url_for(".show", delivery_id=delivery_id), 303)
    return page_of_delivery(delivery_id, pack=form), UNPROCESSABLE


@bp.post("/couriers/<uuid:delivery_id>/dispatch")
@requires(Permission.DELIVERIES_DISPATCH)
def dispatch(delivery_id: UUID) -> ResponseReturnValue:
    queries.delivery(session(), delivery_id, visible_to=actor())
    form = DispatchForm()
    if form.is_sent():
        handing = HandingOver(form.tracking.data or "", form.instant)
        try:
            dispatching.dispatch(session(), delivery_id, handing, by=actor(), at=now())
        except (TimeInFuture, TimeBeforeLastStep) as error:
            refuse(form.happened_at, error)
        else:
            flash(_("The parcel is on its way."))
            return redirect(url_for(".show", delivery_id=delivery_id), 303)
    return page_of_delivery(delivery_id, hand=form), UNPROCESSABLE


@bp.get(f"/couriers/<uuid:delivery_id>/papers/<any({papers.PACKING}, {papers.ADDRESS}, {papers.SEAL}):paper>.pdf")
@requires(Permission.DELIVERIES_DISPATCH)
def paper(delivery_id: UUID, paper: str) -> ResponseReturnValue:
    """One paper of the parcel, in the recipient's language."""
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    consignment = queries.last_consignment(session(), delivery.id)
    config = resources().config
    sheet = papers.sheet(session(), delivery, consignment, secret_key=config.secret_key, base_url=config.base_url)
    name = f"{delivery.number} {paper}.pdf"
    let_go()
    return send_text(name, sheet.draw(paper), content_type="application/pdf")


@bp.get("/couriers/<uuid:delivery_id>/signature")
@requires(Permission.DELIVERIES_READ)
def signature(delivery_id: UUID) -> ResponseReturnValue:
    """The recipient's signature as it was drawn or typed."""
    queries.delivery(session(), delivery_id, visible_to=actor())
    consignment = queries.last_consignment(session(), delivery_id)
    if consignment is None or not consignment.signature or consignment.received_at is None:
        raise NotFound
    return serve_signature(consignment.signature, consignment.received_at)


@bp.get("/couriers/<uuid:delivery_id>/proofs/<int:sequence>")
@requires(Permission.DELIVERIES_READ)
def proof(delivery_id: UUID, sequence: int) -> ResponseReturnValue:
    """The file that proves the step of this event."""
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    for event in delivery.events:
        if event.sequence == sequence:
            return serve_proof(event.evidence.get("proof"), event.at)
    raise NotFound


@bp.app_template_test("late")
def is_late(consignment: Consignment) -> bool:
    """Whether the delivery is overdue, by the same date as on the board."""
    due = consignment.delivery.due_at
    return due is not None and due <= now()


@bp.app_template_filter("days_since")
def days_since(consignment: Consignment) -> int:
    """Whole days since the carrier took it."""
    return (now() - consignment.handed_over_at).days if consignment.handed_over_at else 0
