"""The queue, for whoever keeps the portal running."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.errors import NotFound, mark
from portal.jobs import queries, service
from portal.jobs.models import Job, JobState
from portal.permissions import Permission
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("jobs", __name__, template_folder="templates", url_prefix="/jobs")

RETRY_NOTE = "note of a job's retry"
RetryNote = Callable[[Session, Job, Actor, datetime], None]

STATE_TITLES = {
    JobState.DEAD: mark("given up"),
    JobState.RUNNING: mark("being done"),
    JobState.QUEUED: mark("waiting"),
    JobState.DONE: mark("done"),
}
STATE_KINDS = {JobState.DEAD: "bad", JobState.RUNNING: "info", JobState.QUEUED: "warn", JobState.DONE: "good"}


def note_retries(app: Flask, note: RetryNote) -> None:
    """The record of what was done stands above the queue; `note` is how a retry gets into it."""
    app.extensions[RETRY_NOTE] = note


@bp.get("/")
@requires(Permission.JOBS_READ)
def index() -> ResponseReturnValue:
    state = _asked_state()
    page = page_of(session(), queries.jobs(visible_to=actor(), state=state))
    counts = queries.counts(session(), visible_to=actor())
    return render_template(
        "jobs/index.html", page=page, counts=counts, chosen=state, titles=STATE_TITLES, kinds=STATE_KINDS
    )


@bp.post("/<uuid:job_id>/retry")
@requires(Permission.JOBS_MANAGE)
def retry(job_id: UUID) -> ResponseReturnValue:
    job = queries.job(session(), job_id, visible_to=actor())
    note: RetryNote = current_app.extensions[RETRY_NOTE]
    service.retry(job, now())
    note(session(), job, actor(), now())
    flash(_("%(name)s is queued again.", name=job.name))
    return redirect(url_for(".index"), 303)


def _asked_state() -> JobState | None:
    """Raises NotFound for a state that there isn't."""
    text = request.args.get("state", "")
    try:
        return JobState(text) if text else None
    except ValueError as error:
        raise NotFound from error
