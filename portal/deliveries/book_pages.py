"""A customer's address book, and what it lets the portal do."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.accounts.customers import customer as customer_called
from portal.accounts.customers import customers
from portal.accounts.models import Organisation
from portal.deliveries import addresses, queries
from portal.deliveries.addresses import AddressFacts
from portal.deliveries.blueprint import bp
from portal.deliveries.errors import CountryUnknown, TooManyAddresses
from portal.deliveries.forms import AddressForm, PolicyForm
from portal.errors import NotFound
from portal.permissions import Permission
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import here_or_home
from portal.web.unit_of_work import session

OFFERED_CUSTOMERS = 200


@bp.route("/deliveries/addresses", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_REQUEST)
def address_book() -> ResponseReturnValue:
    customer = _customer()
    if customer is None:
        offered = session().scalars(customers(OFFERED_CUSTOMERS)).all()
        return render_template("deliveries/addresses_of.html", customers=offered)
    form = AddressForm()
    if form.is_sent():
        facts = AddressFacts(
            form.label.data or "", form.text.data or "", form.country.data or "", form.phone.data or ""
        )
        try:
            addresses.save_address(session(), customer, facts, by=actor(), at=now())
        except (TooManyAddresses, CountryUnknown) as error:
            refuse(form.submit, error)
        else:
            flash(_("The address is in the book."))
            return redirect(_next() or _book_of(customer), 303)
    rows = session().scalars(queries.addresses(customer.id, visible_to=actor())).all()
    page = render_template("deliveries/addresses.html", form=form, customer=customer, rows=rows, next=_next())
    return page, UNPROCESSABLE if request.method == "POST" else 200


@bp.post("/deliveries/addresses/<uuid:address_id>/remove")
@requires(Permission.DELIVERIES_REQUEST)
def remove_address(address_id: UUID) -> ResponseReturnValue:
    address = queries.address(session(), address_id, visible_to=actor())
    addresses.remove_address(session(), address, by=actor(), at=now())
    flash(_("“%(label)s” is no longer offered.", label=address.label))
    customer = accounts.organisation(session(), address.organisation_id, visible_to=actor())
    return redirect(_book_of(customer), 303)


@bp.route("/deliveries/policy", methods=["GET", "POST"])
@requires(Permission.AUTHORITY_MANAGE)
def policy() -> ResponseReturnValue:
    """What a customer's manager lets the portal do, and asks of it."""
    organisation_id = actor().organisation_id
    if organisation_id is None or not actor().is_customer:
        raise NotFound
    now_said = queries.policy_of(session(), organisation_id)
    form = PolicyForm(obj=now_said)
    if form.is_sent():
        addresses.save_policy(session(), organisation_id, may_attach=form.may_attach.data,
                              wants_witness=form.wants_witness.data, by=actor(), at=now())  # fmt: skip
        flash(_("Saved."))
        return redirect(url_for(".policy"), 303)
    return render_template("deliveries/policy.html", form=form)


def _customer() -> Organisation | None:
    if actor().is_staff:
        return customer_called(session(), request.values.get("customer", ""))
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    return accounts.organisation(session(), organisation_id, visible_to=actor())


def _book_of(customer: Organisation) -> str:
    return url_for(".address_book", customer=customer.code if actor().is_staff else None)


def _next() -> str:
    """Where somebody came from to add an address, if from anywhere."""
    asked = request.values.get("next", "")
    return here_or_home(asked) if asked else ""
