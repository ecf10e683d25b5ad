"""The pages on which sites are added, changed and removed."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.errors import BadEmail
from portal.errors import PortalError
from portal.inventory import queries, sites
from portal.inventory.blueprint import bp
from portal.inventory.errors import NotACustomer, NotATimeZone, SiteCodeTaken
from portal.inventory.forms import SiteForm
from portal.inventory.owners import offered_customers, owner, status
from portal.permissions import Permission
from portal.web.fields import refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session

FIELDS: dict[type[PortalError], str] = {
    NotACustomer: "customer",
    SiteCodeTaken: "code",
    NotATimeZone: "time_zone",
    BadEmail: "contact_email",
}


@bp.route("/sites/new", methods=["GET", "POST"])
@requires(Permission.INVENTORY_EDIT)
def new_site() -> ResponseReturnValue:
    form = SiteForm()
    form.for_staff(is_staff=actor().is_staff)
    if form.is_sent():
        try:
            organisation = owner(form.customer.data if form.customer else None)
            site = sites.add_site(session(), organisation, form.facts(), by=actor(), at=now())
        except tuple(FIELDS) as error:
            refuse(form[FIELDS[type(error)]], error)
        else:
            flash(_("The site %(site)s is added.", site=site.name))
            return redirect(url_for("plans.site", site_id=site.id), 303)
    return render_template("inventory/site.html", form=form, site=None, customers=offered_customers()), status(form)


@bp.route("/sites/<uuid:site_id>/edit", methods=["GET", "POST"])
@requires(Permission.INVENTORY_EDIT)
def edit_site(site_id: UUID) -> ResponseReturnValue:
    site = queries.get_site(session(), site_id, visible_to=actor())
    form = SiteForm.of(site)
    if form.is_sent():
        try:
            sites.change_site(session(), site, form.facts(), by=actor(), at=now())
        except tuple(FIELDS) as error:
            refuse(form[FIELDS[type(error)]], error)
        else:
            flash(_("The site is changed."))
            return redirect(url_for("plans.site", site_id=site.id), 303)
    return render_template("inventory/site.html", form=form, site=site, customers=[]), status(form)


@bp.post("/sites/<uuid:site_id>/remove")
@requires(Permission.INVENTORY_EDIT)
def remove_site(site_id: UUID) -> ResponseReturnValue:
    site = queries.get_site(session(), site_id, visible_to=actor())
    sites.remove_site(session(), site, by=actor(), at=now())
    flash(_("The site %(site)s is removed.", site=site.name))
    return redirect(url_for("plans.sites"), 303)
