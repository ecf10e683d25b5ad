"""The record, for the auditor."""

from collections.abc import Callable, Iterable
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.audit import queries
from portal.audit.export import csv_of
from portal.audit.forms import FilterForm
from portal.audit.wording import SUBJECT_TITLES, TAG_TITLES, VIA_TITLES
from portal.errors import InvalidInput, mark
from portal.permissions import Permission
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_time_zone
from portal.web.paging import page_of
from portal.web.unit_of_work import resources, session

bp = Blueprint("audit", __name__, template_folder="templates", url_prefix="/audit")

ORGANISATIONS = "audit organisations"
OrganisationNames = Callable[[Session], Iterable[tuple[UUID, str]]]


@bp.context_processor
def _words() -> dict[str, object]:
    tags = {tag.value: title for tag, title in TAG_TITLES.items()}
    return {"tag_titles": tags, "via_titles": VIA_TITLES, "subject_titles": SUBJECT_TITLES}


class BadFilter(InvalidInput):
    code = "bad-filter"
    sentence = mark("The record can't be filtered like that. Look at the fields again.")


def name_organisations(app: Flask, names: OrganisationNames) -> None:
    """The record knows organisations by id alone; `names` is how the rooms above call them."""
    app.extensions[ORGANISATIONS] = names


@bp.get("/")
@requires(Permission.AUDIT_READ)
def index() -> ResponseReturnValue:
    organisations = _organisations()
    form = FilterForm(organisations.items(), formdata=request.args)
    if not form.validate():
        return render_template("audit/index.html", form=form, page=None, organisations=organisations), 422
    page = page_of(session(), queries.events(form.filter(chosen_time_zone()), visible_to=actor()))
    return render_template("audit/index.html", form=form, page=page, organisations=organisations)


@bp.get("/export.csv")
@requires(Permission.AUDIT_READ)
def export() -> ResponseReturnValue:
    form = FilterForm(_organisations().items(), formdata=request.args)
    if not form.validate():
        raise BadFilter
    rows = queries.events(form.filter(chosen_time_zone()), visible_to=actor())
    response = Response(csv_of(resources().sessions, rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{now():%Y-%m-%d}.csv"'
    return response


def _organisations() -> dict[UUID, str]:
    names: OrganisationNames = current_app.extensions[ORGANISATIONS]
    return dict(names(session()))
