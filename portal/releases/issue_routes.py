"""Pages of known issues."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.permissions import Permission
from portal.releases import queries, service
from portal.releases.blueprint import bp
from portal.releases.forms import issue_form, refusal_of
from portal.releases.models import Issue, IssueRelation
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import LANGUAGE_NAMES, chosen_language
from portal.web.paging import page_of
from portal.web.unit_of_work import session

UNPROCESSABLE = 422


@bp.get("/releases/issues")
@requires(Permission.RELEASES_READ)
def issues() -> ResponseReturnValue:
    page = page_of(session(), queries.issues(actor()))
    return render_template("releases/issues.html", page=page, language=chosen_language())


@bp.route("/releases/issues/new", methods=["GET", "POST"])
@requires(Permission.ISSUES_EDIT)
def new_issue() -> ResponseReturnValue:
    products = list(session().scalars(queries.products(actor())))
    form, refusal = issue_form(None, products), ""
    made: list[Issue] = []
    if form.is_sent():
        product = next(one for one in products if str(one.id) == form.product.data)
        facts = form.facts(form.words())
        refusal = refusal_of(lambda: made.append(service.create_issue(session(), product, facts, by=actor(), at=now())))
        if made:
            flash(_("Saved."))
            return redirect(url_for(".issue", public_id=made[0].public_id), 303)
    page = render_template("releases/issue_form.html", issue=None, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.get("/releases/issues/<public_id>")
@requires(Permission.RELEASES_READ)
def issue(public_id: str) -> ResponseReturnValue:
    shown = queries.get_issue(session(), public_id, visible_to=actor())
    return render_template(
        "releases/issue.html", issue=shown, names=LANGUAGE_NAMES, IssueRelation=IssueRelation,
        links=sorted(shown.release_links, key=lambda link: link.release.version_key, reverse=True),
    )  # fmt: skip


@bp.route("/releases/issues/<public_id>/edit", methods=["GET", "POST"])
@requires(Permission.ISSUES_EDIT)
def edit_issue(public_id: str) -> ResponseReturnValue:
    changed = queries.get_issue(session(), public_id, visible_to=actor())
    form, refusal = issue_form(changed, [changed.product]), ""
    if form.is_sent():
        facts = form.facts(form.words())
        refusal = refusal_of(lambda: service.change_issue(session(), changed, facts, by=actor(), at=now()))
        if not refusal:
            flash(_("Saved."))
            return redirect(url_for(".issue", public_id=changed.public_id), 303)
    page = render_template("releases/issue_form.html", issue=changed, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200
