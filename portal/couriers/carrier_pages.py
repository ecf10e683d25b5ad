"""The list of carriers, and the addresses where their parcels can be followed."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.couriers import carriers, queries
from portal.couriers.blueprint import bp
from portal.couriers.errors import CarrierTaken
from portal.couriers.forms import CarrierForm
from portal.couriers.models import Carrier
from portal.permissions import Permission
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session


@bp.get("/carriers")
@requires(Permission.DELIVERIES_DISPATCH)
def all_carriers() -> ResponseReturnValue:
    return render_template("couriers/carriers.html", carriers=queries.carriers(session()))


@bp.route("/carriers/new", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def new_carrier() -> ResponseReturnValue:
    return _edited(None)


@bp.route("/carriers/<uuid:carrier_id>", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def edit_carrier(carrier_id: UUID) -> ResponseReturnValue:
    return _edited(queries.carrier(session(), carrier_id))


def _edited(carrier: Carrier | None) -> ResponseReturnValue:
    form = CarrierForm(obj=carrier)
    if form.is_sent():
        try:
            saved = carriers.save(session(), carrier, form.facts(), by=actor(), at=now())
        except CarrierTaken as error:
            refuse(form.name, error)
        else:
            flash(_("The carrier %(name)s is saved.", name=saved.name))
            return redirect(url_for(".all_carriers"), 303)
    status = UNPROCESSABLE if form.errors else 200
    return render_template("couriers/carrier.html", carrier=carrier, form=form), status
