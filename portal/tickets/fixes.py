"""Where a ticket's cause is cured, and whether this ticket's customer may take the cure (DESIGN 3.4).

Asked when read: a release published, withdrawn or opened to the customer a minute ago is told at once, and nothing has
to be kept in step. Withdrawn releases cure nothing, and nothing is said of releases that the customer may not know of,
whoever looks: support and customer read the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.entitlements import rules, visibility
from portal.entitlements.decision import Decision
from portal.errors import PortalError
from portal.releases.models import Issue, IssueRelation, Product, Release, ReleaseIssue, ReleaseState
from portal.releases.versions import Version
from portal.tickets.models import Ticket

MOST_ASKED = 50
"""Fixed versions that are asked for one issue, from the lowest up: each is a decision of its own."""


@dataclass(frozen=True)
class Fix:
    """One issue, and the lowest published version with its fix that the customer may take.

    Where it may take none, `release` is the lowest that it knows of and `decision` says what is missing; where there is
    none that it knows of, both are None.
    """

    issue: Issue
    release: Release | None = None
    decision: Decision | None = None

    @property
    def may_take(self) -> bool:
        return self.decision is not None and self.decision.is_granted


def fixes_of(session: Session, ticket: Ticket, issues: Sequence[Issue], *, at: datetime) -> list[Fix]:
    """A Fix for each of the ticket's issues, in their order; versions not above the installed one are no cure."""
    found = cures_of(session, ticket, issues, at=at)
    return [_fix(session, ticket, issue, found[issue.id], at) for issue in issues]


def cures_of(session: Session, ticket: Ticket, issues: Sequence[Issue], *, at: datetime) -> dict[UUID, list[Release]]:
    """By issue, the published releases with its fix that the customer may know of, above the installed version.

    The lowest first, with their products; whether the customer may take them is not asked.
    """
    found = _candidates(session, ticket, [issue.id for issue in issues], at)
    return {issue.id: [r for r in found[issue.id] if _is_above_installed(ticket, r)] for issue in issues}


def answers_of(
    session: Session, ticket: Ticket, releases: Iterable[Release], *, at: datetime
) -> list[tuple[Release, Decision]]:
    """Each release that is linked to the ticket itself, and whether the customer may take it."""
    customer = ticket.organisation_id
    return [(r, rules.decide(session, organisation_id=customer, release=r, at=at)) for r in releases]


def _candidates(session: Session, ticket: Ticket, issue_ids: list[UUID], at: datetime) -> dict[UUID, list[Release]]:
    found: dict[UUID, list[Release]] = defaultdict(list)
    if not issue_ids:
        return found
    rows = (
        select(ReleaseIssue.issue_id, Release)
        .join(Release, Release.id == ReleaseIssue.release_id)
        .where(
            ReleaseIssue.issue_id.in_(issue_ids),
            ReleaseIssue.relation == IssueRelation.FIXED,
            Release.state == ReleaseState.PUBLISHED,
            Release.id.in_(visibility.visible(ticket.organisation_id, at)),
        )
        .options(joinedload(Release.product))
        .order_by(Release.version_key)
    )
    for issue_id, release in session.execute(rows):
        found[issue_id].append(release)
    return found


def _fix(session: Session, ticket: Ticket, issue: Issue, releases: list[Release], at: datetime) -> Fix:
    lowest = Fix(issue)
    for release in releases[:MOST_ASKED]:
        decision = rules.decide(session, organisation_id=ticket.organisation_id, release=release, at=at)
        if decision.is_granted:
            return Fix(issue, release, decision)
        lowest = lowest if lowest.release else Fix(issue, release, decision)
    return lowest


def _is_above_installed(ticket: Ticket, release: Release) -> bool:
    installed = _installed(ticket, release.product)
    return installed is None or release.version_key > installed.key


def _installed(ticket: Ticket, product: Product) -> Version | None:
    """The version that the ticket was opened about, where it is one of this product and can be read as one."""
    if ticket.product_id != product.id or not ticket.installed_version:
        return None
    try:
        return Version.parse(ticket.installed_version, product.scheme)
    except PortalError:
        return None
