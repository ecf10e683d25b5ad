"""A table of devices is taken in in two steps: what it would change is shown, then confirmed."""

import binascii
from base64 import b64decode, b64encode

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.models import Organisation
from portal.inventory import importing, sheets
from portal.inventory.blueprint import bp
from portal.inventory.errors import BadLines, BadSheet, NotACustomer, SerialTaken, StalePreview
from portal.inventory.forms import SheetForm
from portal.inventory.importing import COLUMN_TITLES, OUTCOME_TITLES, Order, Outcome
from portal.inventory.owners import offered_customers, owner, status
from portal.permissions import Permission
from portal.texts import searchable
from portal.web.errors import status_of
from portal.web.fields import refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import roll_back, session


@bp.route("/devices/import", methods=["GET", "POST"], endpoint="import_")
@requires(Permission.INVENTORY_EDIT)
def import_sheet() -> ResponseReturnValue:
    """Choose a table; it is answered with what it would change."""
    form = SheetForm()
    form.for_staff(is_staff=actor().is_staff)
    if form.is_sent():
        content, name = form.sheet.data.read(), searchable(form.sheet.data.filename or "", limit=120)
        try:
            return _shown(content, name, owner(form.customer.data if form.customer else None))
        except BadSheet as error:
            refuse(form.sheet, error)
        except NotACustomer as error:
            refuse(form.customer, error)
    page = render_template("inventory/import.html", form=form, customers=offered_customers(), columns=sheets.COLUMNS)
    return page, status(form)


@bp.post("/devices/import/confirm")
@requires(Permission.INVENTORY_EDIT)
def confirm() -> ResponseReturnValue:
    """Exactly what was shown is done; where that is no longer so, it is shown anew."""
    content, name = _sent(request.form.get("content", "")), searchable(request.form.get("name", ""), limit=120)
    organisation = owner(request.form.get("customer"))
    order = Order(content, name, request.form.get("token", ""), keep_going="keep_going" in request.form)
    try:
        done = importing.take_in(session(), order, organisation, by=actor(), at=now())
    except (StalePreview, BadLines, SerialTaken) as error:
        roll_back()
        flash(error.sentence_in(_), "error")
        return _shown(content, name, owner(request.form.get("customer"))), status_of(error)
    counts = done.counts
    changed = counts[Outcome.NEW] + counts[Outcome.CHANGED]
    flash(ngettext("%(num)s device is added or changed.", "%(num)s devices are added or changed.", changed))
    customer = organisation.code if actor().is_staff else None
    return redirect(url_for("plans.devices", customer=customer), 303)


def _sent(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSheet(reason=sheets.NOT_TEXT) from error


def _shown(content: bytes, name: str, organisation: Organisation) -> str:
    """Raises BadSheet."""
    return render_template(
        "inventory/preview.html",
        preview=importing.preview(session(), content, organisation, by=actor(), name=name),
        name=name,
        content=b64encode(content).decode(),
        customer=organisation,
        Outcome=Outcome,
        OUTCOME_TITLES=OUTCOME_TITLES,
        COLUMN_TITLES=COLUMN_TITLES,
    )
