"""The pages where a dispatcher notes what the carrier or the recipient said of a parcel."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.authority.errors import NotAScan, ScanTooLarge
from portal.authority.scanning import LARGEST_POST_BYTES
from portal.couriers import dispatching, incidents, queries, troubles, writing
from portal.couriers.blueprint import bp
from portal.couriers.errors import IncidentClosed, NoProof, TooManyIncidents
from portal.couriers.forms import CloseForm, DifferenceForm, ProofForm, ReasonForm, ReplaceForm
from portal.couriers.models import Incident
from portal.couriers.proofs import proof_of
from portal.couriers.troubles import Trouble
from portal.deliveries import queries as ledger_queries
from portal.deliveries.errors import TimeBeforeLastStep, TimeInFuture
from portal.deliveries.models import DeliveryAddress
from portal.errors import NotFound, mark
from portal.permissions import Permission
from portal.texts import TextMissing
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import accepts_up_to, actor, requires
from portal.web.unit_of_work import resources, session

DELIVERED, LOST, REFUSED, RETURNED = "delivered", "lost", "refused", "returned"
VERBS = {LOST: troubles.lost, REFUSED: troubles.refused, RETURNED: troubles.returned}
TITLES = {
    DELIVERED: mark("The carrier has brought it"),
    LOST: mark("The carrier has lost it"),
    REFUSED: mark("The recipient refused it"),
    RETURNED: mark("The medium is back"),
}


@bp.route(
    f"/couriers/<uuid:delivery_id>/<any({DELIVERED}, {LOST}, {REFUSED}, {RETURNED}):what>", methods=["GET", "POST"]
)
@accepts_up_to(LARGEST_POST_BYTES)
@requires(Permission.DELIVERIES_DISPATCH)
def happened(delivery_id: UUID, what: str) -> ResponseReturnValue:
    """Delivered by the carrier's word, lost, refused, come back: when, why, and what proves it."""
    queries.delivery(session(), delivery_id, visible_to=actor())
    form = ProofForm()
    form.offer_now(now())
    if what == DELIVERED:
        del form.reason
    if form.is_sent() and _note(delivery_id, what, form):
        flash(_("It is noted."))
        return redirect(url_for(".show", delivery_id=delivery_id), 303)
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    status = UNPROCESSABLE if form.errors else 200
    return render_template("couriers/happened.html", delivery=delivery, form=form, title=TITLES[what]), status


def _note(delivery_id: UUID, what: str, form: ProofForm) -> bool:
    """Whether it could be noted; if not, the field says why."""
    try:
        proof = proof_of(form.proof.data or "", form.file.data)
        if what == DELIVERED:
            dispatching.delivered(session(), delivery_id, form.instant, proof, by=actor(), at=now())
        else:
            trouble = Trouble(form.reason.data or "", form.instant, proof)
            VERBS[what](session(), delivery_id, trouble, by=actor(), at=now())
    except (NotAScan, ScanTooLarge) as error:
        refuse(form.file, error)
    except NoProof as error:
        refuse(form.proof, error)
    except (TimeInFuture, TimeBeforeLastStep) as error:
        refuse(form.happened_at, error)
    else:
        return True
    return False


@bp.route("/couriers/<uuid:delivery_id>/set-aside", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def set_aside(delivery_id: UUID) -> ResponseReturnValue:
    """The written medium is not sent after all."""
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    form = ReasonForm()
    if form.is_sent():
        writing.set_aside(session(), delivery_id, form.reason.data or "", by=actor(), at=now())
        flash(_("The medium is in stock again. Write another for this delivery."))
        return redirect(url_for(".show", delivery_id=delivery_id), 303)
    status = UNPROCESSABLE if form.errors else 200
    title = mark("Set the written medium aside")
    return render_template("couriers/happened.html", delivery=delivery, form=form, title=title), status


@bp.route("/couriers/<uuid:delivery_id>/replace", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def replace(delivery_id: UUID) -> ResponseReturnValue:
    """The same once more under a new number."""
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    book = session().scalars(ledger_queries.addresses(delivery.organisation_id, visible_to=actor())).all()
    form = ReplaceForm()
    form.offer(book)
    if form.is_sent():
        address = session().get_one(DeliveryAddress, UUID(form.to.data))
        new = troubles.replace(session(), delivery_id, address, by=actor(), at=now())
        flash(_("Delivery %(number)s replaces this one; it waits for approval.", number=new.number))
        return redirect(url_for(".show", delivery_id=new.id), 303)
    status = UNPROCESSABLE if form.errors else 200
    title = mark("Send it once more")
    return render_template("couriers/happened.html", delivery=delivery, form=form, title=title), status


@bp.route("/couriers/<uuid:delivery_id>/incident", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def incident(delivery_id: UUID) -> ResponseReturnValue:
    """A difference that the recipient reported by telephone."""
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    form = DifferenceForm()
    if form.is_sent():
        try:
            incidents.report(session(), delivery_id, form.difference(), base_url=resources().config.base_url,
                             by=actor(), at=now())  # fmt: skip
        except (TextMissing, TooManyIncidents) as error:
            refuse(form.text, error)
        else:
            flash(_("The delivery is stopped, and the dispatchers are told."))
            return redirect(url_for(".show", delivery_id=delivery_id), 303)
    status = UNPROCESSABLE if form.errors else 200
    title = mark("Report a difference for the recipient")
    return render_template("couriers/happened.html", delivery=delivery, form=form, title=title), status


@bp.route("/couriers/<uuid:delivery_id>/incidents/<uuid:incident_id>", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def close_incident(delivery_id: UUID, incident_id: UUID) -> ResponseReturnValue:
    delivery = queries.delivery(session(), delivery_id, visible_to=actor())
    found = session().get(Incident, incident_id)
    if found is None or found.delivery_id != delivery.id:
        raise NotFound
    form = CloseForm()
    if form.is_sent():
        try:
            incidents.close(session(), incident_id, form.chosen, form.text.data or "", by=actor(), at=now())
        except IncidentClosed as error:
            refuse(form.text, error)
        else:
            flash(_("The incident is closed."))
            return redirect(url_for(".show", delivery_id=delivery_id), 303)
    status = UNPROCESSABLE if form.errors else 200
    return render_template("couriers/incident.html", delivery=delivery, incident=found, form=form), status
