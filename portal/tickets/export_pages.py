"""A ticket to take away: a page to print, PDF, and ZIP with its files."""

from collections.abc import Iterator
from typing import IO

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from portal.documents.report import render_report
from portal.permissions import Permission
from portal.tickets import exporting, queries, timing, turns
from portal.tickets.exporting import BLOCK_BYTES, Shared
from portal.tickets.models import TICKET_CHANNEL_TITLES, TICKET_STATE_TITLES_FOR_CUSTOMER, TicketEventKind
from portal.tickets.routes import bp
from portal.web.files import content_disposition, send_text
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language, chosen_time_zone
from portal.web.unit_of_work import let_go, resources, session


@bp.get("/tickets/<number>/print")
@requires(Permission.TICKETS_READ)
def printable(number: str) -> ResponseReturnValue:
    one = _shared(number)
    programme = timing.programme_of(session(), one.ticket)
    clock = timing.clock_of(session(), one.ticket, one.events, at=now(), programme=programme)
    return render_template(
        "tickets/print.html",
        ticket=one.ticket,
        events=one.events,
        turns=turns.turns_of(one.events, clock, programme),
        files=one.files,
        kinds=TicketEventKind,
        channels=TICKET_CHANNEL_TITLES,
        states_shown=TICKET_STATE_TITLES_FOR_CUSTOMER,
        at=now(),
    )


@bp.get("/tickets/<number>/export.pdf")
@requires(Permission.TICKETS_READ)
def export_pdf(number: str) -> ResponseReturnValue:
    one = _shared(number)
    return send_text(f"{one.ticket}.pdf", _pdf(one), content_type="application/pdf")


@bp.get("/tickets/<number>/export.zip")
@requires(Permission.TICKETS_READ)
def export_zip(number: str) -> ResponseReturnValue:
    one = _shared(number)
    let_go()
    packed = exporting.archive(one, resources().store, pdf=_pdf(one))
    response = Response(_blocks(packed), content_type="application/zip")
    response.call_on_close(packed.close)
    response.headers["Content-Disposition"] = content_disposition(f"{one.ticket}.zip")
    return response


def _shared(number: str) -> Shared:
    return exporting.shared(session(), queries.get(session(), number, visible_to=actor()), by=actor())


def _pdf(one: Shared) -> bytes:
    made = exporting.report(one, language=chosen_language(), time_zone=chosen_time_zone(), at=now())
    return render_report(made)


def _blocks(packed: IO[bytes]) -> Iterator[bytes]:
    with packed:
        while block := packed.read(BLOCK_BYTES):
            yield block
