"""The pages on which devices are added, changed and removed."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import PortalError
from portal.inventory import import_pages, queries, service, site_pages
from portal.inventory.blueprint import bp
from portal.inventory.errors import NotACustomer, SerialTaken, UnknownSite
from portal.inventory.forms import ChangeForm, DeviceForm, RemoveForm
from portal.inventory.owners import offered_customers, offered_products, offered_sites, owner, status
from portal.permissions import Permission
from portal.releases.models import Product
from portal.releases.versions import MalformedVersion
from portal.web.fields import refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session

__all__ = ("bp", "import_pages", "site_pages")

FIELDS: dict[type[PortalError], str] = {
    NotACustomer: "customer",
    MalformedVersion: "installed_version",
    SerialTaken: "serial",
    UnknownSite: "site",
}
"""Beside which field a refusal is shown."""


@bp.route("/devices/new", methods=["GET", "POST"])
@requires(Permission.INVENTORY_EDIT)
def new() -> ResponseReturnValue:
    products = offered_products()
    form = DeviceForm()
    form.offer(products, is_staff=actor().is_staff)
    device_id = _add(form, {product.code: product for product in products}) if form.is_sent() else None
    if device_id is not None:
        flash(_("The device %(serial)s is added.", serial=form.serial.data))
        return redirect(url_for("plans.device", device_id=device_id), 303)
    page = render_template(
        "inventory/new.html", form=form, customers=offered_customers(), sites=offered_sites()
    )  # fmt: skip
    return page, status(form)


def _add(form: DeviceForm, products: dict[str, Product]) -> UUID | None:
    """The id of the device; if it could not be added, the field says why."""
    try:
        organisation = owner(form.customer.data if form.customer else None)
        facts = service.DeviceFacts(
            organisation=organisation,
            product=products[form.product.data],
            serial=form.serial.data or "",
            site=service.find_site(session(), organisation.id, form.site.data or ""),
            installed_version=form.installed_version.data or "",
            name=form.name.data or "",
        )
        return service.add_device(session(), facts, by=actor(), at=now()).id
    except tuple(FIELDS) as error:
        refuse(form[FIELDS[type(error)]], error)
    return None


@bp.route("/devices/<uuid:device_id>/edit", methods=["GET", "POST"])
@requires(Permission.INVENTORY_EDIT)
def edit(device_id: UUID) -> ResponseReturnValue:
    device = queries.get_device(session(), device_id, visible_to=actor())
    form = ChangeForm.of(device)
    if form.is_sent():
        try:
            service.change_device(session(), device, form.changes(), by=actor(), at=now())
        except tuple(FIELDS) as error:
            refuse(form[FIELDS[type(error)]], error)
        else:
            flash(_("The device is changed."))
            return redirect(url_for("plans.device", device_id=device.id), 303)
    sites = queries.sites_of(session(), device.organisation_id)
    return render_template("inventory/edit.html", device=device, form=form, sites=sites), status(form)


@bp.route("/devices/<uuid:device_id>/remove", methods=["GET", "POST"])
@requires(Permission.INVENTORY_EDIT)
def remove(device_id: UUID) -> ResponseReturnValue:
    device = queries.get_device(session(), device_id, visible_to=actor())
    form = RemoveForm()
    if form.is_sent():
        service.remove_device(session(), device, reason=form.reason.data or "", by=actor(), at=now())
        flash(_("The device %(serial)s is removed; its history stays.", serial=device.serial))
        return redirect(url_for("plans.devices"), 303)
    return render_template("inventory/remove.html", device=device, form=form), status(form)
