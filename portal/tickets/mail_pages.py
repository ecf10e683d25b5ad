"""Mail that was held: read it as plain text, post it as somebody, open a ticket of it, or let it be."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import StringField, SubmitField

from portal.accounts.customers import customer, customers
from portal.accounts.emails import parse_email
from portal.errors import InvalidInput, NotFound, WrongState
from portal.permissions import Permission
from portal.texts import one_line
from portal.tickets import incoming, policy, queries
from portal.tickets.desk_models import HOLD_TITLES, MailState, TicketMail
from portal.tickets.incoming import HeldLetter
from portal.tickets.routes import OFFERED_CUSTOMERS, bp
from portal.web.fields import UNPROCESSABLE, Parsed, refuse
from portal.web.formats import now
from portal.web.forms import Form, _l
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import let_go, resources, session


class PostForm(Form):
    number = StringField(_l("Ticket"), [Parsed(one_line, limit=40)], description=_l("Its number, as in T-000123."))
    email = StringField(
        _l("In the name of"),
        [Parsed(parse_email)],
        description=_l("The address of a contact or person of the ticket's customer."),
    )
    post = SubmitField(_l("Post it"))


class OpenForm(Form):
    customer = StringField(
        _l("Customer"),
        [Parsed(one_line, limit=200)],
        description=_l("Its code or its full name."),
        render_kw={"list": "customers", "autocomplete": "off"},
    )
    open = SubmitField(_l("Open a ticket"))


@bp.get("/desk/mail")
@requires(Permission.TICKETS_WORK)
def held_mails() -> ResponseReturnValue:
    rows = select(TicketMail).where(TicketMail.state == MailState.HELD).order_by(TicketMail.received_at)
    return render_template("tickets/held_mails.html", page=page_of(session(), rows), holds=HOLD_TITLES)


@bp.get("/desk/mail/<uuid:mail_id>")
@requires(Permission.TICKETS_WORK)
def held_mail(mail_id: UUID) -> ResponseReturnValue:
    return _page(_mail(mail_id))


@bp.post("/desk/mail/<uuid:mail_id>/post")
@requires(Permission.TICKETS_WORK)
def post_mail(mail_id: UUID) -> ResponseReturnValue:
    mail, form = _mail(mail_id), PostForm(prefix="post")
    if not form.is_sent():
        return _page(mail, post=form), UNPROCESSABLE
    one = _whole(mail_id)
    try:
        ticket = queries.get(session(), form.number.data or "", visible_to=actor())
        incoming.post_as(session(), one, ticket, form.email.data or "", by=actor(), at=now())
    except (NotFound, InvalidInput, WrongState) as error:
        refuse(form.number if isinstance(error, NotFound | WrongState) else form.email, error)
        return _page(one.mail, post=form), UNPROCESSABLE
    flash(_("The message is posted in ticket %(number)s.", number=str(ticket)))
    return redirect(url_for(".show", number=str(ticket)), 303)


@bp.post("/desk/mail/<uuid:mail_id>/open")
@requires(Permission.TICKETS_WORK)
def open_mail(mail_id: UUID) -> ResponseReturnValue:
    mail, form = _mail(mail_id), OpenForm(prefix="open")
    whose = customer(session(), form.customer.data or "") if form.is_sent() else None
    if whose is None:
        form.customer.errors = form.customer.errors or [_("There is no such customer.")]
        return _page(mail, open=form), UNPROCESSABLE
    code = whose.code
    one = _whole(mail_id)
    whose = customer(session(), code)
    if whose is None:
        raise NotFound
    ticket = incoming.open_for(session(), one, whose, by=actor(), at=now())
    flash(_("Ticket %(number)s is open.", number=str(ticket)))
    return redirect(url_for(".show", number=str(ticket)), 303)


@bp.post("/desk/mail/<uuid:mail_id>/discard")
@requires(Permission.TICKETS_WORK)
def discard_mail(mail_id: UUID) -> ResponseReturnValue:
    incoming.discard(session(), _mail(mail_id), by=actor(), at=now())
    flash(_("The message is discarded."))
    return redirect(url_for(".held_mails"), 303)


def _mail(mail_id: UUID) -> TicketMail:
    policy.require_work(actor())
    return incoming.held(session(), mail_id, visible_to=actor())


def _whole(mail_id: UUID) -> HeldLetter:
    """The message with its files in the store; no transaction is open while bytes move."""
    mail = _mail(mail_id)
    let_go()
    kept = incoming.kept_of(resources().store, mail, limit_bytes=resources().config.max_attachment_bytes)
    return HeldLetter(_mail(mail_id), kept)


def _page(mail: TicketMail, **sent: Form) -> str:
    forms: dict[str, Form] = {
        "post": PostForm(prefix="post", formdata=None, data={"email": mail.sender}),
        "open": OpenForm(prefix="open", formdata=None),
        **sent,
    }
    letter = incoming.letter_of(resources().store, mail)
    return render_template(
        "tickets/held_mail.html",
        mail=mail,
        letter=letter,
        why=HOLD_TITLES[mail.hold] if mail.hold else "",
        forms=forms,
        states=MailState,
        customers=session().scalars(customers(OFFERED_CUSTOMERS)).all(),
    )
