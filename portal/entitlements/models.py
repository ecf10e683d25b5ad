"""What a customer bought and what else lets it take a release: contracts, lines, grants, agreements."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.db import Base, Flags, HasId, words
from portal.entitlements.errors import EndsBeforeItStarts
from portal.releases.models import Level, Product, ProductFamily, Release


class ContractState(StrEnum):
    ACTIVE = "active"
    ON_HOLD = "on-hold"


def day_begins(day: date, time_zone: str) -> datetime:
    """The UTC instant at which `day` begins in `time_zone`; where a clock change skips midnight, the first after."""
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


class Contract(HasId, Base):
    """Days are the contract's own time zone, first and last day inclusive.

    `starts_at` and `ends_at` are the same term as UTC instants, [starts_at, ends_at), so that SQL and Python compare
    the same numbers; they are only ever set by `set_term`.
    """

    __tablename__ = "contracts"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        Index("ix_contracts_organisation_ends_starts", "organisation_id", "ends_at", "starts_at"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    number: Mapped[str] = mapped_column(String(60))
    programme: Mapped[str] = mapped_column(String(100), default="Expert 24X7")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    time_zone: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[ContractState] = mapped_column(words(ContractState), default=ContractState.ACTIVE)
    held_because: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    lines: Mapped[list["ContractLine"]] = relationship(
        lazy="raise", back_populates="contract", cascade="all, delete-orphan"
    )

    def set_term(self, starts_on: date, ends_on: date, time_zone: str) -> None:
        if ends_on < starts_on:
            raise EndsBeforeItStarts(starts_on=starts_on, ends_on=ends_on)
        self.starts_on, self.ends_on, self.time_zone = starts_on, ends_on, time_zone
        self.starts_at = day_begins(starts_on, time_zone)
        self.ends_at = day_begins(ends_on + timedelta(days=1), time_zone)

    def is_running(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    def hold(self, reason: str) -> None:
        self.state, self.held_because = ContractState.ON_HOLD, reason

    def resume(self) -> None:
        self.state, self.held_because = ContractState.ACTIVE, None


class ContractLine(HasId, Base):
    """One product, or one product family, in a contract."""

    __tablename__ = "contract_lines"
    __table_args__ = (
        CheckConstraint("(product_id IS NULL) <> (family_id IS NULL)", name="product_or_family"),
        CheckConstraint("levels > 0", name="some_level"),
        Index("ix_contract_lines_contract_product", "contract_id", "product_id"),
        Index("ix_contract_lines_contract_family", "contract_id", "family_id"),
    )

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contracts.id"))
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id"))
    family_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_families.id"))
    levels: Mapped[Level] = mapped_column(Flags(Level))
    devices: Mapped[int | None]
    has_back_catalogue: Mapped[bool] = mapped_column(Boolean, default=True)

    contract: Mapped[Contract] = relationship(lazy="raise", back_populates="lines")
    product: Mapped[Product | None] = relationship(lazy="raise")
    family: Mapped[ProductFamily | None] = relationship(lazy="raise")


class Grant(HasId, Base):
    """An exception: a named release for a named customer until an instant, with a reason and an approver."""

    __tablename__ = "grants"
    __table_args__ = (Index("ix_grants_organisation_release", "organisation_id", "release_id"),)

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    until: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(500))
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    release: Mapped[Release] = relationship(lazy="raise")


class Agreement(HasId, Base):
    """A licence or export statement whose current text must be accepted before certain products are taken."""

    __tablename__ = "agreements"
    __table_args__ = (UniqueConstraint("code"),)

    code: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]

    versions: Mapped[list["AgreementVersion"]] = relationship(
        lazy="raise", back_populates="agreement", order_by="AgreementVersion.number"
    )
    products: Mapped[list[Product]] = relationship(lazy="raise", secondary="product_agreements")


class AgreementVersion(HasId, Base):
    """`texts` is {language: {"title": …, "body": Markdown}}; never changed, only followed by a newer one."""

    __tablename__ = "agreement_versions"
    __table_args__ = (UniqueConstraint("agreement_id", "number"),)

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreements.id"))
    number: Mapped[int]
    texts: Mapped[dict[str, Any]]
    effective_from: Mapped[datetime]

    agreement: Mapped[Agreement] = relationship(lazy="raise", back_populates="versions")


class ProductAgreement(Base):
    __tablename__ = "product_agreements"

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreements.id"), primary_key=True)


class AgreementAcceptance(HasId, Base):
    """Who accepted a text: a person with a sign-in, or a recipient who has none, by a link that was sent to them."""

    __tablename__ = "agreement_acceptances"
    __table_args__ = (
        UniqueConstraint("version_id", "person_id"),
        UniqueConstraint("version_id", "authorized_person_id"),
        CheckConstraint("(person_id IS NULL) <> (authorized_person_id IS NULL)", name="person_or_recipient"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("agreement_versions.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    authorized_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("authorized_persons.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(64))
    text_sha256: Mapped[str] = mapped_column(String(64))


class ReceivedRelease(Base):
    """That a customer has received a release (P11): what `backup-copy` asks.

    The ledger of deliveries stands above this room and writes the row when bytes are handed over, in the same
    transaction; the decision reads it without looking up.
    """

    __tablename__ = "received_releases"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), primary_key=True, index=True)
    first_at: Mapped[datetime]
