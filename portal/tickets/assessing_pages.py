"""The page on which the support centre puts a ticket right: severity, product, device, kind."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField, StringField, SubmitField

from portal.errors import InvalidInput
from portal.permissions import Permission
from portal.releases.models import Product
from portal.texts import one_line
from portal.tickets import assessing, intake, queries
from portal.tickets.assessing import Assessment
from portal.tickets.errors import ReasonForSeverity
from portal.tickets.intake import IMPACT_TITLES, URGENCY_TITLES
from portal.tickets.intake_pages import device_choices, severity_words
from portal.tickets.models import (
    TICKET_KIND_TITLES,
    TICKET_SEVERITY_TITLES,
    Degree,
    Ticket,
    TicketKind,
    TicketSeverity,
)
from portal.tickets.routes import bp
from portal.tickets.service import MAX_VERSION_CHARS
from portal.web.fields import UNPROCESSABLE, Parsed, refuse
from portal.web.formats import now
from portal.web.forms import Form, _l, choices
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.unit_of_work import session


class AssessForm(Form):
    impact = SelectField(_l("Impact"))
    urgency = SelectField(_l("Urgency"))
    severity = SelectField(_l("Severity"))
    severity_reason = StringField(
        _l("Why another severity"),
        [Parsed(one_line, limit=intake.REASON_CHARS, required=False)],
        description=_l("The customer never sees it."),
    )
    device = SelectField(_l("Device"))
    product = SelectField(_l("Product"))
    installed_version = StringField(
        _l("Installed version"), [Parsed(one_line, limit=MAX_VERSION_CHARS, required=False)]
    )
    kind = SelectField(_l("What is it?"))
    submit = SubmitField(_l("Save"))


@bp.route("/tickets/<number>/assess", methods=["GET", "POST"])
@requires(Permission.TICKETS_WORK)
def assess(number: str) -> ResponseReturnValue:
    ticket = queries.get(session(), number, visible_to=actor())
    products = _products(ticket)
    form = _form(ticket, products)
    if form.is_sent():
        try:
            assessing.assess(session(), ticket, _assessment(form, ticket, products), by=actor(), at=now())
        except ReasonForSeverity as error:
            refuse(form.severity_reason, error)
        except InvalidInput as error:
            refuse(form.product, error)
        else:
            flash(_("The ticket is assessed; the promised times follow it."))
            return redirect(url_for(".show", number=str(ticket)), 303)
    page = render_template("tickets/assess.html", ticket=ticket, form=form, severities=severity_words())
    return page, UNPROCESSABLE if request.method == "POST" else 200


def _products(ticket: Ticket) -> list[Product]:
    """What the customer may know of, and what the ticket is about already."""
    found = list(session().scalars(queries.products_for(ticket.organisation_id, now())))
    return found if ticket.product is None or ticket.product in found else [ticket.product, *found]


def _form(ticket: Ticket, products: list[Product]) -> AssessForm:
    impact, urgency = assessing.likely(ticket)
    computed = intake.severity_of(impact, urgency)
    form = AssessForm(
        data={
            "impact": impact.value,
            "urgency": urgency.value,
            "severity": "" if computed is ticket.severity else ticket.severity.value,
            "severity_reason": ticket.severity_reason,
            "device": str(ticket.device_id or ""),
            "product": ticket.product.code if ticket.product else "",
            "installed_version": ticket.installed_version or "",
            "kind": ticket.kind.value,
        }
    )
    none = ("", str(lazy_gettext("Not known")))
    form.impact.choices = choices((one.value, translate(IMPACT_TITLES[one])) for one in Degree)
    form.urgency.choices = choices((one.value, translate(URGENCY_TITLES[one])) for one in Degree)
    form.kind.choices = choices((kind.value, translate(TICKET_KIND_TITLES[kind])) for kind in TicketKind)
    form.product.choices = choices([none, *((product.code, product.name) for product in products)])
    devices = intake.devices_of(session(), ticket.organisation_id, besides=ticket.device_id)
    form.device.choices = choices([none, *device_choices(devices, products)])
    named = ((one.value, translate(TICKET_SEVERITY_TITLES[one])) for one in TicketSeverity)
    form.severity.choices = choices([("", str(lazy_gettext("As impact and urgency give it"))), *named])
    return form


def _assessment(form: AssessForm, ticket: Ticket, products: list[Product]) -> Assessment:
    device_id = UUID(form.device.data) if form.device.data else None
    return Assessment(
        kind=TicketKind(form.kind.data),
        impact=Degree(form.impact.data),
        urgency=Degree(form.urgency.data),
        product={product.code: product for product in products}.get(form.product.data),
        device=intake.device_of(session(), ticket.organisation_id, device_id),
        installed_version=form.installed_version.data or "",
        chosen=TicketSeverity(form.severity.data) if form.severity.data else None,
        reason=form.severity_reason.data or "",
    )
