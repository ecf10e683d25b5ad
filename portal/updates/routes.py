"""Updates as both sides plan them: list, calendar, one update with all that belongs to it."""

from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.deliveries.progress import next_step
from portal.deliveries.wording import STATE_BADGES, state_title
from portal.documents.report import render_report
from portal.errors import PortalError
from portal.permissions import Permission
from portal.texts import searchable
from portal.updates import (
    calendar_pages,
    checklist,
    customer_pages,
    installing,
    new_pages,
    own_way,
    papers,
    planning,
    queries,
    ticket_pages,
    work_pages,
)
from portal.updates.blueprint import WORDS, back, bp
from portal.updates.errors import NoSuchHour, WindowBackwards, WindowPast, WindowTooLong
from portal.updates.forms import ReasonForm, WindowForm
from portal.updates.models import UpdateRequest
from portal.updates.states import UpdateState
from portal.updates.windows import window_of
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language
from portal.web.paging import page_of
from portal.web.unit_of_work import resources, session

__all__ = ("bp", "calendar_pages", "customer_pages", "new_pages", "ticket_pages", "work_pages")

WINDOW_FIELDS: dict[type[PortalError], str] = {
    WindowPast: "begins",
    NoSuchHour: "begins",
    WindowBackwards: "ends",
    WindowTooLong: "ends",
}


@bp.get("/updates")
@requires(Permission.UPDATES_READ)
def index() -> ResponseReturnValue:
    narrowed = queries.Narrowed(searchable(request.args.get("q", "")), request.args.get("open") == "1")
    page = page_of(session(), queries.updates(narrowed, visible_to=actor()))
    return render_template("updates/index.html", page=page, narrowed=narrowed, **WORDS)


@bp.get("/updates/<uuid:update_id>")
@requires(Permission.UPDATES_READ)
def show(update_id: UUID) -> ResponseReturnValue:
    update = queries.get(session(), update_id, visible_to=actor())
    at = now()
    is_mine = update.engineer_id is not None and update.engineer_id == actor().person_id
    found = checklist.OnRecord()
    if update.state is UpdateState.PREPARING:
        found = checklist.on_record(session(), update, visible_to=actor())
    asked_for = own_way.asked_for(session(), update, visible_to=actor())
    return render_template(
        "updates/show.html",
        update=update,
        at=at,
        is_mine=is_mine,
        does_work=is_mine if update.way.value == "remote" else actor().is_customer,
        open_checks=checklist.open_checks(update, found),
        on_record=found,
        running=[one for one in update.sessions if one.is_running(at)],
        consents=[one for one in update.access if one.is_open(at)],
        deliveries=asked_for,
        withdrawn=() if update.is_closed else own_way.withdrawn(session(), update),
        may_ask=not own_way.comes(asked_for),
        may_confirm=installing.awaits_confirmation(update, asked_for),
        delivery_title=state_title,
        DELIVERY_BADGES=STATE_BADGES,
        delivery_next=next_step,
        my_consent=update.support_consent if actor().is_staff else update.customer_consent,
        **WORDS,
    )


@bp.get("/updates/<uuid:update_id>/report.pdf")
@requires(Permission.UPDATES_READ)
def report(update_id: UUID) -> ResponseReturnValue:
    update = queries.get(session(), update_id, visible_to=actor())
    address = f"{resources().config.base_url}{url_for('.show', update_id=update.id)}"
    paper = render_report(papers.report(update, language=chosen_language(), address=address, at=now()))
    disposition = f'inline; filename="{update.number}.pdf"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return Response(paper, content_type="application/pdf", headers=headers)


@bp.route("/updates/<uuid:update_id>/window", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def window(update_id: UUID) -> ResponseReturnValue:
    update = queries.get(session(), update_id, visible_to=actor())
    form = WindowForm(data=_present(update))
    if form.is_sent():
        try:
            wanted = window_of(*form.times(), form.time_zone.data or "")
            planning.set_window(session(), update, wanted, by=actor(), at=now())
        except tuple(WINDOW_FIELDS) as error:
            refuse(form[WINDOW_FIELDS[type(error)]], error)
        else:
            flash(_("The window is set. Both sides have to consent to it."))
            return back(update)
    status = UNPROCESSABLE if form.errors else 200
    return render_template("updates/window.html", update=update, form=form), status


def _present(update: UpdateRequest) -> dict[str, object]:
    zone = ZoneInfo(update.time_zone)
    known = {"begins": update.begins_at, "ends": update.ends_at}
    local = {name: value.astimezone(zone).replace(tzinfo=None) for name, value in known.items() if value}
    return {**local, "time_zone": update.time_zone}


@bp.post("/updates/<uuid:update_id>/propose")
@requires(Permission.UPDATES_AGREE)
def propose(update_id: UUID) -> ResponseReturnValue:
    update = queries.get(session(), update_id, visible_to=actor())
    planning.propose(session(), update, by=actor(), at=now())
    planning.consent(session(), update, by=actor(), at=now())
    flash(_("Proposed: the other side is asked to consent."))
    return back(update)


@bp.post("/updates/<uuid:update_id>/consent")
@requires(Permission.UPDATES_AGREE)
def consent(update_id: UUID) -> ResponseReturnValue:
    update = queries.get(session(), update_id, visible_to=actor())
    planning.consent(session(), update, by=actor(), at=now())
    flash(_("Your side has consented."))
    return back(update)


@bp.route("/updates/<uuid:update_id>/cancel", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def cancel(update_id: UUID) -> ResponseReturnValue:
    update = queries.get(session(), update_id, visible_to=actor())
    form = ReasonForm()
    if form.is_sent():
        planning.cancel(session(), update, reason=form.reason.data or "", by=actor(), at=now())
        flash(_("%(number)s is cancelled.", number=update.number))
        return redirect(url_for(".index"), 303)
    status = UNPROCESSABLE if form.errors else 200
    return render_template("updates/cancel.html", update=update, form=form), status
