"""Drawing up an update in one page: devices, release, who does it, when."""

from collections.abc import Sequence
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.models import Organisation
from portal.errors import PortalError
from portal.inventory import queries as inventory
from portal.inventory.errors import NotACustomer
from portal.inventory.models import Device
from portal.inventory.owners import offered_customers, owner
from portal.permissions import Permission
from portal.releases.models import Release
from portal.updates import planning, queries
from portal.updates.blueprint import back, bp
from portal.updates.errors import (
    AlreadyThere,
    DeviceInOtherUpdate,
    DeviceOfOtherProduct,
    NoDevices,
    NoSuchHour,
    NoWay,
    TooManyDevices,
    VersionUnknown,
    WindowBackwards,
    WindowPast,
    WindowTooLong,
)
from portal.updates.forms import NewForm
from portal.updates.models import UpdateRequest
from portal.updates.states import Origin, Way
from portal.updates.windows import Window, window_of
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import roll_back, session

FIELDS: dict[type[PortalError], str] = {
    NoDevices: "devices",
    TooManyDevices: "devices",
    VersionUnknown: "devices",
    DeviceOfOtherProduct: "devices",
    AlreadyThere: "devices",
    DeviceInOtherUpdate: "devices",
    NoWay: "release",
    WindowPast: "begins",
    NoSuchHour: "begins",
    WindowBackwards: "ends",
    WindowTooLong: "ends",
}
"""Beside which field a refusal is shown."""


@bp.route("/updates/new", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def new() -> ResponseReturnValue:
    customer = _customer()
    if customer is None:
        return render_template("updates/new_for.html", customers=offered_customers())
    devices = _devices(customer)
    products = {device.product_id: device.product for device in devices}
    product = next((one for one in products.values() if one.code == request.values.get("product")), None)
    if product is None and len(products) == 1:
        product = next(iter(products.values()))
    if product is None:
        listed = sorted(products.values(), key=lambda one: one.name)
        return render_template("updates/new_product.html", products=listed, customer=customer)
    offered = [device for device in devices if device.product_id == product.id]
    releases = list(queries.targets(session(), customer.id, product.id, now()))
    form = NewForm(devices=request.args.getlist("device"))
    form.offer(releases, [(str(one.id), one.serial) for one in offered], is_staff=actor().is_staff)
    update = _draw_up(form, customer, releases) if form.is_sent() else None
    if update is not None:
        return back(update)
    page = render_template("updates/new.html", form=form, devices=offered, customer=customer, product=product)
    return page, UNPROCESSABLE if form.errors else 200


def _customer() -> Organisation | None:
    """A customer's own organisation; for staff the one that they name, None until they have."""
    named = request.values.get("customer", "")
    if actor().is_staff and not named:
        return None
    try:
        return owner(named)
    except NotACustomer:
        flash(_("There is no such customer."))
        return None


def _devices(customer: Organisation) -> Sequence[Device]:
    rows = inventory.devices(inventory.Wanted(), visible_to=actor()).where(Device.organisation_id == customer.id)
    return list(session().scalars(rows))


def _draw_up(form: NewForm, customer: Organisation, releases: list[Release]) -> UpdateRequest | None:
    """The update, put to the other side when it has a window; if it could not be, the field says why."""
    release = next(one for one in releases if str(one.id) == form.release.data)
    facts = planning.NewUpdate(
        organisation=customer,
        release=release,
        device_ids=tuple(UUID(text) for text in form.devices.data or ()),
        way=Way(form.way.data),
        origin=Origin(form.origin.data) if actor().is_staff else None,
        note=form.note.data or "",
    )
    try:
        update = planning.draw_up(session(), facts, by=actor(), at=now())
        window = _window(form, update)
        if window is None:
            flash(_("%(number)s is drawn up. Say when it is to be done, then propose it.", number=update.number))
            return update
        planning.set_window(session(), update, window, by=actor(), at=now())
        planning.propose(session(), update, by=actor(), at=now())
        planning.consent(session(), update, by=actor(), at=now())
    except tuple(FIELDS) as error:
        roll_back()  # a draft that its page could not finish is none
        refuse(form[FIELDS[type(error)]], error)
        return None
    flash(_("%(number)s is proposed: the other side is asked to consent.", number=update.number))
    return update


def _window(form: NewForm, update: UpdateRequest) -> Window | None:
    if form.begins.data is None or form.ends.data is None:
        return None
    return window_of(form.begins.data, form.ends.data, update.time_zone)
