"""Products, their trains, releases from draft to withdrawn, artifacts, notes, known issues."""

from datetime import date, datetime
from enum import IntFlag, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Flags, HasId, VersionKey, words
from portal.errors import mark
from portal.object_keys import NAMES_OBJECT
from portal.releases.errors import AlreadyPublished, NotApproved, NotDraft, NotInReview, NotPublished
from portal.releases.versions import Scheme


class Category(StrEnum):
    FIRMWARE = "firmware"
    OPERATING_SYSTEM = "operating-system"
    APPLICATION = "application"
    TOOL = "tool"


class Level(IntFlag):
    """How large a step a release is. Flags, so that a contract line names the levels it covers in one number."""

    MAJOR = 1
    MINOR = 2
    MAINTENANCE = 4
    PATCH = 8
    HOTFIX = 16

    @property
    def word(self) -> str:
        return (self.name or "").lower()


ALL_LEVELS = Level.MAJOR | Level.MINOR | Level.MAINTENANCE | Level.PATCH | Level.HOTFIX
FIXING_LEVELS = Level.MAINTENANCE | Level.PATCH | Level.HOTFIX
"""Levels that promise fixes: at least one resolved issue is linked before they leave draft."""


class ReleaseState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class ArtifactRole(StrEnum):
    IMAGE = "image"
    PATCH = "patch"
    CHECKSUM_TOOL = "checksum-tool"
    SBOM = "sbom"
    DOCUMENT = "document"
    OTHER = "other"


class Section(StrEnum):
    """The parts of release notes (P10), in the order a reader meets them."""

    SUMMARY = "summary"
    FEATURES = "features"
    PERFORMANCE = "performance"
    BANDWIDTH = "bandwidth"
    PROTOCOLS = "protocols"
    INTERWORKING = "interworking"
    SECURITY = "security"
    RESOLVED = "resolved"
    KNOWN = "known"
    UPGRADE = "upgrade"
    ROLLBACK = "rollback"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class IssueRelation(StrEnum):
    AFFECTED = "affected"
    FIXED = "fixed"


CATEGORY_TITLES = {
    Category.FIRMWARE: mark("Firmware"),
    Category.OPERATING_SYSTEM: mark("Operating system"),
    Category.APPLICATION: mark("Application"),
    Category.TOOL: mark("Tool"),
}
LEVEL_TITLES = {
    Level.MAJOR: mark("Major"),
    Level.MINOR: mark("Minor"),
    Level.MAINTENANCE: mark("Maintenance"),
    Level.PATCH: mark("Patch"),
    Level.HOTFIX: mark("Hotfix"),
}
STATE_TITLES = {
    ReleaseState.DRAFT: mark("Draft"),
    ReleaseState.IN_REVIEW: mark("In review"),
    ReleaseState.APPROVED: mark("Approved"),
    ReleaseState.PUBLISHED: mark("Published"),
    ReleaseState.WITHDRAWN: mark("Withdrawn"),
}
ARTIFACT_ROLE_TITLES = {
    ArtifactRole.IMAGE: mark("Image"),
    ArtifactRole.PATCH: mark("Patch file"),
    ArtifactRole.CHECKSUM_TOOL: mark("Checksum tool"),
    ArtifactRole.SBOM: mark("SBOM"),
    ArtifactRole.DOCUMENT: mark("Document"),
    ArtifactRole.OTHER: mark("Other file"),
}
SECTION_TITLES = {
    Section.SUMMARY: mark("Summary"),
    Section.FEATURES: mark("New features"),
    Section.PERFORMANCE: mark("Throughput and performance"),
    Section.BANDWIDTH: mark("Bandwidth management"),
    Section.PROTOCOLS: mark("Protocols"),
    Section.INTERWORKING: mark("Interworking and compatibility"),
    Section.SECURITY: mark("Security"),
    Section.RESOLVED: mark("Resolved issues"),
    Section.KNOWN: mark("Known issues"),
    Section.UPGRADE: mark("Upgrade instructions"),
    Section.ROLLBACK: mark("Rollback instructions"),
}
SEVERITY_TITLES = {
    Severity.CRITICAL: mark("Critical"),
    Severity.HIGH: mark("High"),
    Severity.MEDIUM: mark("Medium"),
    Severity.LOW: mark("Low"),
}


class ProductFamily(HasId, Base):
    __tablename__ = "product_families"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(100))


class Product(HasId, Base):
    """Something sold and versioned on its own.

    `is_listed`: every signed-in customer may know that it exists; otherwise only who has to do with it (contract,
    device, grant or delivery). `release_counter` only rises, one for each publication.
    """

    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("code"),)

    code: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    category: Mapped[Category] = mapped_column(words(Category))
    scheme: Mapped[Scheme] = mapped_column(words(Scheme))
    family_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_families.id"), index=True)
    is_listed: Mapped[bool] = mapped_column(default=True)
    description: Mapped[str] = mapped_column(Text, default="")
    release_counter: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    family: Mapped[ProductFamily | None] = relationship(lazy="raise")
    trains: Mapped[list["Train"]] = relationship(lazy="raise", back_populates="product")


class Train(HasId, Base):
    """A line of releases with its four life-cycle dates."""

    __tablename__ = "trains"
    __table_args__ = (UniqueConstraint("product_id", "name"),)

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    name: Mapped[str] = mapped_column(String(60))
    general_availability: Mapped[date | None]
    end_of_sale: Mapped[date | None]
    end_of_support: Mapped[date | None]
    end_of_security_support: Mapped[date | None]

    product: Mapped[Product] = relationship(lazy="raise", back_populates="trains")


class ExportRule(HasId, Base):
    """A product may not go to a country, to an end use, or to that end use in that country. None means any."""

    __tablename__ = "export_rules"
    __table_args__ = (
        CheckConstraint("country IS NOT NULL OR end_use IS NOT NULL", name="says_something"),
        Index("ix_export_rules_product", "product_id"),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    country: Mapped[str | None] = mapped_column(String(2))
    end_use: Mapped[str | None] = mapped_column(String(40))
    clause: Mapped[str] = mapped_column(String(200))


class Release(HasId, Base):
    """One version of a product. Its bytes, digests and `published_at` never change once published.

    Audience: open to every entitled customer from `open_from` on (None: to nobody but those named in
    `ReleaseAudience`), and to each named customer from that row's own date on.
    """

    __tablename__ = "releases"
    __table_args__ = (
        UniqueConstraint("product_id", "version"),
        UniqueConstraint("product_id", "version_key"),
        UniqueConstraint("product_id", "counter"),
        Index("ix_releases_state_published_at", "state", "published_at"),
        Index("ix_releases_product_state_published_at", "product_id", "state", "published_at"),
        # What a customer may take is found by product from this index alone, without touching the rows.
        Index("ix_releases_by_product", "product_id", "published_at", "state", "level", "is_free_security_fix", "id"),
        CheckConstraint(
            "published_at IS NOT NULL OR state NOT IN ('published', 'withdrawn')", name="published_is_dated"
        ),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    train_id: Mapped[UUID | None] = mapped_column(ForeignKey("trains.id"))
    version: Mapped[str] = mapped_column(String(100))
    version_key: Mapped[str] = mapped_column(VersionKey)
    level: Mapped[Level] = mapped_column(Flags(Level))
    state: Mapped[ReleaseState] = mapped_column(words(ReleaseState), default=ReleaseState.DRAFT)
    is_required: Mapped[bool] = mapped_column(default=False)
    is_security_fix: Mapped[bool] = mapped_column(default=False)
    is_free_security_fix: Mapped[bool] = mapped_column(default=False)
    lowest_from_version: Mapped[str | None] = mapped_column(String(100))
    lowest_from_key: Mapped[str | None] = mapped_column(VersionKey)
    downtime_minutes: Mapped[int | None]
    open_from: Mapped[datetime | None]
    embargo_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    counter: Mapped[int | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_because: Mapped[str | None] = mapped_column(Text)
    replacement_id: Mapped[UUID | None] = mapped_column(ForeignKey("releases.id"))

    product: Mapped[Product] = relationship(lazy="raise")
    train: Mapped[Train | None] = relationship(lazy="raise")
    replacement: Mapped["Release | None"] = relationship(lazy="raise", remote_side="Release.id")
    artifacts: Mapped[list["Artifact"]] = relationship(
        lazy="raise",
        back_populates="release",
        order_by="Artifact.name",
        primaryjoin="and_(Artifact.release_id == Release.id, Artifact.removed_at.is_(None))",
        viewonly=True,
    )
    issue_links: Mapped[list["ReleaseIssue"]] = relationship(lazy="raise", back_populates="release")

    def __str__(self) -> str:
        return self.version

    @property
    def is_published(self) -> bool:
        return self.state is ReleaseState.PUBLISHED

    @property
    def was_published(self) -> bool:
        return self.state in (ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)

    def require_draft(self) -> None:
        if self.state is not ReleaseState.DRAFT:
            raise NotDraft(version=self.version)

    def submit(self, by: UUID | None, at: datetime) -> None:
        self.require_draft()
        self.state, self.submitted_at, self.submitted_by = ReleaseState.IN_REVIEW, at, by

    def return_to_draft(self) -> None:
        if self.state not in (ReleaseState.IN_REVIEW, ReleaseState.APPROVED):
            raise NotInReview(version=self.version)
        self.state = ReleaseState.DRAFT
        self.submitted_at = self.submitted_by = self.approved_at = self.approved_by = None

    def approve(self, by: UUID | None, at: datetime) -> None:
        if self.state is not ReleaseState.IN_REVIEW:
            raise NotInReview(version=self.version)
        self.state, self.approved_at, self.approved_by = ReleaseState.APPROVED, at, by

    def publish(self, by: UUID | None, at: datetime, counter: int) -> None:
        if self.was_published:
            raise AlreadyPublished(version=self.version)
        if self.state is not ReleaseState.APPROVED:
            raise NotApproved(version=self.version)
        self.state, self.published_at, self.published_by, self.counter = ReleaseState.PUBLISHED, at, by, counter

    def withdraw(self, reason: str, at: datetime, replacement_id: UUID | None) -> None:
        if self.state is not ReleaseState.PUBLISHED:
            raise NotPublished(version=self.version)
        self.state, self.withdrawn_at, self.withdrawn_because = ReleaseState.WITHDRAWN, at, reason
        self.replacement_id = replacement_id


class ReleaseAudience(Base):
    """A named customer admitted to a release from a date on: a pilot, or one of a wave."""

    __tablename__ = "release_audience"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True, index=True)
    opens_at: Mapped[datetime]


class Artifact(HasId, Base):
    """One file of a release. The row stays when the file is taken off a draft: a name means its bytes for ever."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("release_id", "name"),)

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[ArtifactRole] = mapped_column(words(ArtifactRole))
    platform: Mapped[str] = mapped_column(String(100), default="")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    key: Mapped[str] = mapped_column(String(200), info=NAMES_OBJECT)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    read_back_at: Mapped[datetime | None]
    read_back_problem: Mapped[str | None] = mapped_column(String(300))
    removed_at: Mapped[datetime | None]

    release: Mapped[Release] = relationship(lazy="raise", back_populates="artifacts")


class Publication(Base):
    """What was signed when a release was published, by which key. Written once, with the release's new state."""

    __tablename__ = "publications"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    at: Mapped[datetime]
    key_id: Mapped[str] = mapped_column(String(64))
    sums: Mapped[str] = mapped_column(Text)
    sums_signature: Mapped[bytes] = mapped_column(LargeBinary)
    manifest: Mapped[str] = mapped_column(Text)

    release: Mapped[Release] = relationship(lazy="raise")


class NotesRevision(HasId, Base):
    """Release notes: `texts` is {language: {section: Markdown}}. A draft edits its last revision in place; after
    publication each correction is a new, dated one with a reason."""

    __tablename__ = "notes_revisions"
    __table_args__ = (UniqueConstraint("release_id", "number"),)

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    number: Mapped[int]
    texts: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(String(500), default="")

    release: Mapped[Release] = relationship(lazy="raise")


class Issue(HasId, Base):
    """A known problem of a product. Public text only: nothing of a customer's is kept here."""

    __tablename__ = "issues"
    __table_args__ = (UniqueConstraint("public_id"),)

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), index=True)
    public_id: Mapped[str] = mapped_column(String(40))
    severity: Mapped[Severity] = mapped_column(words(Severity))
    is_public: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    product: Mapped[Product] = relationship(lazy="raise")
    texts: Mapped[list["IssueText"]] = relationship(lazy="raise", cascade="all, delete-orphan")
    cves: Mapped[list["IssueCve"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="IssueCve.cve_id"
    )
    release_links: Mapped[list["ReleaseIssue"]] = relationship(lazy="raise", back_populates="issue")


class IssueText(Base):
    __tablename__ = "issue_texts"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(Text, default="")
    workaround: Mapped[str] = mapped_column(Text, default="")


class IssueCve(Base):
    __tablename__ = "issue_cves"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    cve_id: Mapped[str] = mapped_column(String(28), primary_key=True, index=True)


class ReleaseIssue(Base):
    """An issue is in a release (affected) or gone from it on (fixed)."""

    __tablename__ = "release_issues"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True, index=True)
    relation: Mapped[IssueRelation] = mapped_column(words(IssueRelation))

    release: Mapped[Release] = relationship(lazy="raise", back_populates="issue_links")
    issue: Mapped[Issue] = relationship(lazy="raise", back_populates="release_links")


class Waiver(HasId, Base):
    """A problem of a draft that someone takes upon themselves, with name and reason."""

    __tablename__ = "waivers"
    __table_args__ = (UniqueConstraint("release_id", "problem"),)

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    problem: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(500))
    by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    by_name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class Recommendation(HasId, Base):
    """The release recommended for a product's train since a date; the newest row speaks."""

    __tablename__ = "recommendations"
    __table_args__ = (Index("ix_recommendations_product_train_at", "product_id", "train_id", "at"),)

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    train_id: Mapped[UUID | None] = mapped_column(ForeignKey("trains.id"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    reason: Mapped[str] = mapped_column(String(500))
    by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]

    release: Mapped[Release] = relationship(lazy="raise")
