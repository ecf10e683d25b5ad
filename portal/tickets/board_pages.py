"""The engineers' board and its state for the page that keeps itself up to date; taking a ticket and giving it back."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import SubmitField, TextAreaField

from portal.permissions import Permission
from portal.texts import lines
from portal.tickets import board, clock_words, following, queries, rota, service
from portal.tickets.forms import MARKDOWN_HELP
from portal.tickets.models import TICKET_SEVERITY_TITLES, TICKET_STATE_TITLES, TicketSeverity, TicketState
from portal.tickets.programmes import MEASURE_TITLES, Measure
from portal.tickets.rota_models import DUTY_ROLE_TITLES
from portal.web.fields import UNPROCESSABLE, Parsed
from portal.web.formats import now
from portal.web.forms import Form, _l
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language, chosen_time_zone, translate
from portal.web.unit_of_work import session

bp = Blueprint("desk", __name__, template_folder="templates")

POLL_SECONDS = 10
TAG_DIGITS = 16
PORTAL_NOW = "Portal-Now"
"""The portal's own clock in each answer of the state, so that a browser whose clock is wrong counts right."""


class ShiftNoteForm(Form):
    text = TextAreaField(
        _l("What the next shift has to know"),
        [Parsed(lines, limit=rota.MAX_NOTE_CHARS)],
        description=MARKDOWN_HELP,
        render_kw={"rows": 4},
    )
    submit = SubmitField(_l("Leave the note"))


@dataclass(frozen=True)
class CardWords:
    """What the cards of one board share, looked up once and not for each of eighty cards."""

    measures: Mapping[Measure, str]
    states: Mapping[TicketState, str]
    severities: Mapping[TicketSeverity, str]
    take: str
    page_of: Callable[[object], str]
    claim_of: Callable[[object], str]


def _card_words() -> CardWords:
    return CardWords(
        measures={key: translate(title) for key, title in MEASURE_TITLES.items()},
        states={key: translate(title) for key, title in TICKET_STATE_TITLES.items()},
        severities={key: translate(title) for key, title in TICKET_SEVERITY_TITLES.items()},
        take=_("Take it"),
        page_of=_addresses("tickets.show"),
        claim_of=_addresses("desk.claim"),
    )


def _addresses(endpoint: str) -> Callable[[object], str]:
    """The address of any ticket by its number, from that of one."""
    some = "T-000000"
    before, _some, after = url_for(endpoint, number=some).partition(some)
    return lambda ticket: f"{before}{ticket}{after}"


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "card_words": _card_words,
        "ticket_states": TICKET_STATE_TITLES,
        "ticket_severities": TICKET_SEVERITY_TITLES,
        "duty_roles": DUTY_ROLE_TITLES,
        **clock_words.words(),
    }


@bp.get("/desk")
@requires(Permission.TICKETS_WORK)
def show() -> ResponseReturnValue:
    return _page(ShiftNoteForm(formdata=None))


@bp.get("/desk/state")
@requires(Permission.TICKETS_WORK)
def state() -> ResponseReturnValue:
    """The changing parts of the board as HTML by name, in the reader's language, with an ETag (RFC 9110 §8.8.3).

    Nothing in it depends on the second in which it is asked: countdowns are counted by the page from due instants. The
    ETag says of which version it is and until when it stays the same, so that "nothing changed" is one small query.
    """
    version = following.version(session())
    known = next((tag for tag in request.if_none_match.as_set(include_weak=True) if _is_fresh(tag, version)), None)
    if known:
        return _private(make_response("", 304), known)
    found = board.board(session(), visible_to=actor(), at=now())
    pieces = cast("Any", current_app.jinja_env.get_template("tickets/board_pieces.html").make_module(_words()))
    body = json.dumps({"head": pieces.head(found, live=True), "lanes": pieces.lanes(found, live=True)})
    response = make_response(body)
    response.content_type = "application/json"
    digest = hashlib.sha256(body.encode()).hexdigest()[:TAG_DIGITS]
    _private(response, f"{version}.{_milliseconds(found.until)}.{_reader()}.{digest}")
    response.make_conditional(request)
    return response


@bp.post("/desk/<number>/claim")
@requires(Permission.TICKETS_WORK)
def claim(number: str) -> ResponseReturnValue:
    ticket = queries.get(session(), number, visible_to=actor())
    service.claim(session(), ticket, by=actor(), at=now())
    return redirect(url_for("tickets.show", number=str(ticket)), 303)


@bp.post("/desk/<number>/give-back")
@requires(Permission.TICKETS_WORK)
def give_back(number: str) -> ResponseReturnValue:
    ticket = queries.get(session(), number, visible_to=actor())
    service.give_back(session(), ticket, by=actor(), at=now())
    return redirect(url_for("tickets.show", number=str(ticket)), 303)


@bp.post("/desk/notes")
@requires(Permission.TICKETS_WORK)
def leave_note() -> ResponseReturnValue:
    form = ShiftNoteForm()
    if not form.is_sent():
        return _page(form), UNPROCESSABLE
    rota.leave_note(session(), form.text.data or "", by=actor(), at=now())
    flash(_("The next shift will find your note on top of the board."))
    return redirect(url_for(".show"), 303)


@bp.post("/desk/notes/<uuid:note_id>/take")
@requires(Permission.TICKETS_WORK)
def take_note(note_id: UUID) -> ResponseReturnValue:
    rota.take_note(session(), note_id, by=actor(), at=now())
    return redirect(url_for(".show"), 303)


def _reader() -> str:
    """For whom a board is drawn; another's ETag is none."""
    reader = f"{actor().person_id} {chosen_language()} {chosen_time_zone()} {sorted(actor().permissions)}"
    return hashlib.sha256(reader.encode()).hexdigest()[:TAG_DIGITS]


def _is_fresh(tag: str, version: int) -> bool:
    """Whether the board that `state` tagged so is as it is now; whoever forges a tag deceives only themselves."""
    made_of = re.fullmatch(r"([0-9]{1,18})[.]([0-9]{1,18})[.]([0-9a-f]+)[.][0-9a-f]+", tag)
    if made_of is None:
        return False
    of_version, until, reader = made_of.groups()
    is_same = (int(of_version), reader) == (version, _reader())
    return is_same and _milliseconds(now()) < int(until)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _private(response: Response, tag: str) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers[PORTAL_NOW] = now().isoformat()
    response.headers["Vary"] = "Cookie"
    response.set_etag(tag)
    return response


def _page(form: ShiftNoteForm) -> str:
    found = board.board(session(), visible_to=actor(), at=now())
    return render_template("tickets/board.html", board=found, form=form, live=False, poll_seconds=POLL_SECONDS)
