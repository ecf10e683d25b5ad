"""What the decision needs to know of one customer and one release, frozen, and the one statement that fetches it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.db import Instant
from portal.entitlements.models import Contract, ContractLine, ContractState, Grant, ReceivedRelease
from portal.errors import NotFound
from portal.inventory.models import Device
from portal.releases.models import ExportRule, Level, Product, Release, ReleaseAudience, ReleaseState


class Cover(NamedTuple):
    """A contract line that names the product or its family, with the term of its contract, [starts_at, ends_at)."""

    number: str
    starts_on: date
    ends_on: date
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    is_held: bool
    levels: Level
    has_back_catalogue: bool


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    version: str
    state: ReleaseState
    level: Level
    published_at: datetime | None
    open_from: datetime | None
    is_free_security_fix: bool
    withdrawn_because: str | None


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What this customer has to do with one release; `opens_at` is its own date of admission to the audience."""

    suspended_at: datetime | None = None
    suspended_because: str | None = None
    opens_at: datetime | None = None
    export_clause: str | None = None
    has_device: bool = False
    granted_until: datetime | None = None
    received_at: datetime | None = None
    covers: tuple[Cover, ...] = ()


def of_release(release: Release) -> ReleaseFacts:
    return ReleaseFacts(
        release.version,
        release.state,
        release.level,
        release.published_at,
        release.open_from,
        release.is_free_security_fix,
        release.withdrawn_because,
    )


def of_customer(session: Session, organisation_id: UUID, release: Release, at: datetime) -> CustomerFacts:
    """One statement. Raises NotFound when there is no such organisation."""
    if session.new or session.dirty or session.deleted:
        session.flush()  # the statement goes past the session, which therefore does not flush by itself
    rows = (
        session.connection()
        .execute(
            _FACTS,
            {
                "organisation": organisation_id,
                "release": release.id,
                "product": release.product_id,
                "at": at,
            },
        )
        .all()
    )
    if not rows:
        raise NotFound
    covers = tuple(Cover._make(row[SCALARS:]) for row in rows if row[SCALARS] is not None)
    scalars: list[Any] = [*rows[0][:SCALARS], covers]
    return CustomerFacts(*scalars)


_ORGANISATION = bindparam("organisation", type_=Organisation.id.type)
_RELEASE = bindparam("release", type_=Release.id.type)
_PRODUCT = bindparam("product", type_=Release.id.type)
_AT = bindparam("at", type_=Instant())


def export_rule_meets(organisation: type[Organisation]) -> ColumnElement[bool]:
    """An export rule concerns this organisation: its country and its end use, where the rule names them."""
    return and_(
        or_(ExportRule.country.is_(None), ExportRule.country == organisation.country),
        or_(ExportRule.end_use.is_(None), ExportRule.end_use == organisation.end_use),
    )


_FAMILY = select(Product.family_id).where(Product.id == _PRODUCT).scalar_subquery()
_LINES_OF_CUSTOMER = (
    select(
        Contract.number,
        Contract.starts_on,
        Contract.ends_on,
        Contract.time_zone,
        Contract.starts_at,
        Contract.ends_at,
        (Contract.state == ContractState.ON_HOLD).label("is_held"),
        ContractLine.levels,
        ContractLine.has_back_catalogue,
    )
    .join(ContractLine, ContractLine.contract_id == Contract.id)
    .where(Contract.organisation_id == _ORGANISATION)
)
_LINES = union_all(  # neither database finds the lines of a contract by two indexes at once
    _LINES_OF_CUSTOMER.where(ContractLine.product_id == _PRODUCT),
    _LINES_OF_CUSTOMER.where(ContractLine.family_id == _FAMILY),
).subquery("lines")
_SCALARS: tuple[ColumnElement[object], ...] = (
    Organisation.suspended_at,  # type: ignore[assignment]
    Organisation.suspended_because,
    select(ReleaseAudience.opens_at)
    .where(ReleaseAudience.release_id == _RELEASE, ReleaseAudience.organisation_id == _ORGANISATION)
    .scalar_subquery(),
    select(func.min(ExportRule.clause))
    .where(ExportRule.product_id == _PRODUCT, export_rule_meets(Organisation))
    .scalar_subquery(),
    exists().where(Device.organisation_id == _ORGANISATION, Device.product_id == _PRODUCT),
    select(func.max(Grant.until, type_=Instant()))
    .where(
        Grant.organisation_id == _ORGANISATION,
        Grant.release_id == _RELEASE,
        Grant.until > _AT,
        Grant.revoked_at.is_(None),
    )
    .scalar_subquery(),
    select(ReceivedRelease.first_at)
    .where(ReceivedRelease.organisation_id == _ORGANISATION, ReceivedRelease.release_id == _RELEASE)
    .scalar_subquery(),
)
SCALARS = len(_SCALARS)
_FACTS: Select[*tuple[Any, ...]] = (
    select(*_SCALARS, *_LINES.c)
    .select_from(Organisation)
    .join(_LINES, true(), isouter=True)
    .where(Organisation.id == _ORGANISATION)
)


def statement_of() -> Select[*tuple[Any, ...]]:
    """The one statement, for whoever measures it."""
    return _FACTS
