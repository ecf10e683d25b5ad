"""Why may, or may not, a customer take a release: in words, and as contracts on a line of time."""

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.accounts import queries as accounts
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements import queries
from portal.entitlements.blueprint import bp
from portal.entitlements.decision import Decision, RefusalCode, Refused
from portal.entitlements.rules import decide, decide_for
from portal.entitlements.timeline import draw
from portal.errors import Forbidden, NotFound
from portal.permissions import OrganisationKind, Permission
from portal.releases.models import LEVEL_TITLES, Release
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.unit_of_work import session


def customer_in_question(open_session: Session, by: Actor) -> Organisation:
    """A customer's own organisation; for staff the one that `?customer=` names by id.

    Both kinds of reader come by one address, so that a link can be passed from one to the other. Raises NotFound,
    Forbidden.
    """
    needed = Permission.CONTRACTS_READ if by.is_staff else Permission.CATALOGUE_READ
    if not by.may(needed):
        raise Forbidden(permission=needed)
    try:
        asked = UUID(request.args["customer"]) if "customer" in request.args else by.organisation_id
    except ValueError as error:
        raise NotFound from error
    if asked is None:
        raise NotFound
    found = accounts.organisation(open_session, asked, visible_to=by)
    if found.kind is not OrganisationKind.CUSTOMER:
        raise NotFound
    return found


def decision_for(open_session: Session, by: Actor, customer: Organisation, release: Release) -> Decision:
    """For a customer's person with point 4 (role, agreements), for staff about the customer."""
    if by.is_staff:
        return decide(open_session, organisation_id=customer.id, release=release, at=now())
    return decide_for(open_session, actor=by, release=release, at=now())


@bp.get("/why/<uuid:release_id>")
@requires(Permission.DELIVERIES_READ)
def why(release_id: UUID) -> ResponseReturnValue:
    customer = customer_in_question(session(), actor())
    release = queries.subject(session(), release_id, customer.id, now(), visible_to=actor())
    decision = decision_for(session(), actor(), customer, release)
    contracts = queries.contracts_about(session(), customer.id, release.product)
    releases = queries.releases_about(session(), customer.id, release.product_id, now())
    return render_template(
        "entitlements/why.html",
        customer=customer,
        release=release,
        decision=decision,
        line=draw(contracts, releases, release, now()),
        to_accept=_to_accept(decision),
        translate=translate,
        LEVEL_TITLES=LEVEL_TITLES,
    )


def _to_accept(decision: Decision) -> list[str]:
    """Addresses of the agreements that stand in the way."""
    if not isinstance(decision, Refused) or decision.code is not RefusalCode.AGREEMENT_REQUIRED:
        return []
    here = request.full_path.rstrip("?")
    return [url_for(".accept", version_id=version, next=here) for version in decision.facts["versions"]]
