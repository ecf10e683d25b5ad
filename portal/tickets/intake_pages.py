"""The form for a call: find who calls while typing, see what is promised to them, write the ticket. Keyboard alone."""

from collections.abc import Sequence
from uuid import UUID

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import BooleanField, SelectField, StringField, SubmitField, TextAreaField

from portal.accounts.customers import customer
from portal.errors import InvalidInput, NotFound
from portal.inventory.models import Device
from portal.permissions import Permission
from portal.releases.models import Product
from portal.texts import lines, one_line, searchable
from portal.tickets import contacts, intake, queries
from portal.tickets.desk_models import Contact
from portal.tickets.errors import ReasonForSeverity, SubmissionReused
from portal.tickets.forms import OnceForm
from portal.tickets.intake import IMPACT_TITLES, URGENCY_TITLES, Customer
from portal.tickets.models import (
    TICKET_KIND_TITLES,
    TICKET_SEVERITY_TITLES,
    Degree,
    TicketChannel,
    TicketKind,
    TicketSeverity,
)
from portal.tickets.routes import bp
from portal.tickets.service import MAX_BODY_CHARS, MAX_TITLE_CHARS, Call, TicketFacts
from portal.web.fields import UNPROCESSABLE, Parsed, refuse
from portal.web.formats import now
from portal.web.forms import _l, choices
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.unit_of_work import session


class CallForm(OnceForm):
    """In the order in which a call goes."""

    title = StringField(_l("In one line"), [Parsed(one_line, limit=MAX_TITLE_CHARS)], render_kw={"autofocus": True})
    body = TextAreaField(
        _l("What they say"), [Parsed(lines, limit=MAX_BODY_CHARS, required=False)], render_kw={"rows": 4}
    )
    impact = SelectField(_l("Impact"), default=Degree.MEDIUM.value)
    urgency = SelectField(_l("Urgency"), default=Degree.HIGH.value)
    device = SelectField(_l("Device"))
    product = SelectField(_l("Product"))
    kind = SelectField(_l("What is it?"))
    severity = SelectField(_l("Severity"))
    severity_reason = StringField(
        _l("Why another severity"), [Parsed(one_line, limit=intake.REASON_CHARS, required=False)]
    )
    caller = StringField(_l("Who calls"), [Parsed(one_line, limit=200, required=False)])
    answered = BooleanField(_l("Answered during the call"))
    submit = SubmitField(_l("Open the ticket"))

    def offer(self, known: Customer, products: list[Product]) -> None:
        """Fill in what can be chosen."""
        none = ("", str(lazy_gettext("Not known")))
        self.impact.choices = choices((one.value, translate(IMPACT_TITLES[one])) for one in Degree)
        self.urgency.choices = choices((one.value, translate(URGENCY_TITLES[one])) for one in Degree)
        self.kind.choices = choices((kind.value, translate(TICKET_KIND_TITLES[kind])) for kind in TicketKind)
        self.product.choices = choices([none, *((product.code, product.name) for product in products)])
        self.device.choices = choices([none, *device_choices(known.devices, products)])
        computed = ("", str(lazy_gettext("As impact and urgency give it")))
        named = ((one.value, translate(TICKET_SEVERITY_TITLES[one])) for one in TicketSeverity)
        self.severity.choices = choices([computed, *named])


@bp.get("/desk/call")
@requires(Permission.TICKETS_WORK)
def call() -> ResponseReturnValue:
    """First who calls: `q` is a number or a name; then `contact`, or `customer` for somebody who is no contact."""
    text = searchable(request.args.get("q", ""))
    if request.args.get("contact") or request.args.get("customer"):
        return _form_page(*_asked())
    found = contacts.callers(session(), text, visible_to=actor())
    return render_template("tickets/call_who.html", text=text, found=found)


@bp.get("/desk/call/callers")
@requires(Permission.TICKETS_WORK)
def callers() -> ResponseReturnValue:
    """Who it could be, for the page that asks while one types."""
    found = contacts.callers(session(), searchable(request.args.get("q", "")), visible_to=actor())
    return jsonify(
        callers=[
            {
                "name": one.name,
                "customer": one.organisation.name,
                "phones": ", ".join(one.phones),
                "role": one.role,
                "address": url_for(".call", contact=one.id),
            }
            for one in found
        ]
    )


@bp.post("/desk/call")
@requires(Permission.TICKETS_WORK)
def take_call() -> ResponseReturnValue:
    known, contact = _asked()
    form, products = _form(known)
    if not form.is_sent():
        return _form_page(known, contact, form), UNPROCESSABLE
    try:
        severity = TicketSeverity(form.severity.data) if form.severity.data else None
        ticket = intake.take_call(
            session(),
            _facts(form, known, contact, {product.code: product for product in products}),
            chosen=severity,
            answered=bool(form.answered.data),
            by=actor(),
            at=now(),
        )
    except ReasonForSeverity as error:
        refuse(form.severity_reason, error)
    except SubmissionReused as error:
        form.renew()
        refuse(form.title, error)
    except InvalidInput as error:
        refuse(form.product, error)
    else:
        flash(_("Ticket %(number)s is open.", number=str(ticket)))
        return redirect(url_for(".show", number=str(ticket)), 303)
    return _form_page(known, contact, form), UNPROCESSABLE


def _asked() -> tuple[Customer, Contact | None]:
    """Raises NotFound for a contact or customer that is none."""
    contact = None
    if request.args.get("contact"):
        contact = contacts.get(session(), _id(request.args["contact"]), visible_to=actor())
        organisation = contact.organisation
    else:
        found = customer(session(), request.args.get("customer", ""))
        if found is None:
            raise NotFound
        organisation = found
    return intake.customer_of(session(), organisation, at=now()), contact


def _form(known: Customer) -> tuple[CallForm, list[Product]]:
    products = list(session().scalars(queries.products_for(known.organisation.id, now())))
    form = CallForm(data={"caller": searchable(request.args.get("caller", ""))})
    form.offer(known, products)
    return form, products


def _form_page(known: Customer, contact: Contact | None, form: CallForm | None = None) -> str:
    if form is None:
        form, _products = _form(known)
    if contact:
        del form.caller
    return render_template(
        "tickets/call.html",
        form=form,
        known=known,
        contact=contact,
        at_night=contacts.at_night(session(), known.organisation.id),
        at=now(),
        severities=severity_words(),
    )


def _facts(form: CallForm, known: Customer, contact: Contact | None, products: dict[str, Product]) -> TicketFacts:
    device = intake.device_of(session(), known.organisation.id, _id(form.device.data) if form.device.data else None)
    return TicketFacts(
        organisation=known.organisation,
        kind=TicketKind(form.kind.data),
        severity=TicketSeverity.MINOR,
        channel=TicketChannel.TELEPHONE,
        title=form.title.data or "",
        body=form.body.data or form.title.data or "",
        product=intake.product_of(session(), device, products.get(form.product.data)),
        installed_version=(device.installed_version or "") if device else "",
        submission=form.submission.data,
        call=Call(
            contact_id=contact.id if contact else None,
            caller=contact.name if contact else form.caller.data or "",
            device_id=device.id if device else None,
            impact=Degree(form.impact.data),
            urgency=Degree(form.urgency.data),
            severity_reason=form.severity_reason.data or "",
        ),
    )


def severity_words() -> dict[str, str]:
    """What impact and urgency give, for the page that says it while they are chosen."""
    return {
        f"{impact}/{urgency}": translate(TICKET_SEVERITY_TITLES[severity])
        for (impact, urgency), severity in intake.SEVERITIES.items()
    }


def device_choices(devices: Sequence[Device], products: Sequence[Product]) -> list[tuple[str, str]]:
    names = {product.id: product.name for product in products}
    return [(str(one.id), _device_label(one.serial, names.get(one.product_id, ""), one.installed_version))
            for one in devices]  # fmt: skip


def _device_label(serial: str, product: str, version: str | None) -> str:
    return " · ".join(part for part in (serial, product, version) if part)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error
