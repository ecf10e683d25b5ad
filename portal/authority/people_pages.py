"""Pages of authorized persons: list, name, one with their powers, change."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.accounts.customers import customer, customers
from portal.accounts.errors import BadEmail, BadName
from portal.accounts.models import Organisation
from portal.authority import policy, queries, service
from portal.authority.blueprint import bp
from portal.authority.errors import BadPhone, NotYourCustomer, RecipientEmailTaken
from portal.authority.forms import RecipientForm
from portal.authority.models import POWER_STATE_TITLES, AuthorizedPerson, PowerOfAttorney
from portal.authority.queries import frozen
from portal.authority.rules import Glance, Standing, glance
from portal.permissions import Permission
from portal.texts import searchable
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.paging import page_of
from portal.web.unit_of_work import session

OFFERED_CUSTOMERS = 200
STANDING_BADGES = {
    Standing.IN_FORCE: "good",
    Standing.ENDS_SOON: "warn",
    Standing.WAITS: "info",
    Standing.COMING: "info",
    Standing.ENDED: "calm",
    Standing.REVOKED: "bad",
    Standing.DECLINED: "bad",
    Standing.NONE: "calm",
}


def glance_at(holder: AuthorizedPerson) -> Glance:
    return glance([frozen(power) for power in holder.powers], now())


def glance_at_power(power: PowerOfAttorney) -> Glance:
    return glance([frozen(power)], now())


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "glance_at": glance_at,
        "glance_at_power": glance_at_power,
        "Standing": Standing,
        "STANDING_BADGES": STANDING_BADGES,
        "POWER_STATE_TITLES": POWER_STATE_TITLES,
        "may_manage": policy.may_manage,
        "may_ask": lambda power: now() >= power.last_asked_at + service.ASKED_EVERY,
        "translate": translate,
    }


@bp.get("")
@requires(Permission.AUTHORITY_READ)
def people() -> ResponseReturnValue:
    text = searchable(request.args.get("q", ""))
    page = page_of(session(), queries.people(visible_to=actor(), text=text))
    manages = actor().may(Permission.AUTHORITY_MANAGE) or actor().may(Permission.AUTHORITY_CONFIRM)
    return render_template("authority/people.html", page=page, text=text, manages=manages)


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.AUTHORITY_READ)
def new_person() -> ResponseReturnValue:
    by = actor()
    organisation = None
    if by.is_customer and by.organisation_id:
        policy.require_may_manage(by, by.organisation_id)
        organisation = accounts.organisation(session(), by.organisation_id, visible_to=by)
    elif not policy.may_decide(by):
        raise NotYourCustomer
    form = RecipientForm(data={"language": organisation.language if organisation else "", "customer": _asked()})
    if organisation:
        del form.customer
    holder = _named(form, organisation) if form.is_sent() else None
    if holder is not None:
        flash(_("%(name)s is named. Now give a power of attorney.", name=holder.name))
        return redirect(url_for(".new_power", holder_id=holder.id), 303)
    offered = [] if organisation else list(session().scalars(customers(OFFERED_CUSTOMERS)))
    page = render_template("authority/person_form.html", form=form, holder=None, customers=offered)
    return page, UNPROCESSABLE if form.errors else 200


def _asked() -> str:
    return searchable(request.args.get("customer", ""))


def _named(form: RecipientForm, organisation: Organisation | None) -> AuthorizedPerson | None:
    """Who was named; None when the form says why not."""
    if organisation is None:
        organisation = customer(session(), form.customer.data or "")
        if organisation is None:
            form.customer.errors = [_("There is no such customer.")]
            return None
    try:
        return service.name_person(session(), organisation, form.facts(), by=actor(), at=now())
    except (BadName, BadEmail, BadPhone, RecipientEmailTaken) as error:
        _refuse(form, error)
    return None


def _refuse(form: RecipientForm, error: BadName | BadEmail | BadPhone | RecipientEmailTaken) -> None:
    field = form.name if isinstance(error, BadName) else form.phone if isinstance(error, BadPhone) else form.email
    refuse(field, error)


def load(holder_id: UUID) -> AuthorizedPerson:
    return queries.get(session(), holder_id, visible_to=actor())


@bp.get("/people/<uuid:holder_id>")
@requires(Permission.AUTHORITY_READ)
def person(holder_id: UUID) -> ResponseReturnValue:
    return render_template("authority/person.html", holder=load(holder_id))


@bp.route("/people/<uuid:holder_id>/change", methods=["GET", "POST"])
@requires(Permission.AUTHORITY_READ)
def change_person(holder_id: UUID) -> ResponseReturnValue:
    holder = load(holder_id)
    policy.require_may_manage(actor(), holder.organisation_id)
    form = RecipientForm.of(holder)
    if form.is_sent():
        try:
            waiting = service.change_person(session(), holder, form.facts(), by=actor(), at=now())
        except (BadName, BadEmail, BadPhone, RecipientEmailTaken) as error:
            _refuse(form, error)
        else:
            flash(_("Saved. What was confirmed waits for the dispatcher anew.") if waiting else _("Saved."))
            return redirect(url_for(".person", holder_id=holder.id), 303)
    page = render_template("authority/person_form.html", form=form, holder=holder, customers=[])
    return page, UNPROCESSABLE if form.errors else 200
