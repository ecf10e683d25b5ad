"""Asking for a delivery: releases, files, channel, recipient, address, in one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import Field

from portal.accounts import queries as accounts
from portal.accounts.customers import customer as customer_called
from portal.accounts.customers import customers
from portal.accounts.models import Organisation
from portal.authority import queries as authority
from portal.deliveries import queries, requests
from portal.deliveries.blueprint import bp
from portal.deliveries.candidates import candidates
from portal.deliveries.errors import AddressMissing, RequestRepeated, WantedDayPast
from portal.deliveries.forms import AskForm
from portal.deliveries.models import Delivery
from portal.deliveries.requests import MOST_RELEASES, NewRequest, Wanted
from portal.deliveries.states import Channel
from portal.entitlements.lists import decide_many
from portal.errors import InvalidInput, NotFound, PortalError
from portal.permissions import OrganisationKind, Permission
from portal.releases import queries as releases
from portal.releases.models import Release
from portal.texts import searchable
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.unit_of_work import session

OFFERED_CUSTOMERS = 200


@dataclass(frozen=True)
class Asked:
    """What the address or the form says so far: for whom, which releases, which files are ticked."""

    customer: Organisation
    releases: Sequence[Release]
    ticked: frozenset[UUID]

    def wanted(self) -> tuple[Wanted, ...]:
        """Raises NothingWanted, FileNotInRelease later, when the verb looks at the files."""
        return tuple(Wanted(release, self._of(release)) for release in self.releases)

    def _of(self, release: Release) -> frozenset[UUID] | None:
        files = {artifact.id for artifact in release.artifacts if artifact.removed_at is None}
        ticked = self.ticked & files
        return None if ticked == files else ticked


@bp.route("/deliveries/new", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_REQUEST)
def new() -> ResponseReturnValue:
    customer = _customer()
    if customer is None:
        offered = session().scalars(customers(OFFERED_CUSTOMERS)).all()
        return render_template("deliveries/new_for.html", customers=offered)
    asked = Asked(customer, _releases(), _ids("file"))
    form = AskForm()
    form.offer()
    status = UNPROCESSABLE if request.method == "POST" else 200
    if asked.releases and form.is_sent():
        try:
            made = requests.request(session(), _request(asked, form), by=actor(), at=now())
        except InvalidInput as error:
            _refuse(form, error)
        else:
            return _made(made)
    return _page(asked, form), status


def _made(made: list[Delivery]) -> ResponseReturnValue:
    numbers = ", ".join(delivery.number or "" for delivery in made)
    flash(_("Asked for: %(numbers)s. The dispatcher has been told.", numbers=numbers))
    address = url_for(".show", delivery_id=made[0].id) if len(made) == 1 else url_for(".index")
    return redirect(address, 303)


def _page(asked: Asked, form: AskForm) -> str:
    at, customer = now(), asked.customer
    text = searchable(request.values.get("q", ""))
    chosen = {release.id for release in asked.releases}
    is_choosing = bool(text) or not chosen
    found = queries.choosable(session(), customer.id, text, at) if is_choosing else ()
    products = {release.product_id for release in asked.releases}
    return render_template(
        "deliveries/new.html",
        form=form,
        asked=asked,
        decisions=decide_many(session(), organisation_id=customer.id, releases=asked.releases, at=at),
        found=[release for release in found if release.id not in chosen],
        text=text,
        is_choosing=is_choosing,
        candidates=candidates(session(), customer.id, products, at, visible_to=actor()) if products else (),
        addresses=session().scalars(queries.addresses(customer.id, visible_to=actor())).all() if products else (),
        is_first=request.method == "GET",
        channel=_channel(form),
        Channel=Channel,
        translate=translate,
    )


def _channel(form: AskForm) -> str:
    """The one that is marked on the page."""
    asked = request.args.get("channel", "")
    return form.channel.data or (asked if asked in requests.OFFERED else Channel.EMAIL.value)


def _request(asked: Asked, form: AskForm) -> NewRequest:
    recipient = authority.get(session(), _id(form.recipient.data), visible_to=actor())
    address = queries.address(session(), _id(form.address.data), visible_to=actor()) if form.address.data else None
    return NewRequest(
        organisation=asked.customer,
        wanted=asked.wanted(),
        channel=Channel(form.channel.data),
        recipient=recipient,
        address=address,
        wanted_by=form.wanted_by.data,
        note=form.note.data or "",
        submission=form.submission.data,
    )


def _refuse(form: AskForm, error: PortalError) -> None:
    """Beside the field that it is about."""
    fields: dict[type[PortalError], Field] = {AddressMissing: form.address, WantedDayPast: form.wanted_by}
    if isinstance(error, RequestRepeated):
        form.renew()
    refuse(fields.get(type(error), form.submit), error)


def _customer() -> Organisation | None:
    """A customer's own organisation; for staff the one that they name, None until they have."""
    if actor().is_staff:
        called = request.values.get("customer", "")
        found = customer_called(session(), called) if called else None
        if called and found is None:
            flash(_("There is no customer “%(name)s”.", name=searchable(called)), "error")
        return found
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    found = accounts.organisation(session(), organisation_id, visible_to=actor())
    return found if found.kind is OrganisationKind.CUSTOMER else None


def _releases() -> list[Release]:
    """Those that the address or the form names, in its order; what the customer may not know of is not there."""
    ids = dict.fromkeys(_id(text) for text in request.values.getlist("release"))
    found = []
    for release_id in list(ids)[:MOST_RELEASES]:
        release = releases.get(session(), release_id, visible_to=actor())
        queries.require_known(session(), release_id, visible_to=actor(), at=now())
        found.append(release)
    return found


def _ids(name: str) -> frozenset[UUID]:
    return frozenset(_id(text) for text in request.form.getlist(name))


def _id(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError as error:
        raise NotFound from error
