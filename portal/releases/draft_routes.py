"""Pages that change a release: facts, files, notes, issues, waivers, audience."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import StringField, SubmitField, TextAreaField

from portal.errors import NotFound
from portal.permissions import Permission
from portal.releases import queries, service
from portal.releases.blueprint import bp
from portal.releases.errors import BadAudience
from portal.releases.forms import ReleaseForm, from_reader_zone, refusal_of
from portal.releases.locking import lock
from portal.releases.models import SECTION_TITLES, IssueRelation, Release, Section
from portal.web.formats import now
from portal.web.forms import Form, _l
from portal.web.guard import actor, requires
from portal.web.unit_of_work import resources, session

UNPROCESSABLE = 422


def _load(release_id: UUID) -> Release:
    return queries.get(session(), release_id, visible_to=actor())


def _back(release: Release, anchor: str) -> ResponseReturnValue:
    return redirect(url_for("releases.show", release_id=release.id, _anchor=anchor), 303)


@bp.route("/releases/<uuid:release_id>/edit", methods=["GET", "POST"])
@requires(Permission.RELEASES_EDIT)
def edit(release_id: UUID) -> ResponseReturnValue:
    release = _load(release_id)
    release.require_draft()
    trains = queries.trains_of(session(), release.product_id)
    form = ReleaseForm.of(release, trains)
    refusal = ""
    if form.is_sent():
        facts = form.facts(trains)
        refusal = refusal_of(lambda: service.change_release(session(), release, facts, by=actor(), at=now()))
        if not refusal:
            flash(_("Saved."))
            return _back(release, "facts")
    page = render_template("releases/edit.html", release=release, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.post("/releases/<uuid:release_id>/artifacts/<uuid:artifact_id>/remove")
@requires(Permission.RELEASES_EDIT)
def remove_artifact(release_id: UUID, artifact_id: UUID) -> ResponseReturnValue:
    release = _load(release_id)
    artifact = next((one for one in release.artifacts if one.id == artifact_id), None)
    if artifact is None:
        raise NotFound
    service.remove_artifact(session(), release, artifact, by=actor(), at=now())
    flash(_("%(name)s is taken off. Its name goes on standing for these bytes.", name=artifact.name))
    return _back(release, "files")


class NotesForm(Form):
    """One field for each section, and the reason of a correction."""

    reason = StringField(_l("Reason of the correction"))
    save = SubmitField(_l("Save"))
    preview = SubmitField(_l("Save and look at it"))


for _section in Section:
    setattr(NotesForm, _section.value, TextAreaField(_l(SECTION_TITLES[_section]), render_kw={"rows": 6}))


@bp.route("/releases/<uuid:release_id>/notes/<language>", methods=["GET", "POST"])
@requires(Permission.RELEASES_EDIT)
def notes(release_id: UUID, language: str) -> ResponseReturnValue:
    """Write the notes in one language, with what readers will see beside it."""
    release = _load(release_id)
    if language not in resources().config.notes_languages:
        raise NotFound
    last = queries.current_notes(session(), release.id)
    written: dict[str, str] = (last.texts if last else {}).get(language, {})
    form = NotesForm(data=written)
    fields: Any = form
    refusal = ""
    if form.is_sent():
        texts = {language: {section.value: fields[section.value].data or "" for section in Section}}
        reason = form.reason.data or ""
        refusal = refusal_of(lambda: service.save_notes(session(), release, texts, reason=reason, by=actor(), at=now()))
        if not refusal:
            flash(_("Saved."))
            again = url_for("releases.notes", release_id=release.id, language=language)
            return redirect(again, 303) if form.preview.data else _back(release, "notes")
    page = render_template("releases/notes.html", release=release, form=form, refusal=refusal, language=language,
                           sections=list(Section), written=written)  # fmt: skip
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.get("/releases/<uuid:release_id>/notes/revisions/<int:number>")
@requires(Permission.RELEASES_READ)
def notes_revision(release_id: UUID, number: int) -> ResponseReturnValue:
    """The notes as they stood at an earlier date."""
    release = _load(release_id)
    revision = next((one for one in queries.notes_history(session(), release.id) if one.number == number), None)
    if revision is None:
        raise NotFound
    return render_template("releases/revision.html", release=release, revision=revision, sections=list(Section))


@bp.post("/releases/<uuid:release_id>/issues")
@requires(Permission.RELEASES_EDIT)
def link_issue(release_id: UUID) -> ResponseReturnValue:
    release = _load(release_id)
    issue = queries.get_issue(session(), request.form.get("issue", ""), visible_to=actor())
    word = request.form.get("relation", "")
    relation = IssueRelation.FIXED if word == IssueRelation.FIXED else IssueRelation.AFFECTED
    service.link_issue(session(), release, issue, relation, by=actor(), at=now())
    return _back(release, "issues")


@bp.post("/releases/<uuid:release_id>/issues/<public_id>/unlink")
@requires(Permission.RELEASES_EDIT)
def unlink_issue(release_id: UUID, public_id: str) -> ResponseReturnValue:
    release = _load(release_id)
    issue = queries.get_issue(session(), public_id, visible_to=actor())
    service.unlink_issue(session(), release, issue, by=actor(), at=now())
    return _back(release, "issues")


@bp.post("/releases/<uuid:release_id>/waivers")
@requires(Permission.RELEASES_EDIT)
def waive(release_id: UUID) -> ResponseReturnValue:
    release = _load(release_id)
    problem, reason = request.form.get("problem", ""), request.form.get("reason", "")
    service.give_waiver(session(), release, problem=problem, reason=reason, by=actor(), at=now())
    flash(_("The problem is waived in your name."))
    return _back(release, "problems")


@bp.route("/releases/<uuid:release_id>/audience", methods=["GET", "POST"])
@requires(Permission.RELEASES_EDIT)
def audience(release_id: UUID) -> ResponseReturnValue:
    """Everyone from a date on, or named customers each from their own."""
    release = _load(release_id)
    if request.method == "POST":
        lock(session(), release)  # one button changes one thing: what another just removed must not come back
    named = queries.audience(session(), release.id)
    if request.method == "POST":
        changed = _changed_audience(release, {row.organisation_id: row.opens_at for row, _org in named})
        service.set_audience(session(), release, changed, by=actor(), at=now())
        flash(_("Saved."))
        return redirect(url_for(".audience", release_id=release.id), 303)
    taken = {row.organisation_id for row, _org in named}
    customers = [one for one in queries.customers(session()) if one.id not in taken]
    return render_template("releases/audience.html", release=release, named=named, customers=customers)


def _changed_audience(release: Release, named: dict[UUID, datetime]) -> service.Audience:
    """What the one button that was pressed changes: the opening for all, a customer more, a customer less."""
    act, open_from = request.form.get("act"), release.open_from
    if act == "open":
        open_from = _instant(request.form.get("open_from", ""))
    elif act == "add":
        named[_customer()] = _instant(request.form.get("opens_at", "")) or now()
    elif act == "remove":
        named.pop(_customer(), None)
    return service.Audience(open_from=open_from, named=tuple(named.items()))


def _customer() -> UUID:
    try:
        return UUID(request.form.get("customer", ""))
    except ValueError as error:
        raise BadAudience from error


def _instant(text: str) -> datetime | None:
    """What a date-time field sends, in the reader's zone; empty is none."""
    try:
        return from_reader_zone(datetime.fromisoformat(text)) if text else None
    except ValueError as error:
        raise BadAudience from error
