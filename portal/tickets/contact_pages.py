"""Pages of a customer's contacts, for its own people and for the support centre."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import BooleanField, SelectField, StringField, SubmitField, TextAreaField

from portal.accounts.customers import customer, customers
from portal.accounts.emails import parse_email
from portal.accounts.models import Organisation
from portal.errors import Forbidden
from portal.permissions import Permission
from portal.texts import one_line, searchable
from portal.tickets import contacts
from portal.tickets.contacts import NAME_CHARS, PHONES_CHARS, ROLE_CHARS, ContactFacts
from portal.tickets.desk_models import Contact
from portal.tickets.routes import OFFERED_CUSTOMERS, bp
from portal.web.fields import UNPROCESSABLE, Parsed
from portal.web.formats import now
from portal.web.forms import Form, _l, choices
from portal.web.guard import actor, requires
from portal.web.locale import LANGUAGE_NAMES
from portal.web.paging import page_of
from portal.web.unit_of_work import session


def _email_or_none(text: str) -> str:
    return parse_email(text) if text.strip() else ""


def _phones(text: str) -> str:
    return "\n".join(contacts.parse_phones(text))


class ContactForm(Form):
    """`customer` is for staff who name a new one."""

    customer = StringField(
        _l("Customer"),
        [Parsed(one_line, limit=200)],
        description=_l("Its code or its full name."),
        render_kw={"list": "customers", "autocomplete": "off"},
    )
    name = StringField(_l("Full name"), [Parsed(one_line, limit=NAME_CHARS)])
    role = StringField(
        _l("What they do there"),
        [Parsed(one_line, limit=ROLE_CHARS, required=False)],
        description=_l("Such as: shift engineer, Moscow."),
    )
    phones = TextAreaField(
        _l("Telephones"),
        [Parsed(_phones)],
        description=_l("Each on a line of its own, with the country's code."),
        render_kw={"rows": 2, "maxlength": PHONES_CHARS},
    )
    email = StringField(_l("E-mail"), [Parsed(_email_or_none)], render_kw={"type": "email", "maxlength": 254})
    language = SelectField(_l("Language"), choices=choices(LANGUAGE_NAMES.items()))
    is_night_contact = BooleanField(_l("To be called at night and on holidays"))
    submit = SubmitField(_l("Save"))

    def facts(self) -> ContactFacts:
        return ContactFacts(
            name=self.name.data or "",
            phones=self.phones.data or "",
            email=self.email.data or "",
            role=self.role.data or "",
            language=self.language.data,
            is_night_contact=bool(self.is_night_contact.data),
        )


@bp.get("/contacts")
@requires(Permission.TICKETS_READ)
def contact_list() -> ResponseReturnValue:
    asked = {name: searchable(request.args.get(name, "")) for name in ("customer", "q")}
    rows = contacts.contacts(asked["customer"], asked["q"], visible_to=actor())
    return render_template(
        "tickets/contacts.html",
        page=page_of(session(), rows),
        asked=asked,
        may_edit=actor().may(Permission.TICKETS_OPEN),
    )


@bp.route("/contacts/new", methods=["GET", "POST"])
@requires(Permission.TICKETS_OPEN)
def new_contact() -> ResponseReturnValue:
    own = None if actor().is_staff else session().get(Organisation, actor().organisation_id)
    if own is None and not actor().is_staff:
        raise Forbidden(permission=Permission.TICKETS_OPEN)
    form = ContactForm(data={"language": own.language if own else "", "customer": request.args.get("customer", "")})
    if own:
        del form.customer
    if form.is_sent():
        whose = own or customer(session(), form.customer.data or "")
        if whose:
            contact = contacts.save(session(), whose, None, form.facts(), by=actor(), at=now())
            flash(_("%(name)s is a contact now.", name=contact.name))
            return redirect(url_for(".contact_list"), 303)
        form.customer.errors = [_("There is no such customer.")]
    return _form_page(form, None)


@bp.route("/contacts/<uuid:contact_id>", methods=["GET", "POST"])
@requires(Permission.TICKETS_OPEN)
def edit_contact(contact_id: UUID) -> ResponseReturnValue:
    contact = contacts.get(session(), contact_id, visible_to=actor())
    data = {name: getattr(contact, name) for name in ("name", "role", "email", "language", "is_night_contact")}
    form = ContactForm(data={**data, "phones": "\n".join(contact.phones)})
    del form.customer
    if form.is_sent():
        contacts.save(session(), contact.organisation, contact, form.facts(), by=actor(), at=now())
        flash(_("Saved."))
        return redirect(url_for(".contact_list"), 303)
    return _form_page(form, contact)


@bp.post("/contacts/<uuid:contact_id>/remove")
@requires(Permission.TICKETS_OPEN)
def remove_contact(contact_id: UUID) -> ResponseReturnValue:
    contact = contacts.get(session(), contact_id, visible_to=actor())
    contacts.remove(session(), contact, by=actor(), at=now())
    flash(_("%(name)s is no contact any more.", name=contact.name))
    return redirect(url_for(".contact_list"), 303)


def _form_page(form: ContactForm, contact: Contact | None) -> ResponseReturnValue:
    offered = list(session().scalars(customers(OFFERED_CUSTOMERS))) if "customer" in form else []
    page = render_template("tickets/contact_form.html", form=form, contact=contact, customers=offered)
    return page, UNPROCESSABLE if form.errors else 200
