"""The dispatcher's board, and the verbs that its page and each delivery's page offer."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.authority import queries as authority
from portal.deliveries import queries, requests, sheet, steps
from portal.deliveries.blueprint import bp
from portal.deliveries.board import all_open, board
from portal.deliveries.candidates import candidates
from portal.deliveries.forms import ReasonForm, RecipientForm, chosen_filter
from portal.deliveries.models import Delivery
from portal.deliveries.requests import OFFERED, needs_of
from portal.deliveries.sheet import MOST_ROWS
from portal.errors import InvalidInput, NotFound
from portal.permissions import Permission
from portal.web import files
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.unit_of_work import resources, session


@bp.get("/deliveries/board")
@requires(Permission.HOLDERS_READ)
def board_page() -> ResponseReturnValue:
    chosen = chosen_filter(request.args)
    return render_template(
        "deliveries/board.html",
        lanes=board(session(), chosen, now(), visible_to=actor()),
        chosen=chosen,
        channels=OFFERED,
        customers=queries.customers(session(), visible_to=actor()),
    )


@bp.get("/deliveries/board.csv")
@requires(Permission.HOLDERS_READ)
def board_csv() -> ResponseReturnValue:
    """All that is open, as a table for a spreadsheet."""
    rows = all_open(chosen_filter(request.args), visible_to=actor()).options(queries.WITH_FILES).limit(MOST_ROWS)
    table = sheet.sheet(sheet.COLUMNS, sheet.rows_of(session().scalars(rows), translate))
    return files.send_text("open deliveries.csv", table, content_type="text/csv; charset=utf-8")


@bp.post("/deliveries/<uuid:delivery_id>/approve")
@requires(Permission.DELIVERIES_DISPATCH)
def approve(delivery_id: UUID) -> ResponseReturnValue:
    delivery = queries.get(session(), delivery_id, visible_to=actor())
    second_person = resources().config.second_person_approves
    requests.approve(session(), delivery, second_person=second_person, by=actor(), at=now())
    flash(_("Delivery %(number)s is approved.", number=delivery.number))
    return _back(delivery_id)


@bp.post("/deliveries/<uuid:delivery_id>/cancel")
@requires(Permission.DELIVERIES_REQUEST)
def cancel(delivery_id: UUID) -> ResponseReturnValue:
    delivery = queries.get(session(), delivery_id, visible_to=actor())
    requests.cancel(session(), delivery, reason=_reason(), by=actor(), at=now())
    flash(_("Delivery %(number)s is cancelled.", number=delivery.number))
    return _back(delivery_id)


@bp.post("/deliveries/<uuid:delivery_id>/fail")
@requires(Permission.DELIVERIES_DISPATCH)
def fail(delivery_id: UUID) -> ResponseReturnValue:
    delivery = queries.get(session(), delivery_id, visible_to=actor())
    requests.fail(session(), delivery, reason=_reason(), by=actor(), at=now())
    flash(_("It is noted that delivery %(number)s failed.", number=delivery.number))
    return _back(delivery_id)


@bp.post("/deliveries/<uuid:delivery_id>/stop")
@requires(Permission.DELIVERIES_DISPATCH)
def stop(delivery_id: UUID) -> ResponseReturnValue:
    delivery = queries.get(session(), delivery_id, visible_to=actor())
    steps.stop(session(), delivery, reason=_reason(), by=actor(), at=now())
    flash(_("Delivery %(number)s is stopped.", number=delivery.number))
    return _back(delivery_id)


@bp.post("/deliveries/<uuid:delivery_id>/resume")
@requires(Permission.DELIVERIES_DISPATCH)
def resume(delivery_id: UUID) -> ResponseReturnValue:
    delivery = queries.get(session(), delivery_id, visible_to=actor())
    steps.resume(session(), delivery, reason=_reason(), by=actor(), at=now())
    flash(_("Delivery %(number)s goes on.", number=delivery.number))
    return _back(delivery_id)


@bp.route("/deliveries/<uuid:delivery_id>/recipient", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_REQUEST)
def change_recipient(delivery_id: UUID) -> ResponseReturnValue:
    """Somebody else will receive it; offered only while that is still possible."""
    delivery = queries.get(session(), delivery_id, visible_to=actor())
    if delivery.recipient_id is None:
        raise NotFound
    form, status = RecipientForm(), 200
    form.recipient.choices = []
    if form.is_sent():
        try:
            recipient = authority.get(session(), _id(form.recipient.data), visible_to=actor())
            requests.change_recipient(session(), delivery, recipient, reason=form.reason.data or "", by=actor(),
                                      at=now())  # fmt: skip
        except InvalidInput as error:
            refuse(form.recipient, error)
        else:
            flash(_("The recipient is changed."))
            return _back(delivery_id)
    if request.method == "POST":
        status = UNPROCESSABLE
    return _recipient_page(delivery, form), status


def _recipient_page(delivery: Delivery, form: RecipientForm) -> str:
    found = candidates(session(), delivery.organisation_id, [delivery.release.product_id], now(), visible_to=actor())
    return render_template(
        "deliveries/recipient.html",
        delivery=delivery,
        form=form,
        candidates=[one for one in found if requests.recipient_facts(one.person) != delivery.recipient],
        signs=len(needs_of(delivery.channel)) > 1,
        translate=translate,
    )


def _reason() -> str:
    """The form's reason; the verb refuses none and one too long in its own words."""
    return ReasonForm().reason.data or ""


def _id(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError as error:
        raise NotFound from error


def _back(delivery_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show", delivery_id=delivery_id), 303)
