"""Products, releases and issues, loaded for whoever may see them.

The vendor and its support see everything. A customer sees listed products, and releases and issues that were made
public; what its contracts and audience say on top of that is decided above this room (entitlements, catalogue).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, false, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.errors import NotFound
from portal.permissions import OrganisationKind
from portal.releases.models import (
    Artifact,
    ExportRule,
    Issue,
    IssueCve,
    IssueRelation,
    NotesRevision,
    Product,
    Publication,
    Recommendation,
    Release,
    ReleaseAudience,
    ReleaseIssue,
    ReleaseState,
    Train,
    Waiver,
)
from portal.releases.rules import Draft

PUBLIC_STATES = (ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)


def _products_seen(rows: Select[Any], visible_to: Actor) -> Select[Any]:
    if visible_to.is_staff:
        return rows
    return rows.where(Product.is_listed) if visible_to.is_customer else rows.where(false())


def _releases_seen(rows: Select[Any], visible_to: Actor) -> Select[Any]:
    if visible_to.is_staff:
        return rows
    return rows.where(Release.state.in_(PUBLIC_STATES)) if visible_to.is_customer else rows.where(false())


def _issues_seen(rows: Select[Any], visible_to: Actor) -> Select[Any]:
    if visible_to.is_staff:
        return rows
    return rows.where(Issue.is_public) if visible_to.is_customer else rows.where(false())


def _as_id(text: UUID | str) -> UUID | None:
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError:
        return None


def _one(session: Session, rows: Select[Any]) -> Any:  # noqa: ANN401 - the caller's annotation says what it is
    found = session.scalar(rows)
    if found is None:
        raise NotFound
    return found


def products(visible_to: Actor) -> Select[Product]:
    """Products by name."""
    return _products_seen(select(Product).options(joinedload(Product.family)).order_by(Product.name), visible_to)


def get_product(session: Session, code_or_id: UUID | str, *, visible_to: Actor) -> Product:
    """The product with its trains and family. Raises NotFound."""
    identity = _as_id(code_or_id)
    which = Product.id == identity if identity else Product.code == str(code_or_id)
    rows = select(Product).where(which).options(selectinload(Product.trains), joinedload(Product.family))
    product: Product = _one(session, _products_seen(rows, visible_to))
    return product


def get_train(session: Session, product: Product, train_id: UUID) -> Train:
    train: Train = _one(session, select(Train).where(Train.id == train_id, Train.product_id == product.id))
    return train


def trains_of(session: Session, product_id: UUID) -> list[Train]:
    return list(session.scalars(select(Train).where(Train.product_id == product_id).order_by(Train.name)))


def export_rules(session: Session, product_id: UUID) -> list[ExportRule]:
    rows = select(ExportRule).where(ExportRule.product_id == product_id)
    return list(session.scalars(rows.order_by(ExportRule.country, ExportRule.end_use)))


def releases(visible_to: Actor, *, state: ReleaseState | None = None) -> Select[Release]:
    """Releases of all products with product and train: what is being worked on first, then the newest published."""
    rows = (
        select(Release)
        .join(Release.product)
        .options(contains_eager(Release.product), joinedload(Release.train))
        .order_by(Release.published_at.is_not(None), Release.published_at.desc(), Release.created_at.desc())
    )
    return _releases_seen(rows.where(Release.state == state) if state else rows, visible_to)


def releases_of(product_id: UUID, visible_to: Actor) -> Select[Release]:
    """Releases of one product with product and train, the highest version first."""
    rows = select(Release).where(Release.product_id == product_id).order_by(Release.version_key.desc())
    return _releases_seen(rows.options(joinedload(Release.product), joinedload(Release.train)), visible_to)


def get(session: Session, release_id: UUID, *, visible_to: Actor) -> Release:
    """The release with its product, train, files and replacement.

    Raises NotFound, for customers also unless it is published or withdrawn.
    """
    rows = (
        select(Release)
        .where(Release.id == release_id)
        .options(
            joinedload(Release.product),
            joinedload(Release.train),
            joinedload(Release.replacement),
            selectinload(Release.artifacts),
        )
    )
    release: Release = _one(session, _releases_seen(rows, visible_to))
    return release


def version_holder(session: Session, product_id: UUID, version_key: str) -> UUID | None:
    """The id of the product's release of that version."""
    return session.scalar(
        select(Release.id).where(Release.product_id == product_id, Release.version_key == version_key)
    )


def get_artifact(session: Session, artifact_id: UUID, *, visible_to: Actor) -> Artifact:
    """A file that was not taken off, with its release and product. Raises NotFound as `get` does."""
    rows = (
        select(Artifact)
        .join(Artifact.release)
        .where(Artifact.id == artifact_id, Artifact.removed_at.is_(None))
        .options(contains_eager(Artifact.release).joinedload(Release.product))
    )
    artifact: Artifact = _one(session, _releases_seen(rows, visible_to))
    return artifact


def artifacts_ever(session: Session, release_id: UUID) -> list[Artifact]:
    """Every file that the release ever had, those taken off included."""
    return list(session.scalars(select(Artifact).where(Artifact.release_id == release_id).order_by(Artifact.name)))


def current_notes(session: Session, release_id: UUID) -> NotesRevision | None:
    rows = select(NotesRevision).where(NotesRevision.release_id == release_id)
    return session.scalar(rows.order_by(NotesRevision.number.desc()).limit(1))


def notes_history(session: Session, release_id: UUID) -> list[NotesRevision]:
    """Every revision, the newest first."""
    rows = select(NotesRevision).where(NotesRevision.release_id == release_id)
    return list(session.scalars(rows.order_by(NotesRevision.number.desc())))


def publication(session: Session, release_id: UUID) -> Publication | None:
    """What was signed; None for a release that was never published."""
    return session.get(Publication, release_id)


def waivers(session: Session, release_id: UUID) -> list[Waiver]:
    return list(session.scalars(select(Waiver).where(Waiver.release_id == release_id).order_by(Waiver.at)))


def audience(session: Session, release_id: UUID) -> list[tuple[ReleaseAudience, Organisation]]:
    """The named customers with their dates."""
    rows = (
        select(ReleaseAudience, Organisation)
        .join(Organisation, Organisation.id == ReleaseAudience.organisation_id)
        .where(ReleaseAudience.release_id == release_id)
        .order_by(ReleaseAudience.opens_at, Organisation.name)
    )
    return [(row, organisation) for row, organisation in session.execute(rows)]


def customers(session: Session) -> list[Organisation]:
    """Whom an audience may name."""
    rows = select(Organisation).where(Organisation.kind == OrganisationKind.CUSTOMER).order_by(Organisation.name)
    return list(session.scalars(rows))


def issues(visible_to: Actor) -> Select[Issue]:
    """Issues with product, texts and CVE ids, the newest first."""
    rows = (
        select(Issue)
        .options(joinedload(Issue.product), selectinload(Issue.texts), selectinload(Issue.cves))
        .order_by(Issue.created_at.desc(), Issue.public_id)
    )
    return _issues_seen(rows, visible_to)


def get_issue(session: Session, public_id: str, *, visible_to: Actor) -> Issue:
    """The issue with product, texts, CVE ids and the releases it is in or gone from; customers: public ones only."""
    rows = issues(visible_to).where(Issue.public_id == public_id)
    links = selectinload(Issue.release_links).joinedload(ReleaseIssue.release)
    issue: Issue = _one(session, rows.options(links))
    return issue


def issues_of(session: Session, release_id: UUID, *, visible_to: Actor | None = None) -> list[ReleaseIssue]:
    """The release's issue links with their issues, texts and CVE ids; fixed ones first, then the known ones.

    With `visible_to` a customer's, only public issues.
    """
    rows = (
        select(ReleaseIssue)
        .join(ReleaseIssue.issue)
        .where(ReleaseIssue.release_id == release_id)
        .options(contains_eager(ReleaseIssue.issue).selectinload(Issue.texts))
        .options(contains_eager(ReleaseIssue.issue).selectinload(Issue.cves))
        .order_by(ReleaseIssue.relation.desc(), Issue.public_id)
    )
    return list(session.scalars(_issues_seen(rows, visible_to) if visible_to else rows))


def linkable_issues(session: Session, release: Release) -> list[Issue]:
    """Issues of the product that the release does not name yet."""
    named = select(ReleaseIssue.issue_id).where(ReleaseIssue.release_id == release.id)
    rows = select(Issue).where(Issue.product_id == release.product_id, Issue.id.not_in(named))
    return list(session.scalars(rows.options(selectinload(Issue.texts)).order_by(Issue.public_id)))


def recommended(session: Session, product_id: UUID) -> dict[UUID | None, Recommendation]:
    """What is recommended now, by train (None: for the product as a whole), with its release.

    The newest word on a train counts; when its release was withdrawn since, nothing is recommended there.
    """
    rows = (
        select(Recommendation)
        .where(Recommendation.product_id == product_id)
        .options(joinedload(Recommendation.release))
        .order_by(Recommendation.at)
    )
    newest = {row.train_id: row for row in session.scalars(rows)}
    return {train_id: row for train_id, row in newest.items() if row.release.is_published}


def replacements(session: Session, release: Release) -> list[Release]:
    """Published releases of the product that could be taken instead, the highest version first."""
    rows = select(Release).where(Release.product_id == release.product_id, Release.id != release.id)
    return list(
        session.scalars(rows.where(Release.state == ReleaseState.PUBLISHED).order_by(Release.version_key.desc()))
    )


def names_of(session: Session, release: Release) -> dict[UUID | None, str]:
    """Who made, submitted, approved and published the release, by id."""
    ids = {release.created_by, release.submitted_by, release.approved_by, release.published_by}
    ids |= {artifact.uploaded_by for artifact in release.artifacts}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids - {None})))
    return {row.id: row.name for row in rows}


def predecessor(session: Session, release: Release) -> Release | None:
    """The highest version published so far in the same train (in the whole product for a release of no train)."""
    peers = Release.train_id == release.train_id if release.train_id else Release.product_id == release.product_id
    rows = select(Release).where(and_(peers, Release.published_at.is_not(None), Release.id != release.id))
    return session.scalar(rows.order_by(Release.version_key.desc()).limit(1))


def has_releases(session: Session, product_id: UUID) -> bool:
    return bool(session.scalar(select(func.count()).select_from(Release).where(Release.product_id == product_id)))


def fixed_cves(session: Session, release_id: UUID) -> list[str]:
    """CVE ids of the issues that the release fixes."""
    rows = (
        select(IssueCve.cve_id)
        .join(ReleaseIssue, ReleaseIssue.issue_id == IssueCve.issue_id)
        .where(ReleaseIssue.release_id == release_id, ReleaseIssue.relation == IssueRelation.FIXED)
    )
    return sorted(set(session.scalars(rows)))


def draft(session: Session, release: Release) -> Draft:
    """What `rules.problems` looks at."""
    notes = current_notes(session, release.id)
    return Draft(
        release=release,
        artifacts=tuple(row for row in artifacts_ever(session, release.id) if row.removed_at is None),
        texts=notes.texts if notes else {},
        issues=tuple(issues_of(session, release.id)),
        predecessor=predecessor(session, release),
        waivers=tuple(waivers(session, release.id)),
    )
