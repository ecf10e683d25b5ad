"""The dispatcher's first screens on a tablet: which deliveries, to whom; who stands there."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.authority.mending import Way, way_to_mend
from portal.authority.rules import Need
from portal.deliveries.errors import NotAuthorized, NotEntitled
from portal.deliveries.kit_specs import kit_spec
from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel, DeliveryState
from portal.documents.act import ActKind
from portal.errors import InvalidInput, NotFound, PortalError
from portal.handovers import holding, opening, queries
from portal.handovers.blueprint import bp
from portal.handovers.errors import IdentityNotChecked, NothingChosen, SerialMissing
from portal.handovers.forms import IdentityForm, ReturnForm, chosen_deliveries, chosen_kind, document_of, serials
from portal.handovers.opening import Opening
from portal.kits import service as kits
from portal.permissions import Permission
from portal.texts import searchable
from portal.web.errors import status_of
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import let_go, resources, roll_back, session


@bp.get("/handovers/new")
@requires(Permission.DELIVERIES_DISPATCH)
def choose() -> ResponseReturnValue:
    """Deliveries of one recipient: each recipient has a form of its own, so that two namesakes can't be mixed."""
    kind, text = chosen_kind(request.args), searchable(request.args.get("q", ""))
    page = page_of(session(), queries.waiting(text, kind=kind, visible_to=actor()))
    people = [list(group) for _key, group in groupby(page.rows, key=lambda one: one.recipient_id)]
    names = [group[0].authorized_person.name for group in people]
    return render_template(
        "handovers/choose.html",
        page=page,
        people=people,
        namesakes={name for name in names if names.count(name) > 1},
        text=text,
        kind=kind,
        wanted=chosen_deliveries(request.args),
        at=now(),
    )


@bp.post("/handovers/prepare")
@requires(Permission.DELIVERIES_DISPATCH)
def prepare() -> ResponseReturnValue:
    """What is approved is made ready, and the next screen asks who stands there."""
    kind, ids = chosen_kind(request.form), chosen_deliveries(request.form)
    if not ids:
        raise NothingChosen
    if kind is ActKind.ACCEPTANCE:
        kits_made = _kits(ids)
        if kits_made is not None:
            opening.prepare(session(), ids, kits_made, by=actor(), at=now())
    return redirect(url_for(".check", delivery=ids, kind=kind.value), 303)


def _kits(ids: Sequence[UUID]) -> dict[UUID, str] | None:
    """Build the kits that are not built yet, with no transaction open; their SHA-256 by delivery.

    None where the recipient may not receive now: the next screen says why, and the way to mend it.
    Raises SeveralRecipients before any is built, and what `kits.prepare` raises.
    """
    deliveries = queries.chosen(session(), ids)
    holding.recipient_of(deliveries)
    waiting = (DeliveryState.APPROVED, DeliveryState.FAILED)
    approved = [one for one in deliveries if one.channel is Channel.HAND_OVER and one.state in waiting]
    try:
        holding.standing(session(), approved, kind=ActKind.ACCEPTANCE, at=now())
    except (NotEntitled, NotAuthorized):
        return None
    specs = {one.id: kit_spec(one) for one in approved}
    let_go()
    return {one: kits.prepare(resources(), spec, by=actor(), at=now()).sha256 for one, spec in specs.items()}


@bp.route("/handovers/check", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def check() -> ResponseReturnValue:
    """The identity against the power of attorney; whoever may not sign now is told so here, with the way to mend it."""
    kind, ids = chosen_kind(request.args), chosen_deliveries(request.args)
    form = ReturnForm() if kind is ActKind.RETURN else IdentityForm()
    if form.is_sent():
        said = Opening(
            delivery_ids=ids,
            document=document_of(form),
            ending=form.ending.data or "",
            place=form.place.data or "",
            is_compared=bool(form.is_compared.data),
            kind=kind,
            media={delivery_id: serials(request.form, delivery_id) for delivery_id in ids},
            condition=form.condition.data or "" if isinstance(form, ReturnForm) else "",
        )
        try:
            act = opening.open_act(session(), said, by=actor(), at=now())
        except IdentityNotChecked as error:
            refuse(form.is_compared, error)
            roll_back()
        except SerialMissing as error:
            refuse(form.place, error)
            roll_back()
        else:
            flash(_("The identity is checked. Act %(number)s is ready to be read.", number=act.number))
            return redirect(url_for(".text", act_id=act.id), 303)
    return _check_page(kind, ids, form)


def _check_page(kind: ActKind, ids: Sequence[UUID], form: IdentityForm) -> ResponseReturnValue:
    deliveries = queries.chosen(session(), ids)
    person = holding.recipient_of(deliveries)
    refusal = _refusal(kind, deliveries)
    powers = queries.powers_in_force(session(), person.id, now())
    page = render_template(
        "handovers/check.html",
        kind=kind,
        deliveries=deliveries,
        person=person,
        powers=powers,
        form=form,
        refusal=refusal,
        ways=_ways(refusal, person.id, deliveries[0]),
        written={one.id: request.form.get(f"serials-{one.id}", "") for one in deliveries},
    )
    if refusal:
        return page, status_of(refusal)
    return page, UNPROCESSABLE if form.errors else 200


def _refusal(kind: ActKind, deliveries: Sequence[Delivery]) -> PortalError | None:
    """What stands in the way now, so that nobody fills in a form in vain."""
    try:
        holding.standing(session(), deliveries, kind=kind, at=now())
        holding.require_free(session(), deliveries, kind=kind)
    except (NotFound, InvalidInput):
        raise
    except PortalError as error:
        return error
    return None


def _ways(refusal: PortalError | None, holder_id: UUID, delivery: Delivery) -> list[Way]:
    """The pages that mend what is refused: (label, endpoint, arguments)."""
    if isinstance(refusal, NotAuthorized):
        return [way_to_mend(refusal.lacking, holder_id, delivery.release.product_id, Need.SIGN)]
    return list(getattr(refusal, "ways", ()))
