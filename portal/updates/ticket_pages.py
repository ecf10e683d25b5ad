"""Remote access on a ticket's page: consent and its end, sessions and what is done in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.deliveries.models import Delivery
from portal.deliveries.states import CHANNEL_TITLES
from portal.deliveries.wording import STATE_BADGES, state_title
from portal.errors import Forbidden, NotFound
from portal.inventory import queries as inventory
from portal.inventory.models import Device
from portal.permissions import Permission
from portal.tickets import queries as tickets
from portal.tickets.models import Ticket, TicketState
from portal.updates import queries, ticket_access, ticket_deliveries
from portal.updates.blueprint import bp
from portal.updates.errors import ConsentPast, NoSuchHour, NotADigest
from portal.updates.forms import AccessForm, FileForm, FinishForm, SessionNoteForm
from portal.updates.models import AccessConsent, RemoteSession
from portal.updates.session_pages import Place, session_page
from portal.updates.windows import instant_of, local_end
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.forms import Form
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session

OFFERED_DEVICES = 200
OFFERED_FOR = timedelta(hours=4)


@dataclass(frozen=True)
class Panel:
    """What the ticket's page shows of remote access."""

    consents: list[AccessConsent]
    sessions: list[RemoteSession]
    running: list[RemoteSession]
    may_consent: bool
    may_begin: bool
    devices: list[Device]


@bp.app_context_processor
def _on_the_tickets_page() -> dict[str, object]:
    """For the page of a ticket, which stands below updates and can't ask for them itself."""
    return {
        "remote_access_of": _panel,
        "deliveries_of": _deliveries,
        "delivery_channels": CHANNEL_TITLES,
        "delivery_state": state_title,
        "delivery_badges": STATE_BADGES,
    }


def _deliveries(ticket: Ticket) -> Sequence[Delivery]:
    if not actor().may(Permission.DELIVERIES_READ):
        return ()
    return ticket_deliveries.of_ticket(session(), ticket, visible_to=actor())


def _panel(ticket: Ticket) -> Panel:
    by, at = actor(), now()
    found = queries.access_of(session(), ticket)
    consents, is_open = found.open_consents(at), ticket.state is not TicketState.CLOSED
    may_begin = bool(consents) and is_open and by.may(Permission.TICKETS_WORK)
    return Panel(
        consents=consents,
        sessions=list(found.sessions),
        running=found.running(at),
        may_consent=by.is_customer and is_open and by.may(Permission.UPDATES_AGREE),
        may_begin=may_begin,
        devices=_devices(ticket) if may_begin else [],
    )


def _devices(ticket: Ticket) -> list[Device]:
    """Those of the customer, of the ticket's product if it has one; the ticket's own first."""
    rows = inventory.devices(inventory.Wanted(), visible_to=actor()).where(
        Device.organisation_id == ticket.organisation_id
    )  # fmt: skip
    if ticket.product_id and ticket.device_id is None:
        rows = rows.where(Device.product_id == ticket.product_id)
    devices = session().scalars(rows.order_by(None).order_by(Device.serial).limit(OFFERED_DEVICES)).all()
    return sorted(devices, key=lambda device: device.id != ticket.device_id)


def _ticket(number: str) -> Ticket:
    return tickets.get(session(), number, visible_to=actor())


def _back(ticket: Ticket) -> ResponseReturnValue:
    return redirect(url_for("tickets.show", number=str(ticket), _anchor="remote-access"), 303)


@bp.route("/tickets/<number>/access", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def give_ticket_access(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    if not actor().is_customer:
        raise Forbidden(permission=Permission.UPDATES_AGREE)
    zone = ticket.organisation.time_zone
    form = AccessForm.until_then(_offered_end(zone))
    if form.is_sent():
        try:
            until = instant_of(form.then(), zone)
            ticket_access.give(session(), ticket, until, by=actor(), at=now())
        except (ConsentPast, NoSuchHour) as error:
            refuse(form.until, error)
        else:
            flash(_("The support centre may reach the devices until then. You can end that at any moment."))
            return _back(ticket)
    page = render_template("updates/ticket_access.html", ticket=ticket, form=form, zone=zone)
    return page, UNPROCESSABLE if form.errors else 200


def _offered_end(zone: str) -> datetime:
    return local_end(now() + OFFERED_FOR, zone, now())


@bp.post("/tickets/<number>/access/end")
@requires(Permission.UPDATES_AGREE)
def end_ticket_access(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    stopped = ticket_access.end(session(), ticket, by=actor(), at=now())
    flash(ngettext("Your consent has ended; %(num)s remote session was stopped.",
                   "Your consent has ended; %(num)s remote sessions were stopped.", stopped))  # fmt: skip
    return _back(ticket)


@bp.post("/tickets/<number>/sessions")
@requires(Permission.TICKETS_WORK)
def begin_ticket_session(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    try:
        device_id = UUID(request.form.get("device", ""))
    except ValueError as error:
        raise NotFound from error
    begun = ticket_access.begin(session(), ticket, device_id, by=actor(), at=now())
    return redirect(url_for(".ticket_session", number=str(ticket), remote_id=begun.id), 303)


@bp.get("/tickets/<number>/sessions/<uuid:remote_id>")
@requires(Permission.TICKETS_READ)
def ticket_session(number: str, remote_id: UUID) -> ResponseReturnValue:
    return _page(_ticket(number), remote_id)


def _page(ticket: Ticket, remote_id: UUID, sent: Form | None = None) -> ResponseReturnValue:
    named: dict[str, Any] = {"number": str(ticket), "remote_id": remote_id}
    place = Place(
        trail=[(_("Tickets"), url_for("tickets.index")), (str(ticket), url_for("tickets.show", number=str(ticket)))],
        note=url_for(".ticket_session_note", **named),
        file=url_for(".ticket_session_file", **named),
        finish=url_for(".finish_ticket_session", **named),
        end_access=url_for(".end_ticket_access", number=str(ticket)),
    )
    remote = queries.access_of(session(), ticket).session(remote_id)
    return session_page(remote, place, is_worker=actor().may(Permission.TICKETS_WORK), sent=sent)


@bp.post("/tickets/<number>/sessions/<uuid:remote_id>/notes")
@requires(Permission.TICKETS_WORK)
def ticket_session_note(number: str, remote_id: UUID) -> ResponseReturnValue:
    ticket, form = _ticket(number), SessionNoteForm()
    if not form.is_sent():
        return _page(ticket, remote_id, form)
    ticket_access.add_note(session(), ticket, remote_id, form.text.data or "", by=actor(), at=now())
    return redirect(url_for(".ticket_session", number=str(ticket), remote_id=remote_id), 303)


@bp.post("/tickets/<number>/sessions/<uuid:remote_id>/files")
@requires(Permission.TICKETS_WORK)
def ticket_session_file(number: str, remote_id: UUID) -> ResponseReturnValue:
    ticket, form = _ticket(number), FileForm()
    if not form.is_sent():
        return _page(ticket, remote_id, form)
    named = (form.name.data or "", form.digest.data or "")
    try:
        ticket_access.add_file(session(), ticket, remote_id, named, by=actor(), at=now())
    except NotADigest as error:
        refuse(form.digest, error)
        return _page(ticket, remote_id, form)
    return redirect(url_for(".ticket_session", number=str(ticket), remote_id=remote_id), 303)


@bp.post("/tickets/<number>/sessions/<uuid:remote_id>/finish")
@requires(Permission.TICKETS_WORK)
def finish_ticket_session(number: str, remote_id: UUID) -> ResponseReturnValue:
    ticket, form = _ticket(number), FinishForm()
    if not form.is_sent():
        return _page(ticket, remote_id, form)
    ticket_access.finish(session(), ticket, remote_id, form.result.data or "", by=actor(), at=now())
    flash(_("The remote session has ended."))
    return _back(ticket)
