"""Pages of releases: the list, one release from draft to withdrawn, and its steps."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import NotFound
from portal.permissions import Permission
from portal.releases import draft_routes, issue_routes, key_routes, product_routes, queries, service
from portal.releases.blueprint import bp
from portal.releases.forms import ReasonForm, ReleaseForm, WithdrawForm, refusal_of
from portal.releases.models import (
    ARTIFACT_ROLE_TITLES,
    CATEGORY_TITLES,
    LEVEL_TITLES,
    SECTION_TITLES,
    SEVERITY_TITLES,
    STATE_TITLES,
    IssueRelation,
    Release,
    ReleaseState,
    Section,
)
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language
from portal.web.paging import page_of
from portal.web.unit_of_work import resources, session

__all__ = ["bp", "draft_routes", "issue_routes", "key_routes", "product_routes"]

UNPROCESSABLE = 422
STATE_KINDS = {
    ReleaseState.DRAFT: "calm",
    ReleaseState.IN_REVIEW: "info",
    ReleaseState.APPROVED: "warn",
    ReleaseState.PUBLISHED: "good",
    ReleaseState.WITHDRAWN: "bad",
}


@bp.context_processor
def titles() -> dict[str, Any]:
    """Words that several pages of this room need, under names of its own."""
    return {
        "release_titles": {
            "category": CATEGORY_TITLES,
            "level": LEVEL_TITLES,
            "state": STATE_TITLES,
            "kind": STATE_KINDS,
            "role": ARTIFACT_ROLE_TITLES,
            "section": SECTION_TITLES,
            "severity": SEVERITY_TITLES,
        }
    }


def load(release_id: UUID) -> Release:
    return queries.get(session(), release_id, visible_to=actor())


@bp.get("/releases")
@requires(Permission.RELEASES_READ)
def index() -> ResponseReturnValue:
    products = list(session().scalars(queries.products(actor())))
    product = next((one for one in products if one.code == request.args.get("product")), None)
    state = next((one for one in ReleaseState if one.value == request.args.get("state")), None)
    rows = queries.releases(actor(), state=state)
    if product is not None:
        rows = rows.where(Release.product_id == product.id)
    return render_template(
        "releases/index.html", page=page_of(session(), rows), products=products, product=product, state=state,
        states=list(ReleaseState),
    )  # fmt: skip


@bp.route("/releases/new", methods=["GET", "POST"])
@requires(Permission.RELEASES_EDIT)
def new() -> ResponseReturnValue:
    """A draft; the product is chosen first, for its trains and version scheme depend on it."""
    products = list(session().scalars(queries.products(actor())))
    code = request.args.get("product")
    if code is None:
        return render_template("releases/new.html", products=products, product=None, form=None, refusal="")
    product = queries.get_product(session(), code, visible_to=actor())
    form = ReleaseForm().offer(product.trains)
    made: list[Release] = []
    refusal = ""
    if form.is_sent():
        facts = form.facts(product.trains)
        refusal = refusal_of(
            lambda: made.append(service.create_release(session(), product, facts, by=actor(), at=now()))
        )
        if made:
            flash(_("%(version)s is a draft now.", version=made[0].version))
            return redirect(url_for(".show", release_id=made[0].id), 303)
    page = render_template("releases/new.html", products=products, product=product, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.get("/releases/<uuid:release_id>")
@requires(Permission.RELEASES_READ)
def show(release_id: UUID) -> ResponseReturnValue:
    release, config = load(release_id), resources().config
    notes = queries.current_notes(session(), release.id)
    languages = dict.fromkeys([*config.notes_languages, *(notes.texts if notes else ())])
    shown = request.args.get("notes", chosen_language())
    problems = [] if release.was_published else service.problems(session(), release, languages=config.notes_languages)
    publication = queries.publication(session(), release.id)
    return render_template(
        "releases/show.html",
        release=release,
        notes=notes,
        notes_language=shown if shown in languages else next(iter(languages)),
        notes_languages=languages,
        history=queries.notes_history(session(), release.id) if release.was_published else [],
        sections=list(Section),
        problems=problems,
        waivers=queries.waivers(session(), release.id),
        links=queries.issues_of(session(), release.id),
        linkable=queries.linkable_issues(session(), release),
        audience=queries.audience(session(), release.id),
        publication=publication,
        key=resources().keys.ring().find(publication.key_id) if publication else None,
        held_by_portal=key_routes.held_by_portal(publication.key_id if publication else None),
        people=queries.names_of(session(), release),
        recommended=queries.recommended(session(), release.product_id).get(release.train_id),
        IssueRelation=IssueRelation,
        ReleaseState=ReleaseState,
        second_person=config.second_person_approves,
        limit_bytes=config.max_artifact_bytes,
    )


@bp.post("/releases/<uuid:release_id>/submit")
@requires(Permission.RELEASES_EDIT)
def submit(release_id: UUID) -> ResponseReturnValue:
    release = load(release_id)
    service.submit(session(), release, languages=resources().config.notes_languages, by=actor(), at=now())
    flash(_("%(version)s is in review.", version=release.version))
    return redirect(url_for(".show", release_id=release.id), 303)


@bp.route("/releases/<uuid:release_id>/return", methods=["GET", "POST"])
@requires(Permission.RELEASES_PUBLISH)
def return_to_draft(release_id: UUID) -> ResponseReturnValue:
    release, form = load(release_id), ReasonForm()
    refusal = ""
    if form.is_sent():
        reason = form.reason.data or ""
        refusal = refusal_of(lambda: service.return_to_draft(session(), release, reason=reason, by=actor(), at=now()))
        if not refusal:
            flash(_("%(version)s is a draft again.", version=release.version))
            return redirect(url_for(".show", release_id=release.id), 303)
    page = render_template("releases/reason.html", release=release, form=form, refusal=refusal,
                           title=_("Return to draft"))  # fmt: skip
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.post("/releases/<uuid:release_id>/approve")
@requires(Permission.RELEASES_APPROVE)
def approve(release_id: UUID) -> ResponseReturnValue:
    release, config = load(release_id), resources().config
    service.approve(session(), release, languages=config.notes_languages, second_person=config.second_person_approves,
                    by=actor(), at=now())  # fmt: skip
    flash(_("%(version)s is approved.", version=release.version))
    return redirect(url_for(".show", release_id=release.id), 303)


@bp.post("/releases/<uuid:release_id>/publish")
@requires(Permission.RELEASES_PUBLISH)
def publish(release_id: UUID) -> ResponseReturnValue:
    release, signer = load(release_id), service.open_signer(resources())
    languages = resources().config.notes_languages
    service.publish(session(), release, languages=languages, signer=signer, by=actor(), at=now())
    flash(_("%(version)s is signed and published.", version=release.version))
    return redirect(url_for(".show", release_id=release.id), 303)


@bp.route("/releases/<uuid:release_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.RELEASES_WITHDRAW)
def withdraw(release_id: UUID) -> ResponseReturnValue:
    release = load(release_id)
    others = queries.replacements(session(), release)
    form = WithdrawForm().offer(others)
    refusal = ""
    if form.is_sent():
        replacement = next((one for one in others if str(one.id) == form.replacement.data), None)
        reason = form.reason.data or ""
        refusal = refusal_of(
            lambda: service.withdraw(session(), release, reason=reason, replacement=replacement, by=actor(), at=now())
        )
        if not refusal:
            flash(_("%(version)s is withdrawn; nobody can take it any more.", version=release.version))
            return redirect(url_for(".show", release_id=release.id), 303)
    page = render_template("releases/withdraw.html", release=release, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.route("/releases/<uuid:release_id>/recommend", methods=["GET", "POST"])
@requires(Permission.RELEASES_PUBLISH)
def recommend(release_id: UUID) -> ResponseReturnValue:
    release, form = load(release_id), ReasonForm()
    if not release.is_published:
        raise NotFound
    refusal = ""
    if form.is_sent():
        reason = form.reason.data or ""
        refusal = refusal_of(lambda: service.recommend(session(), release, reason=reason, by=actor(), at=now()))
        if not refusal:
            flash(_("%(version)s is recommended.", version=release.version))
            return redirect(url_for(".show", release_id=release.id), 303)
    page = render_template("releases/reason.html", release=release, form=form, refusal=refusal, title=_("Recommend"))
    return page, UNPROCESSABLE if refusal or form.errors else 200
