"""What the vendor says of products, as plans read it: releases, recommendations, issues; a fixed number of statements.

An issue touches a version when the last release up to that version that names it says that it is in there; a fix that
was withdrawn is none. So a version between two releases, or one that nobody published, is judged as well.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.releases.models import (
    Issue,
    IssueRelation,
    Product,
    Recommendation,
    Release,
    ReleaseIssue,
    ReleaseState,
)

SEVERITY_ORDER = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class KnownIssue:
    """A public issue, and what the releases say of it: sort keys in order, and whether it is in that one."""

    issue: Issue
    keys: tuple[str, ...]
    is_in: tuple[bool, ...]

    def touches(self, key: str) -> bool:
        place = bisect_right(self.keys, key)
        return place > 0 and self.is_in[place - 1]

    @property
    def is_security(self) -> bool:
        return bool(self.issue.cves)


@dataclass(frozen=True)
class Shelf:
    """One product. `releases` are published or withdrawn, by version; `recommended` the newest word on each train
    (None: on the product as a whole), where its release is still published."""

    product: Product
    releases: tuple[Release, ...]
    recommended: dict[UUID | None, Recommendation]
    issues: tuple[KnownIssue, ...]

    @cached_property
    def by_key(self) -> dict[str, Release]:
        return {release.version_key: release for release in self.releases}

    @cached_property
    def by_id(self) -> dict[UUID, Release]:
        return {release.id: release for release in self.releases}

    @cached_property
    def published(self) -> tuple[Release, ...]:
        return tuple(release for release in self.releases if release.is_published)

    def touching(self, key: str) -> tuple[Issue, ...]:
        """The issues that the version has, the gravest first."""
        found = [known.issue for known in self.issues if known.touches(key)]
        return tuple(sorted(found, key=lambda i: (SEVERITY_ORDER.index(i.severity.value), i.public_id)))


def load(session: Session, product_ids: Iterable[UUID]) -> dict[UUID, Shelf]:
    """By product id; seven statements, however many products."""
    ids = list(set(product_ids))
    products = session.scalars(select(Product).where(Product.id.in_(ids)))
    releases: dict[UUID, list[Release]] = defaultdict(list)
    states = (ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)
    rows = select(Release).where(Release.product_id.in_(ids), Release.state.in_(states))
    for release in session.scalars(rows.options(joinedload(Release.train)).order_by(Release.version_key)):
        releases[release.product_id].append(release)
    recommended = _recommended(session, ids, {one.id: one for some in releases.values() for one in some})
    issues = _issues(session, ids)
    return {
        product.id: Shelf(
            product, tuple(releases[product.id]), recommended[product.id], tuple(issues[product.id])
        )
        for product in products
    }  # fmt: skip


def _recommended(
    session: Session, product_ids: list[UUID], releases: dict[UUID, Release]
) -> dict[UUID, dict[UUID | None, Recommendation]]:
    rows = select(Recommendation).where(Recommendation.product_id.in_(product_ids)).order_by(Recommendation.at)
    newest = {(row.product_id, row.train_id): row for row in session.scalars(rows)}
    found: dict[UUID, dict[UUID | None, Recommendation]] = defaultdict(dict)
    for (product_id, train_id), row in newest.items():
        release = releases.get(row.release_id)
        if release is not None and release.is_published:
            found[product_id][train_id] = row
    return found


def _issues(session: Session, product_ids: list[UUID]) -> dict[UUID, list[KnownIssue]]:
    links: dict[UUID, list[tuple[str, bool]]] = defaultdict(list)
    rows = (
        select(ReleaseIssue.issue_id, ReleaseIssue.relation, Release.version_key, Release.state)
        .join(Release, Release.id == ReleaseIssue.release_id)
        .where(
            Release.product_id.in_(product_ids),
            Release.state.in_((ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)),
        )
        .order_by(Release.version_key)
    )
    for issue_id, relation, key, state in session.execute(rows):
        if relation is IssueRelation.AFFECTED or state is ReleaseState.PUBLISHED:
            links[issue_id].append((key, relation is IssueRelation.AFFECTED))
    issues = select(Issue).where(Issue.product_id.in_(product_ids), Issue.is_public)
    found: dict[UUID, list[KnownIssue]] = defaultdict(list)
    for issue in session.scalars(issues.options(selectinload(Issue.texts), selectinload(Issue.cves))):
        said = links.get(issue.id, [])
        known = KnownIssue(issue, tuple(key for key, _ in said), tuple(is_in for _, is_in in said))
        found[issue.product_id].append(known)
    return found
