"""Pages of exceptions: a named release for a named customer until a day."""

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import Field

from portal.days import parse_day
from portal.entitlements import queries, service
from portal.entitlements.blueprint import bp
from portal.entitlements.contract_pages import found_customer, offered_customers, status_of_form, wanted
from portal.entitlements.errors import CannotBeGranted, GrantOver, UnknownCustomer, UnknownProduct
from portal.entitlements.forms import GrantForm
from portal.entitlements.models import day_begins
from portal.entitlements.service import GrantTerms
from portal.errors import PortalError
from portal.permissions import Permission
from portal.releases.models import Product, Release
from portal.releases.versions import MalformedVersion, Version
from portal.web.fields import refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session


@bp.get("/grants")
@requires(Permission.CONTRACTS_READ)
def grants() -> ResponseReturnValue:
    page = page_of(session(), queries.grants(wanted(), visible_to=actor()))
    return render_template("entitlements/grants.html", page=page, wanted=wanted())


@bp.route("/grants/new", methods=["GET", "POST"])
@requires(Permission.GRANTS_APPROVE)
def new_grant() -> ResponseReturnValue:
    form = GrantForm()
    if form.is_sent() and _give(form):
        flash(_("The exception is granted."))
        return redirect(url_for(".grants"), 303)
    products = session().scalars(select(Product).order_by(Product.name)).all()
    page = render_template("entitlements/new_grant.html", form=form, customers=offered_customers(), products=products)
    return page, status_of_form(form)


def _give(form: GrantForm) -> bool:
    """Whether it could be given; if not, the field says why."""
    fields: dict[type[PortalError], Field] = {
        UnknownCustomer: form.customer,
        UnknownProduct: form.product,
        MalformedVersion: form.version,
        CannotBeGranted: form.version,
        GrantOver: form.last_day,
    }
    try:
        organisation = found_customer(form.customer.data)
        until = day_begins(parse_day(form.last_day.data or "") + timedelta(days=1), organisation.time_zone)
        terms = GrantTerms(organisation, _release(form), until, form.reason.data or "")
        service.give_grant(session(), terms, by=actor(), at=now())
    except tuple(fields) as error:
        refuse(fields[type(error)], error)
        return False
    return True


def _release(form: GrantForm) -> Release:
    """Raises UnknownProduct, MalformedVersion, CannotBeGranted."""
    product = queries.product_by_code(session(), form.product.data or "")
    if product is None:
        raise UnknownProduct(text=form.product.data)
    version = form.version.data or ""
    found = queries.published(session(), product.id, Version.parse(version, product.scheme).key)
    if found is None:
        raise CannotBeGranted(version=version)
    return found


@bp.post("/grants/<uuid:grant_id>/revoke")
@requires(Permission.GRANTS_APPROVE)
def revoke_grant(grant_id: UUID) -> ResponseReturnValue:
    grant = queries.grant(session(), grant_id, visible_to=actor())
    service.revoke_grant(session(), grant, by=actor(), at=now())
    flash(_("The exception is revoked."))
    return redirect(url_for(".grants"), 303)
