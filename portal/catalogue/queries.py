"""What stands on a customer's shelf: products, releases with the answer to "may I take it", search.

Every function takes the customer and the instant; nothing that the customer may not know of leaves this room.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload

from portal.entitlements import rules, visibility
from portal.entitlements.decision import Decision, Granted
from portal.entitlements.lists import decide_many
from portal.entitlements.models import Contract, ContractLine, ReceivedRelease
from portal.entitlements.newest import newest_takeable
from portal.errors import NotFound
from portal.inventory.models import Device
from portal.releases import queries as releases
from portal.releases.models import (
    Issue,
    IssueCve,
    IssueRelation,
    IssueText,
    Product,
    Recommendation,
    Release,
    ReleaseIssue,
    Train,
)

NEW_FOR = timedelta(days=60)
FOUND_AT_MOST = 25


@dataclass(frozen=True)
class Row:
    """A release as one line of a shelf."""

    release: Release
    decision: Decision
    is_received: bool
    is_recommended: bool
    at: datetime

    @property
    def may_take(self) -> bool:
        return isinstance(self.decision, Granted)

    @property
    def is_new(self) -> bool:
        """May be taken, was not yet, and came out lately."""
        published = self.release.published_at
        return self.may_take and not self.is_received and published is not None and self.at - published <= NEW_FOR


@dataclass(frozen=True)
class TrainShelf:
    train: Train | None
    rows: list[Row]
    recommendation: Recommendation | None


@dataclass(frozen=True)
class ProductSummary:
    """A product with what the customer first asks about it."""

    product: Product
    newest: Row | None
    recommended: Release | None
    devices: int
    installed: list[str]
    has_contract: bool


def get_product(session: Session, code: str, organisation_id: UUID, at: datetime) -> Product:
    """Raises NotFound for a product that the customer may not know of."""
    known = visibility.visible_products(organisation_id, at)
    product = session.scalar(
        select(Product)
        .where(Product.code == code, Product.id.in_(known))
        .options(joinedload(Product.family), selectinload(Product.trains))
    )
    if product is None:
        raise NotFound
    return product


def get_release(session: Session, product: Product, version: str, organisation_id: UUID, at: datetime) -> Release:
    """Raises NotFound for a release that the customer may not know of."""
    release = session.scalar(
        _visible(organisation_id, at)
        .where(Release.product_id == product.id, Release.version == version)
        .options(selectinload(Release.artifacts), joinedload(Release.replacement))
    )
    if release is None:
        raise NotFound
    return release


def shelves(session: Session, product: Product, organisation_id: UUID, at: datetime) -> list[TrainShelf]:
    """The product's releases by train, newest version first, each with its decision."""
    found = session.scalars(
        _visible(organisation_id, at).where(Release.product_id == product.id).order_by(Release.version_key.desc())
    ).all()
    recommended = releases.recommended(session, product.id)
    rows = rows_of(session, list(found), organisation_id, at, {r.release_id for r in recommended.values()})
    trains: dict[UUID | None, list[Row]] = {}
    for row in rows:
        trains.setdefault(row.release.train_id, []).append(row)
    by_id = {train.id: train for train in product.trains}
    return [
        TrainShelf(by_id[train_id] if train_id else None, rows, recommended.get(train_id))
        for train_id, rows in trains.items()
    ]


def newest(session: Session, organisation_id: UUID, at: datetime) -> list[Row]:
    """The newest releases that the customer may take, over all products."""
    ids = [release.id for release in newest_takeable(session, organisation_id, at)]
    found = session.scalars(_visible(organisation_id, at).where(Release.id.in_(ids)))
    known = {release.id: release for release in found}  # with product and train, which the list of ids goes without
    return rows_of(session, [known[one] for one in ids if one in known], organisation_id, at, set())


def rows_of(
    session: Session, found: list[Release], organisation_id: UUID, at: datetime, recommended: set[UUID]
) -> list[Row]:
    decisions = decide_many(session, organisation_id=organisation_id, releases=found, at=at)
    received = received_of(session, organisation_id, [release.id for release in found])
    return [
        Row(release, decisions[release.id], release.id in received, release.id in recommended, at) for release in found
    ]


def received_of(session: Session, organisation_id: UUID, release_ids: list[UUID]) -> set[UUID]:
    return set(
        session.scalars(
            select(ReceivedRelease.release_id).where(
                ReceivedRelease.organisation_id == organisation_id, ReceivedRelease.release_id.in_(release_ids)
            )
        )
    )


def my_products(session: Session, organisation_id: UUID, at: datetime) -> list[ProductSummary]:
    """Every product that the customer may know of; those under contract or installed come first."""
    products = session.scalars(
        select(Product)
        .where(Product.id.in_(visibility.visible_products(organisation_id, at)))
        .options(joinedload(Product.family))
        .order_by(Product.name)
    ).all()
    newest = _newest_of_each(session, organisation_id, at)
    recommended = _recommended_of_each(session, organisation_id, at)
    installed = _installed(session, organisation_id)
    contracted = _contracted(session, organisation_id, at)
    summaries = [
        ProductSummary(
            product,
            newest.get(product.id),
            recommended.get(product.id),
            len(installed.get(product.id, [])),
            sorted({version for version in installed.get(product.id, []) if version}),
            product.id in contracted or (product.family_id is not None and product.family_id in contracted),
        )
        for product in products
    ]
    return sorted(summaries, key=lambda s: (not (s.has_contract or s.devices), s.product.name))


def _newest_of_each(session: Session, organisation_id: UUID, at: datetime) -> dict[UUID, Row]:
    ranked = (
        select(Release.id, func.row_number().over(partition_by=Release.product_id,
                                                  order_by=Release.version_key.desc()).label("place"))
        .where(Release.id.in_(visibility.visible(organisation_id, at)), Release.withdrawn_at.is_(None))
        .subquery()
    )  # fmt: skip
    found = session.scalars(
        _visible(organisation_id, at).where(Release.id.in_(select(ranked.c.id).where(ranked.c.place == 1)))
    ).all()
    return {row.release.product_id: row for row in rows_of(session, list(found), organisation_id, at, set())}


def _recommended_of_each(session: Session, organisation_id: UUID, at: datetime) -> dict[UUID, Release]:
    """The newest recommendation of each product, over all its trains, of a published release that they may know of."""
    rows = session.scalars(
        select(Recommendation)
        .where(Recommendation.release_id.in_(visibility.visible(organisation_id, at)))
        .options(joinedload(Recommendation.release).joinedload(Release.product))
        .order_by(Recommendation.at)
    )
    return {row.product_id: row.release for row in rows if row.release.is_published}


def _installed(session: Session, organisation_id: UUID) -> dict[UUID, list[str | None]]:
    found: dict[UUID, list[str | None]] = {}
    query = select(Device.product_id, Device.installed_version).where(
        Device.organisation_id == organisation_id, Device.removed_at.is_(None)
    )
    for product_id, version in session.execute(query):
        found.setdefault(product_id, []).append(version)
    return found


def _contracted(session: Session, organisation_id: UUID, at: datetime) -> set[UUID]:
    """Ids of the products and of the families in contracts that run now."""
    query = (
        select(ContractLine.product_id, ContractLine.family_id)
        .join(Contract)
        .where(Contract.organisation_id == organisation_id, Contract.starts_at <= at, Contract.ends_at > at)
    )
    return {one for pair in session.execute(query) for one in pair if one}


def contracts(session: Session, organisation_id: UUID) -> list[Contract]:
    return list(
        session.scalars(
            select(Contract).where(Contract.organisation_id == organisation_id).order_by(Contract.ends_at.desc())
        )
    )


def new_for(session: Session, organisation_id: UUID, at: datetime, limit: int = 10) -> list[Release]:
    """Releases that came out lately, may be taken and were not taken yet; newest first."""
    received = select(ReceivedRelease.release_id).where(ReceivedRelease.organisation_id == organisation_id)
    return list(
        session.scalars(
            _visible(organisation_id, at)
            .where(
                Release.id.in_(rules.takeable(organisation_id, at)),
                Release.id.not_in(received),
                Release.published_at > at - NEW_FOR,
            )
            .order_by(Release.published_at.desc())
            .limit(limit)
        )
    )


def get_issue(session: Session, public_id: str, organisation_id: UUID, at: datetime) -> Issue:
    """A public issue of a product that the customer may know of, with texts and CVE ids; raises NotFound."""
    issue = session.scalar(_issues(organisation_id, at).where(Issue.public_id == public_id))
    if issue is None:
        raise NotFound
    return issue


def releases_of_issue(
    session: Session, issue: Issue, organisation_id: UUID, at: datetime
) -> dict[IssueRelation, list[Release]]:
    rows = session.execute(
        _visible(organisation_id, at)
        .join(ReleaseIssue, ReleaseIssue.release_id == Release.id)
        .where(ReleaseIssue.issue_id == issue.id)
        .order_by(Release.version_key)
        .add_columns(ReleaseIssue.relation)
    )
    found: dict[IssueRelation, list[Release]] = {IssueRelation.AFFECTED: [], IssueRelation.FIXED: []}
    for release, relation in rows:
        found[relation].append(release)
    return found


@dataclass(frozen=True)
class Found:
    products: list[Product]
    releases: list[Release]
    issues: list[Issue]

    @property
    def is_empty(self) -> bool:
        return not (self.products or self.releases or self.issues)


def search(session: Session, text: str, organisation_id: UUID, at: datetime) -> Found:
    """Products by name and code, releases by version, issues by id, title and CVE id: each word must be found."""
    words = [word for word in text.split() if word][:8]
    if not words:
        return Found([], [], [])
    known = visibility.visible_products(organisation_id, at)
    products = select(Product).where(Product.id.in_(known)).options(joinedload(Product.family)).order_by(Product.name)
    found_releases = _visible(organisation_id, at).join(Release.product).order_by(
        Product.name, Release.version_key.desc()
    )  # fmt: skip
    issues = _issues(organisation_id, at).order_by(Issue.public_id)
    for word in words:
        products = products.where(_matches(word, Product.name, Product.code))
        found_releases = found_releases.where(_matches(word, Release.version, Product.name, Product.code))
        issues = issues.where(
            or_(
                _matches(word, Issue.public_id),
                Issue.id.in_(select(IssueText.issue_id).where(_matches(word, IssueText.title))),
                Issue.id.in_(select(IssueCve.issue_id).where(_matches(word, IssueCve.cve_id))),
            )
        )
    return Found(
        list(session.scalars(products.limit(FOUND_AT_MOST))),
        list(session.scalars(found_releases.limit(FOUND_AT_MOST)).unique()),
        list(session.scalars(issues.limit(FOUND_AT_MOST)).unique()),
    )


def _matches(word: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _visible(organisation_id: UUID, at: datetime) -> Select[Release]:
    return (
        select(Release)
        .where(Release.id.in_(visibility.visible(organisation_id, at)))
        .options(joinedload(Release.product), joinedload(Release.train))
    )


def _issues(organisation_id: UUID, at: datetime) -> Select[Issue]:
    return (
        select(Issue)
        .where(Issue.is_public, Issue.product_id.in_(visibility.visible_products(organisation_id, at)))
        .options(selectinload(Issue.texts), selectinload(Issue.cves), joinedload(Issue.product))
    )
