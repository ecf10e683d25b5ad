"""Organisations: made and changed by the vendor's administrators; a customer put on hold and taken off it."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries, service
from portal.accounts.blueprint import bp
from portal.accounts.errors import BadCountry, BadOrganisationCode, OrganisationTaken
from portal.accounts.forms import HoldForm, NewOrganisationForm, OrganisationForm
from portal.accounts.titles import END_USE_TITLES, KIND_TITLES
from portal.errors import Conflict, InvalidInput, PortalError
from portal.permissions import OrganisationKind, Permission
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session


@bp.get("/organisations")
@requires(Permission.ORGANISATIONS_MANAGE)
def organisations() -> ResponseReturnValue:
    page = page_of(session(), queries.organisations(visible_to=actor()))
    return render_template("accounts/organisations.html", page=page, kinds=KIND_TITLES, end_uses=END_USE_TITLES)


@bp.route("/organisations/new", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_MANAGE)
def new_organisation() -> ResponseReturnValue:
    form = NewOrganisationForm()
    status = 200
    if form.is_sent():
        facts = form.facts(OrganisationKind(form.kind.data))
        try:
            made = service.create_organisation(session(), facts, by=actor(), at=now())
        except (InvalidInput, Conflict) as error:
            status = form.refuse(error, _field_of(error))
        else:
            flash(_("%(name)s is here now. Invite its people.", name=made.name))
            return redirect(url_for(".organisation", organisation_id=made.id), 303)
    return render_template("accounts/new_organisation.html", form=form), status


@bp.route("/organisations/<uuid:organisation_id>", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_MANAGE)
def organisation(organisation_id: UUID) -> ResponseReturnValue:
    found = queries.organisation(session(), organisation_id, visible_to=actor())
    form = OrganisationForm(obj=found)
    status = 200
    if form.is_sent():
        try:
            service.change_organisation(session(), found, form.facts(found.kind), by=actor(), at=now())
        except (InvalidInput, Conflict) as error:
            status = form.refuse(error, _field_of(error))
        else:
            flash(_("Saved."))
            return redirect(url_for(".organisation", organisation_id=found.id), 303)
    return render_template(
        "accounts/organisation.html", organisation=found, form=form, hold=HoldForm(formdata=None), kinds=KIND_TITLES
    ), status


@bp.route("/organisations/<uuid:organisation_id>/hold", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_MANAGE)
def hold(organisation_id: UUID) -> ResponseReturnValue:
    found = queries.organisation(session(), organisation_id, visible_to=actor())
    form = HoldForm()
    if form.is_sent():
        service.suspend_organisation(session(), found, reason=form.reason.data or "", by=actor(), at=now())
        flash(_("%(name)s is on hold: it can take nothing until it is resumed.", name=found.name))
        return redirect(url_for(".organisation", organisation_id=found.id), 303)
    return render_template("accounts/hold.html", organisation=found, form=form)


@bp.post("/organisations/<uuid:organisation_id>/resume")
@requires(Permission.ORGANISATIONS_MANAGE)
def resume(organisation_id: UUID) -> ResponseReturnValue:
    found = queries.organisation(session(), organisation_id, visible_to=actor())
    service.resume_organisation(session(), found, by=actor(), at=now())
    flash(_("%(name)s is no longer on hold.", name=found.name))
    return redirect(url_for(".organisation", organisation_id=found.id), 303)


def _field_of(error: PortalError) -> str:
    if isinstance(error, (BadOrganisationCode, OrganisationTaken)):
        return "code"
    return "country" if isinstance(error, BadCountry) else "name"
