"""The customer's face: my products, one product, one release, one issue, search."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.catalogue import queries
from portal.entitlements import rules, visibility
from portal.errors import NotFound, SignInRequired
from portal.permissions import Permission
from portal.releases import queries as releases
from portal.releases.models import (
    ARTIFACT_ROLE_TITLES,
    CATEGORY_TITLES,
    LEVEL_TITLES,
    SECTION_TITLES,
    SEVERITY_TITLES,
    IssueRelation,
    Release,
    Section,
)
from portal.tickets import queries as tickets
from portal.web.formats import now
from portal.web.guard import actor, public, requires
from portal.web.locale import chosen_language
from portal.web.menu import first_address
from portal.web.unit_of_work import resources, session

bp = Blueprint("catalogue", __name__, template_folder="templates", static_folder="static",
               static_url_path="/static/catalogue")  # fmt: skip

TITLES = {
    "CATEGORY_TITLES": CATEGORY_TITLES,
    "LEVEL_TITLES": LEVEL_TITLES,
    "ROLE_TITLES": ARTIFACT_ROLE_TITLES,
    "SECTION_TITLES": SECTION_TITLES,
    "SEVERITY_TITLES": SEVERITY_TITLES,
}


def _customer() -> UUID:
    """The organisation whose shelf is shown; only a customer's people have one."""
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    return organisation_id


def _known(release: Release | None, customer: UUID) -> Release | None:
    """The release, unless this customer may not know of it yet."""
    if release is None or session().scalar(visibility.visible(customer, now()).where(Release.id == release.id)) is None:
        return None
    return release


@bp.get("/")
@public
def first() -> ResponseReturnValue:
    """The first page leads each to their own."""
    if not actor().is_somebody:
        raise SignInRequired
    return redirect(first_address(), 303)


@bp.get("/products")
@requires(Permission.CATALOGUE_READ)
def home() -> ResponseReturnValue:
    customer, at = _customer(), now()
    return render_template(
        "catalogue/home.html",
        products=queries.my_products(session(), customer, at),
        new=queries.new_for(session(), customer, at),
        contracts=queries.contracts(session(), customer),
        **TITLES,
    )


@bp.get("/products/<code>")
@requires(Permission.CATALOGUE_READ)
def product(code: str) -> ResponseReturnValue:
    customer, at = _customer(), now()
    shown = queries.get_product(session(), code, customer, at)
    return render_template(
        "catalogue/product.html", product=shown, shelves=queries.shelves(session(), shown, customer, at), **TITLES
    )


@bp.get("/products/<code>/<version>")
@requires(Permission.CATALOGUE_READ)
def release(code: str, version: str) -> ResponseReturnValue:
    customer, at = _customer(), now()
    shown = queries.get_release(session(), queries.get_product(session(), code, customer, at), version, customer, at)
    recommended = {r.release_id for r in releases.recommended(session(), shown.product_id).values()}
    row = queries.rows_of(session(), [shown], customer, at, recommended)[0]
    return render_template(
        "catalogue/release.html",
        release=shown,
        row=row,
        replacement=_known(shown.replacement, customer),
        portal_address=resources().config.base_url,  # never the Host that a request claims: a key is fetched from there
        decision=rules.decide_for(session(), actor=actor(), release=shown, at=at),
        publication=releases.publication(session(), shown.id),
        notes=releases.current_notes(session(), shown.id),
        revisions=releases.notes_history(session(), shown.id),
        issues=[link for link in releases.issues_of(session(), shown.id) if link.issue.is_public],
        tickets=tickets.resolved_by(session(), shown.id, customer),
        language=chosen_language(),
        sections=Section,
        IssueRelation=IssueRelation,
        **TITLES,
    )


@bp.get("/known-issues/<public_id>")
@requires(Permission.CATALOGUE_READ)
def issue(public_id: str) -> ResponseReturnValue:
    customer, at = _customer(), now()
    shown = queries.get_issue(session(), public_id, customer, at)
    found = queries.releases_of_issue(session(), shown, customer, at)
    return render_template(
        "catalogue/issue.html",
        issue=shown,
        language=chosen_language(),
        affected=found[IssueRelation.AFFECTED],
        fixed=queries.rows_of(session(), found[IssueRelation.FIXED], customer, at, set()),
        **TITLES,
    )


@bp.get("/search")
@requires(Permission.CATALOGUE_READ)
def search() -> ResponseReturnValue:
    text = request.args.get("q", "")[:200].replace("\0", "")
    found = queries.search(session(), text, _customer(), now())
    if len(found.releases) == 1 and not found.products and not found.issues:
        only = found.releases[0]
        return redirect(url_for(".release", code=only.product.code, version=only.version), 303)
    return render_template("catalogue/search.html", text=text, found=found, language=chosen_language(), **TITLES)
