"""Pages of the dispatcher: what waits, confirm, decline."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.authority import queries, service
from portal.authority.blueprint import bp
from portal.authority.forms import ConfirmForm, ReasonForm
from portal.authority.power_pages import load_power, page_of_power
from portal.permissions import Permission
from portal.web.fields import UNPROCESSABLE
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import resources, session


@bp.get("/waiting")
@requires(Permission.AUTHORITY_CONFIRM)
def waiting() -> ResponseReturnValue:
    page = page_of(session(), queries.waiting(now(), visible_to=actor()))
    return render_template("authority/waiting.html", page=page)


@bp.post("/powers/<uuid:power_id>/confirm")
@requires(Permission.AUTHORITY_CONFIRM)
def confirm(power_id: UUID) -> ResponseReturnValue:
    power, form = load_power(power_id), ConfirmForm()
    power.require_unconfirmed()
    if not form.is_sent():
        return page_of_power(power, UNPROCESSABLE, confirm=form)
    service.confirm(
        session(),
        power,
        checked=form.checked.data or "",
        second_person=resources().config.second_person_approves,
        by=actor(),
        at=now(),
    )
    flash(_("Power of attorney %(number)s is confirmed.", number=power.number))
    return redirect(url_for(".power", power_id=power_id), 303)


@bp.post("/powers/<uuid:power_id>/decline")
@requires(Permission.AUTHORITY_CONFIRM)
def decline(power_id: UUID) -> ResponseReturnValue:
    power, form = load_power(power_id), ReasonForm.called(_("Decline"), "decline")
    power.require_unconfirmed()
    if not form.is_sent():
        return page_of_power(power, UNPROCESSABLE, decline=form)
    service.decline(session(), power, reason=form.reason.data or "", by=actor(), at=now())
    flash(_("Power of attorney %(number)s is declined; the customer's managers are told.", number=power.number))
    return redirect(url_for(".power", power_id=power_id), 303)
