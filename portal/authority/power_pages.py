"""Pages of powers of attorney: give, look at, attach a scan, revoke, ask again; and what mends a refusal."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.models import Person
from portal.authority import policy, queries, scanning, service
from portal.authority.blueprint import bp, known_products
from portal.authority.errors import (
    DatesReversed,
    IssuedLater,
    NoProduct,
    NotAScan,
    NothingGiven,
    PowerOver,
    ScanTooLarge,
)
from portal.authority.forms import ConfirmForm, PowerForm, ReasonForm, ScanForm, power_form
from portal.authority.mending import WAY_LABELS, draft
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerState
from portal.authority.people_pages import load
from portal.authority.queries import frozen
from portal.authority.rules import Held, Lack, Lacking, Need, authority
from portal.authority.terms import Scan, checked_power
from portal.errors import NotFound, PortalError
from portal.permissions import Permission, Role
from portal.releases.models import Product
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import accepts_up_to, actor, requires
from portal.web.unit_of_work import session

REFUSALS = (DatesReversed, PowerOver, IssuedLater, NothingGiven, NoProduct, NotAScan, ScanTooLarge)


@dataclass(frozen=True)
class Offered:
    """What the form offers to choose from: what the customer has to do with, and the rest."""

    mine: list[Product]
    others: list[Product]

    @property
    def all(self) -> list[Product]:
        return [*self.mine, *self.others]


def load_power(power_id: UUID) -> PowerOfAttorney:
    return queries.power(session(), power_id, visible_to=actor())


def _back(power_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".power", power_id=power_id), 303)


def _offered(holder: AuthorizedPerson) -> Offered:
    known = known_products(session(), holder.organisation_id, now())
    return Offered([product for product, is_own in known if is_own], [one for one, is_own in known if not is_own])


@bp.route("/people/<uuid:holder_id>/powers/new", methods=["GET", "POST"])
@requires(Permission.AUTHORITY_READ)
@accepts_up_to(scanning.LARGEST_POST_BYTES)
def new_power(holder_id: UUID) -> ResponseReturnValue:
    """`like`: the id of another power of the same person, whose data the form begins with."""
    holder = load(holder_id)
    policy.require_may_manage(actor(), holder.organisation_id)
    like = next((power for power in holder.powers if str(power.id) == request.args.get("like")), None)
    form = power_form(draft(like, holder.organisation.time_zone, now(), product_id=None, need=None))
    return _power_page(holder, form)


def _power_page(holder: AuthorizedPerson, form: PowerForm, lacking: Lacking | None = None) -> ResponseReturnValue:
    offered = _offered(holder)
    form.offer(offered.all)
    if form.is_sent():
        power_id = _given(holder.id, form)
        if power_id is not None:
            flash(_("The power of attorney is sent to the dispatcher, who checks and confirms it."))
            return _back(power_id)
        holder = load(holder.id)  # the transaction may have been let go
    page = render_template("authority/power_form.html", form=form, holder=holder, offered=offered, lacking=lacking)
    return page, UNPROCESSABLE if form.errors else 200


def _given(holder_id: UUID, form: PowerForm) -> UUID | None:
    """The power's id; None when the form says why not. Checked before the scan is kept, and once more after."""
    try:
        new = checked_power(form.power())
        scan = scanning.take_in(form.scan.data)
        holder = load(holder_id)
        power = service.give_power(session(), holder, new, by=actor(), at=now())
        if scan:
            service.attach_scan(session(), power, scan, by=actor(), at=now())
    except REFUSALS as error:
        refuse(form[_field_of(error)], error)
        return None
    return power.id


def _field_of(error: PortalError) -> str:
    fields: dict[type[PortalError], str] = {
        DatesReversed: "valid_until",
        PowerOver: "valid_until",
        IssuedLater: "issued_on",
        NothingGiven: "may_sign",
        NoProduct: "scope",
    }
    return fields.get(type(error), "scan")


@bp.get("/powers/<uuid:power_id>")
@requires(Permission.AUTHORITY_READ)
def power(power_id: UUID) -> ResponseReturnValue:
    return page_of_power(load_power(power_id))


def page_of_power(power: PowerOfAttorney, status: int = 200, **forms: Any) -> ResponseReturnValue:  # noqa: ANN401
    """`forms`: those that were sent and refused, by name."""
    by, organisation_id = actor(), power.holder.organisation_id
    given: dict[str, Any] = {"scan": None, "confirm": None, "decline": None, "revoke": None}
    is_waiting = power.state is PowerState.UNCONFIRMED
    if policy.may_manage(by, organisation_id):
        given["scan"] = ScanForm() if is_waiting else None
        is_open = is_waiting or power.state is PowerState.CONFIRMED
        given["revoke"] = ReasonForm.called(_("Revoke"), "revoke") if is_open else None
    if policy.may_decide(by) and is_waiting:
        given |= {"confirm": ConfirmForm(), "decline": ReasonForm.called(_("Decline"), "decline")}
    given |= {name: form for name, form in forms.items() if given[name] is not None}
    page = render_template(
        "authority/power.html",
        power=power,
        forms=given,
        may_open_scan=policy.may_open_scan(by, organisation_id),
        is_own_entry=by.person_id is not None and by.person_id == power.created_by,
        entered_by=session().get(Person, power.created_by) if power.created_by else None,
    )
    return page, status


@bp.post("/powers/<uuid:power_id>/scan")
@requires(Permission.AUTHORITY_READ)
@accepts_up_to(scanning.LARGEST_POST_BYTES)
def attach(power_id: UUID) -> ResponseReturnValue:
    power, form = load_power(power_id), ScanForm()
    policy.require_may_manage(actor(), power.holder.organisation_id)
    power.require_unconfirmed()
    try:
        scan: Scan = scanning.required(scanning.take_in(form.scan.data if form.is_sent() else None))
    except (NotAScan, ScanTooLarge) as error:
        refuse(form.scan, error)
        return page_of_power(load_power(power_id), UNPROCESSABLE, scan=form)
    service.attach_scan(session(), load_power(power_id), scan, by=actor(), at=now())
    flash(_("The scan is attached."))
    return _back(power_id)


@bp.get("/powers/<uuid:power_id>/scan")
@requires(Permission.AUTHORITY_READ)
def scan(power_id: UUID) -> ResponseReturnValue:
    power = load_power(power_id)
    if not policy.may_open_scan(actor(), power.holder.organisation_id):
        raise NotFound
    return scanning.serve(power)


@bp.post("/powers/<uuid:power_id>/revoke")
@requires(Permission.AUTHORITY_READ)
def revoke(power_id: UUID) -> ResponseReturnValue:
    power, form = load_power(power_id), ReasonForm.called(_("Revoke"), "revoke")
    policy.require_may_manage(actor(), power.holder.organisation_id)
    if not form.is_sent():
        return page_of_power(power, UNPROCESSABLE, revoke=form)
    service.revoke(session(), power, reason=form.reason.data or "", by=actor(), at=now())
    flash(_("Power of attorney %(number)s is revoked, from this moment on.", number=power.number))
    return _back(power_id)


@bp.post("/powers/<uuid:power_id>/ask")
@requires(Permission.AUTHORITY_READ)
def ask(power_id: UUID) -> ResponseReturnValue:
    service.ask_again(session(), load_power(power_id), by=actor(), at=now())
    flash(_("The dispatchers are asked again."))
    return _back(power_id)


@bp.route("/mend", methods=["GET", "POST"])
@requires(Permission.AUTHORITY_READ)
@accepts_up_to(scanning.LARGEST_POST_BYTES)
def mend() -> ResponseReturnValue:
    """`person`, `product`, `need`: what the person lacks for the product now, and the one form that mends it."""
    holder = load(_asked_id("person"))
    wanted = _asked_id("product")
    product = next((one for one in _offered(holder).all if one.id == wanted), None)
    if product is None:
        raise NotFound
    need = Need.SIGN if request.args.get("need") == Need.SIGN else Need.RECEIVE
    answer = authority([frozen(power) for power in holder.powers], product.id, need, now())
    nearest = next((one for one in holder.powers if isinstance(answer, Lacking) and one.id == answer.power_id), None)
    is_waiting = isinstance(answer, Lacking) and answer.code is Lack.UNCONFIRMED
    if isinstance(answer, Held) or is_waiting or not policy.may_manage(actor(), holder.organisation_id):
        return _explained(holder, product, answer, nearest)
    form = power_form(draft(nearest, holder.organisation.time_zone, now(), product_id=product.id, need=need))
    return _power_page(holder, form, answer)


def _explained(
    holder: AuthorizedPerson, product: Product, answer: Held | Lacking, nearest: PowerOfAttorney | None
) -> ResponseReturnValue:
    """Where there is nothing to fill in: it holds already, it waits, or somebody else has to act."""
    managers = queries.active_people(session(), Role.CUSTOMER_MANAGER, organisation_id=holder.organisation_id)
    lacking = answer if isinstance(answer, Lacking) else None
    return render_template(
        "authority/mend.html",
        holder=holder,
        product=product,
        lacking=lacking,
        power=nearest,
        managers=managers,
        label=WAY_LABELS[lacking.code] if lacking else "",
    )


def _asked_id(name: str) -> UUID:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError as error:
        raise NotFound from error
