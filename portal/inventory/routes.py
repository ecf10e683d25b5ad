"""The pages of devices."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal.accounts.customers import customer, customers
from portal.accounts.models import Organisation
from portal.inventory import queries, service, sheets
from portal.inventory.errors import BadLines, BadSheet, NotACustomer, SerialTaken
from portal.inventory.forms import DeviceForm, SheetForm
from portal.permissions import Permission
from portal.releases.models import Product
from portal.releases.versions import MalformedVersion
from portal.texts import searchable
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.forms import Form
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("inventory", __name__, template_folder="templates")

OFFERED_CUSTOMERS = 200


@bp.get("/devices")
@requires(Permission.INVENTORY_READ)
def index() -> ResponseReturnValue:
    wanted = _wanted()
    page = page_of(session(), queries.devices(wanted, visible_to=actor()))
    return render_template("inventory/index.html", page=page, wanted=wanted)


@bp.get("/devices.csv")
@requires(Permission.INVENTORY_READ)
def sheet() -> ResponseReturnValue:
    """The list as it is narrowed, all of it."""
    devices = session().scalars(queries.devices(_wanted(), visible_to=actor())).all()
    return Response(
        "".join(sheets.written(devices)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="devices.csv"'},
    )


@bp.route("/devices/new", methods=["GET", "POST"])
@requires(Permission.INVENTORY_EDIT)
def new() -> ResponseReturnValue:
    products = _addable()
    form = DeviceForm()
    form.offer(products, is_staff=actor().is_staff)
    if form.is_sent() and _add(form, {product.code: product for product in products}):
        flash(_("The device %(serial)s is added.", serial=form.serial.data))
        return redirect(url_for(".index"), 303)
    return render_template("inventory/new.html", form=form, customers=_offered()), _status(form)


@bp.route("/devices/import", methods=["GET", "POST"], endpoint="import_")
@requires(Permission.INVENTORY_EDIT)
def import_sheet() -> ResponseReturnValue:
    form, problems = SheetForm(), []
    form.offer(is_staff=actor().is_staff)
    if form.is_sent():
        try:
            lines = sheets.read(form.sheet.data.read())
            added = service.import_devices(session(), lines, _organisation(form), by=actor(), at=now())
        except BadLines as error:
            problems = [(number, cause.sentence_in(_)) for number, cause in error.facts["problems"]]  # type: ignore[attr-defined]
            refuse(form.sheet, error)
        except (BadSheet, SerialTaken) as error:
            refuse(form.sheet, error)
        except NotACustomer as error:
            refuse(form.customer, error)
        else:
            flash(ngettext("%(num)s device is added.", "%(num)s devices are added.", len(added)))
            return redirect(url_for(".index"), 303)
    return render_template(
        "inventory/import.html", form=form, problems=problems, customers=_offered()
    ), _status(form)  # fmt: skip


def _add(form: DeviceForm, products: dict[str, Product]) -> bool:
    """Whether the device could be added; if not, the field says why."""
    try:
        facts = service.DeviceFacts(
            organisation=_organisation(form),
            product=products[form.product.data],
            serial=form.serial.data or "",
            site=form.site.data or "",
            installed_version=form.installed_version.data or "",
        )
        service.add_device(session(), facts, by=actor(), at=now())
    except NotACustomer as error:
        refuse(form.customer, error)
    except MalformedVersion as error:
        refuse(form.installed_version, error)
    except SerialTaken as error:
        refuse(form.serial, error)
    else:
        return True
    return False


def _organisation(form: DeviceForm | SheetForm) -> Organisation:
    """Whose device it is: for staff as the form says, for a customer its own. Raises NotACustomer."""
    if not actor().is_staff:
        return session().get_one(Organisation, actor().organisation_id)
    found = customer(session(), form.customer.data or "")
    if found is None:
        raise NotACustomer(customer=form.customer.data)
    return found


def _addable() -> list[Product]:
    if actor().is_staff:
        return list(session().scalars(select(Product).order_by(Product.name)))
    organisation_id = actor().organisation_id
    rows = queries.addable_products(organisation_id, visible_to=actor()) if organisation_id else None
    return list(session().scalars(rows)) if rows is not None else []


def _offered() -> list[Organisation]:
    return list(session().scalars(customers(OFFERED_CUSTOMERS))) if actor().is_staff else []


def _wanted() -> queries.Wanted:
    asked = request.args
    return queries.Wanted(searchable(asked.get("customer", "")), searchable(asked.get("q", "")))


def _status(form: Form) -> int:
    return UNPROCESSABLE if form.errors else 200
