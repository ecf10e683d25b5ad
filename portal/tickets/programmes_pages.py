"""The administrator's page of service programmes: what is promised, in which hours, and who is called when."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import InvalidInput, PortalError, mark
from portal.permissions import Permission
from portal.tickets import programme_service as service
from portal.tickets.errors import ProgrammeNameTaken
from portal.tickets.models import TICKET_CHANNEL_TITLES, TICKET_SEVERITY_TITLES, ServiceProgramme
from portal.tickets.programme_texts import (
    RESTING_MEASURES,
    RUNGS,
    UNITS,
    programme_of_texts,
    texts_of,
    written_span,
)
from portal.tickets.programmes import EXPERT_24X7, MEASURE_TITLES, from_terms
from portal.tickets.standing import MANAGEMENT, ON_DUTY, SHIFT_LEAD
from portal.tickets.timing import BUILT_IN
from portal.web.errors import status_of
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.unit_of_work import session

bp = Blueprint("programmes", __name__, template_folder="templates")

LONGEST_TEXT_CHARS = 20_000
WHO_TITLES = {
    ON_DUTY: mark("Whoever is on duty"),
    SHIFT_LEAD: mark("The shift lead"),
    MANAGEMENT: mark("The dispatchers"),
}


@bp.get("/programmes")
@requires(Permission.CONTRACTS_MANAGE)
def index() -> ResponseReturnValue:
    return render_template(
        "tickets/programmes.html",
        programmes=service.programmes(session(), visible_to=actor()),
        unknown=service.unknown_programmes(session(), visible_to=actor()),
        written_span=written_span,
        units=translate(UNITS),
        who_titles=WHO_TITLES,
        measures=MEASURE_TITLES,
        channels=TICKET_CHANNEL_TITLES,
        severities=TICKET_SEVERITY_TITLES,
    )


@bp.route("/programmes/new", methods=["GET", "POST"])
@requires(Permission.CONTRACTS_MANAGE)
def new() -> ResponseReturnValue:
    """With `from`, filled in with what is built in under that name (the form then keeps the name)."""
    built_in = BUILT_IN.get(request.args.get("from", ""))
    if request.method == "POST":
        return _saved(None, built_in.name if built_in else None)
    name = request.args.get("name", "")[:100]
    return _form(
        texts_of(built_in or EXPERT_24X7, translate(UNITS)) | ({} if built_in else {"name": name}),
        fixed=built_in is not None,
    )


@bp.route("/programmes/<uuid:programme_id>", methods=["GET", "POST"])
@requires(Permission.CONTRACTS_MANAGE)
def edit(programme_id: UUID) -> ResponseReturnValue:
    row = service.programme(session(), programme_id, visible_to=actor())
    if request.method == "POST":
        return _saved(row, row.name)
    return _form(texts_of(from_terms(row.name, row.terms), translate(UNITS)), fixed=True)


def _saved(row: ServiceProgramme | None, name: str | None) -> ResponseReturnValue:
    texts = {field: text[:LONGEST_TEXT_CHARS] for field, text in request.form.items()} | (
        {"name": name} if name else {}
    )
    try:
        service.save_programme(session(), programme_of_texts(texts), row, by=actor(), at=now())
    except (InvalidInput, ProgrammeNameTaken) as error:
        return _form(texts, fixed=name is not None, error=error), status_of(error)
    flash(_("The programme %(name)s is kept.", name=texts["name"]))
    return redirect(url_for(".index"), 303)


def _form(texts: Mapping[str, str], *, fixed: bool, error: PortalError | None = None) -> str:
    return render_template(
        "tickets/programme.html",
        texts=texts,
        fixed=fixed,
        error=error,
        sentence=error.sentence_in(translate) if error else "",
        measures=MEASURE_TITLES,
        channels=TICKET_CHANNEL_TITLES,
        severities=TICKET_SEVERITY_TITLES,
        resting=RESTING_MEASURES,
        rungs=RUNGS,
        who_titles=WHO_TITLES,
    )
