"""The engineer's pages, step by step, on a laptop or a telephone; the customer's own specialists use the same steps."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import NotFound
from portal.permissions import Permission
from portal.texts import TextMissing
from portal.updates import access, checklist, queries, remote, running
from portal.updates.blueprint import WORDS, back, bp, sealer
from portal.updates.errors import DowntimeTooLong, NotADigest
from portal.updates.forms import ENDS, EndForm, FileForm, FinishForm, SessionNoteForm
from portal.updates.models import UpdateDevice, UpdateRequest, UpdateStep
from portal.updates.session_pages import Place, session_page
from portal.updates.states import CHECKS_PER_DEVICE, Check, StepState
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.forms import Form
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session


def _load(update_id: UUID) -> UpdateRequest:
    return queries.get(session(), update_id, visible_to=actor())


@bp.post("/updates/<uuid:update_id>/take-on")
@requires(Permission.UPDATES_RUN)
def take_on(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    running.take_on(session(), update, by=actor(), at=now())
    flash(_("You run this update. Go through the checklist first."))
    return back(update)


@bp.post("/updates/<uuid:update_id>/check")
@requires(Permission.UPDATES_AGREE)
def check(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    name, key = request.form.get("name", ""), request.form.get("key", "")
    known = {str(device.id) for device in update.devices} | {""}
    if name not in set(Check) or key not in known or (Check(name) in CHECKS_PER_DEVICE and not key):
        raise NotFound
    reason = request.form.get("reason", "")
    checklist.check(session(), update, (Check(name), key), reason, by=actor(), at=now())
    return back(update, "checklist")


@bp.post("/updates/<uuid:update_id>/start")
@requires(Permission.UPDATES_AGREE)
def start(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    running.start(session(), update, by=actor(), at=now())
    flash(_("The work has begun."))
    return back(update, "devices")


@bp.post("/updates/<uuid:update_id>/steps/<uuid:step_id>/begin")
@requires(Permission.UPDATES_AGREE)
def begin_step(update_id: UUID, step_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    running.begin_step(session(), update, step_id, by=actor(), at=now())
    return redirect(url_for(".end_step", update_id=update.id, step_id=step_id), 303)


@bp.route("/updates/<uuid:update_id>/steps/<uuid:step_id>", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def end_step(update_id: UUID, step_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    device, step = _step(update, step_id)
    form = EndForm()
    if step.state is StepState.DONE:
        form.minutes.description = _("By going back. Empty: it interrupted nothing.")
    if form.is_sent() and form.state.data in ENDS:
        minutes = form.minutes.data
        downtime = None if minutes is None else timedelta(minutes=minutes)
        ended = running.Ended(StepState(form.state.data), form.note.data or "", downtime)
        try:
            running.end_step(session(), update, step_id, ended, by=actor(), at=now())
        except DowntimeTooLong as error:
            refuse(form.minutes, error)
        except TextMissing as error:
            refuse(form.note, error)
        else:
            _tell(update, step, ended)
            return back(update, "devices")
    status = UNPROCESSABLE if form.errors else 200
    page = render_template("updates/step.html", update=update, device=device, step=step, form=form, **WORDS)
    return page, status


def _tell(update: UpdateRequest, step: UpdateStep, ended: running.Ended) -> None:
    device, _step_now = _step(update, step.id)
    if ended.state is StepState.DONE:
        flash(_("%(serial)s runs %(version)s now.", serial=device.device.serial, version=step.version))
    elif ended.state is StepState.FAILED:
        flash(_("The failure is on record, and the ticket %(ticket)s is opened.", ticket=device.ticket or "—"))
    else:
        flash(_("%(serial)s went back to what ran before.", serial=device.device.serial))


def _step(update: UpdateRequest, step_id: UUID) -> tuple[UpdateDevice, UpdateStep]:
    for device in update.devices:
        for step in device.steps:
            if step.id == step_id:
                return device, step
    raise NotFound


@bp.post("/updates/<uuid:update_id>/finish")
@requires(Permission.UPDATES_AGREE)
def finish(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    running.finish(session(), update, by=actor(), at=now())
    flash(_("The update is finished. Its report can be printed."))
    return back(update)


@bp.post("/updates/<uuid:update_id>/sessions")
@requires(Permission.UPDATES_RUN)
def begin_session(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    wanted = request.form.get("device", "")
    device = next((one for one in update.devices if str(one.id) == wanted), None)
    if device is None:
        raise NotFound
    begun = remote.begin(session(), update, device.id, by=actor(), at=now())
    return redirect(url_for(".remote_session", update_id=update.id, session_id=begun.id), 303)


@bp.get("/updates/<uuid:update_id>/sessions/<uuid:session_id>")
@requires(Permission.UPDATES_READ)
def remote_session(update_id: UUID, session_id: UUID) -> ResponseReturnValue:
    return _session_page(update_id, session_id)


def _session_page(
    update_id: UUID, session_id: UUID, sent: Form | None = None, shown: tuple[str, str] | None = None
) -> ResponseReturnValue:
    """`shown` is (what it is, the text), on this one answer only."""
    update = _load(update_id)
    named: dict[str, Any] = {"update_id": update.id, "session_id": session_id}
    place = Place(
        trail=[(_("Updates"), url_for(".index")), (update.number, url_for(".show", update_id=update.id))],
        note=url_for(".add_note", **named),
        file=url_for(".add_file", **named),
        finish=url_for(".finish_session", **named),
        end_access=url_for(".end_access", update_id=update.id),
    )
    secrets = [
        (secret, url_for(".show_secret", **named, secret_id=secret.id))
        for secret in update.secrets
        if secret.destroyed_at is None
    ]
    is_worker = actor().may(Permission.UPDATES_RUN)
    found = queries.session_of(update, session_id)
    return session_page(found, place, is_worker=is_worker, sent=sent, shown=shown, secrets=secrets)


@bp.post("/updates/<uuid:update_id>/sessions/<uuid:session_id>/notes")
@requires(Permission.UPDATES_RUN)
def add_note(update_id: UUID, session_id: UUID) -> ResponseReturnValue:
    update, form = _load(update_id), SessionNoteForm()
    if not form.is_sent():
        return _session_page(update_id, session_id, form)
    remote.add_note(session(), update, session_id, form.text.data or "", by=actor(), at=now())
    return redirect(url_for(".remote_session", update_id=update.id, session_id=session_id), 303)


@bp.post("/updates/<uuid:update_id>/sessions/<uuid:session_id>/files")
@requires(Permission.UPDATES_RUN)
def add_file(update_id: UUID, session_id: UUID) -> ResponseReturnValue:
    update, form = _load(update_id), FileForm()
    if not form.is_sent():
        return _session_page(update_id, session_id, form)
    named = (form.name.data or "", form.digest.data or "")
    try:
        remote.add_file(session(), update, session_id, named, by=actor(), at=now())
    except NotADigest as error:
        refuse(form.digest, error)
        return _session_page(update_id, session_id, form)
    return redirect(url_for(".remote_session", update_id=update.id, session_id=session_id), 303)


@bp.post("/updates/<uuid:update_id>/sessions/<uuid:session_id>/finish")
@requires(Permission.UPDATES_RUN)
def finish_session(update_id: UUID, session_id: UUID) -> ResponseReturnValue:
    update, form = _load(update_id), FinishForm()
    if not form.is_sent():
        return _session_page(update_id, session_id, form)
    remote.finish(session(), update, session_id, form.result.data or "", by=actor(), at=now())
    flash(_("The remote session has ended."))
    return back(update, "sessions")


@bp.post("/updates/<uuid:update_id>/sessions/<uuid:session_id>/secrets/<uuid:secret_id>")
@requires(Permission.UPDATES_RUN)
def show_secret(update_id: UUID, session_id: UUID, secret_id: UUID) -> ResponseReturnValue:
    """Answers with the text itself, once: a redirect would have to keep it somewhere."""
    update = _load(update_id)
    where = (secret_id, session_id)
    text = access.show_secret(session(), update, where, sealer=sealer(), by=actor(), at=now())
    label = next(secret.label for secret in update.secrets if secret.id == secret_id)
    session().flush()  # the page tells of this look as well
    return _session_page(update_id, session_id, shown=(label, text))
