"""The page of a delivery by e-mail: for the dispatcher with its verbs, for the customer with what is known."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.deliveries import queries as deliveries
from portal.deliveries import wording
from portal.deliveries.models import Delivery
from portal.deliveries.states import DELIVERY_STATE_TITLES, Channel, DeliveryState
from portal.mailings import queries, service
from portal.mailings.errors import NotByMail
from portal.mailings.forms import WithdrawForm
from portal.mailings.models import MESSAGE_KIND_TITLES, MESSAGE_STATE_BADGES, MESSAGE_STATE_TITLES, REPORT_TITLES
from portal.mailings.progress import standing
from portal.permissions import Permission
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import resources, session

bp = Blueprint("mailings", __name__, template_folder="templates", url_prefix="/mailings")


@bp.get("/<uuid:delivery_id>")
@requires(Permission.DELIVERIES_READ)
def show(delivery_id: UUID) -> ResponseReturnValue:
    return _page(_mailed(delivery_id), WithdrawForm())


@bp.post("/<uuid:delivery_id>/kit")
@requires(Permission.DELIVERIES_DISPATCH)
def kit(delivery_id: UUID) -> ResponseReturnValue:
    _mailed(delivery_id)
    service.order_kit(session(), delivery_id, by=actor(), at=now())
    flash(_("The kit is being built; look again in a few minutes, then prepare the delivery."))
    return _back(delivery_id)


@bp.post("/<uuid:delivery_id>/prepare")
@requires(Permission.DELIVERIES_DISPATCH)
def prepare(delivery_id: UUID) -> ResponseReturnValue:
    _mailed(delivery_id)
    service.prepare(session(), delivery_id, by=actor(), at=now())
    flash(_("Prepared. Now the message can be sent."))
    return _back(delivery_id)


@bp.post("/<uuid:delivery_id>/dispatch")
@requires(Permission.DELIVERIES_DISPATCH)
def dispatch(delivery_id: UUID) -> ResponseReturnValue:
    _mailed(delivery_id)
    service.dispatch(session(), delivery_id, config=resources().config, by=actor(), at=now())
    flash(_("The message is being sent. The delivery is dispatched when the mail server has taken it."))
    return _back(delivery_id)


@bp.post("/<uuid:delivery_id>/renew")
@requires(Permission.DELIVERIES_DISPATCH)
def renew(delivery_id: UUID) -> ResponseReturnValue:
    _mailed(delivery_id)
    service.renew(session(), delivery_id, config=resources().config, by=actor(), at=now())
    flash(_("A new link is being sent; the former one is closed."))
    return _back(delivery_id)


@bp.post("/<uuid:delivery_id>/withdraw")
@requires(Permission.DELIVERIES_READ)
def withdraw(delivery_id: UUID) -> ResponseReturnValue:
    delivery = _mailed(delivery_id)
    form = WithdrawForm()
    if not form.is_sent():
        return _page(delivery, form), 422
    service.withdraw(session(), delivery_id, reason=form.reason.data or "", by=actor(), at=now())
    flash(_("The link is withdrawn."))
    return _back(delivery_id)


def _mailed(delivery_id: UUID) -> Delivery:
    """Raises NotFound for another customer's, NotByMail."""
    delivery = deliveries.get(session(), delivery_id, visible_to=actor())
    if delivery.channel is not Channel.EMAIL:
        raise NotByMail(number=delivery.number or "")
    return delivery


def _back(delivery_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show", delivery_id=delivery_id), 303)


def _page(delivery: Delivery, form: WithdrawForm) -> str:
    messages = queries.messages_of(session(), delivery.id)
    links = queries.links_of(session(), delivery.id)
    is_dispatcher = actor().may(Permission.DELIVERIES_DISPATCH)
    is_waiting = any(message.is_waiting for message in messages)
    kit_built = service.kit_of(session(), delivery)
    steps: dict[str, Callable[[], bool]] = {
        "prepare": lambda: delivery.may_become(DeliveryState.PREPARED),
        "kit": lambda: delivery.may_become(DeliveryState.PREPARED) and kit_built is None,
        "dispatch": lambda: delivery.may_become(DeliveryState.DISPATCHED) and not is_waiting,
        "renew": lambda: delivery.state in service.RENEWABLE and not is_waiting,
    }
    may_go_on = is_dispatcher and delivery.stopped_at is None
    is_closed = delivery.state in service.CLOSED
    is_open = not is_closed and any(link.is_open(now()) for link in links)
    return render_template(
        "mailings/show.html",
        delivery=delivery,
        kit=kit_built,
        messages=messages,
        links=links,
        standing=standing(delivery, messages, links, now()),
        steps=[step for step, is_possible in steps.items() if may_go_on and is_possible()],
        form=form if is_open and service.may_withdraw(delivery, actor()) else None,
        attaches=queries.may_attach(session(), delivery.organisation_id),
        state_titles=DELIVERY_STATE_TITLES,
        state_badges=wording.STATE_BADGES,
        kind_titles=MESSAGE_KIND_TITLES,
        message_titles=MESSAGE_STATE_TITLES,
        message_badges=MESSAGE_STATE_BADGES,
        report_titles=REPORT_TITLES,
        is_closed=is_closed,
    )
