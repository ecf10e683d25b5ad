"""Whom a release concerns, and who of them is to be written to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation, Person
from portal.entitlements.models import Contract, ContractLine, Grant, ReceivedRelease
from portal.entitlements.visibility import visible
from portal.inventory.models import Device
from portal.notices.models import Occasion, ReleaseNotice
from portal.permissions import OrganisationKind
from portal.releases.models import Release, ReleaseAudience, ReleaseState

NEWS_FOR = timedelta(days=3)
"""How long after a release opened to somebody it is told to those who had not heard: a wave that opens, a contract that
follows on the day after. Later it is no news."""


@dataclass(frozen=True)
class Devices:
    """How many devices of the product a customer has on record: below a release (or nobody knows), and at it."""

    below: int
    at_it: int


def candidates(release: Release, occasion: Occasion, number: int) -> Select[UUID]:
    """Ids of the customers that have to do with the release and were not told of this: by a device of the product, a
    contract line, an exception, a receipt, or an earlier notice. The release has its product loaded."""
    line = select(Contract.organisation_id).join(ContractLine, ContractLine.contract_id == Contract.id)
    of_product = ContractLine.product_id == release.product_id
    by_family = ContractLine.family_id == release.product.family_id
    has_to_do = (
        select(Device.organisation_id).where(Device.product_id == release.product_id, Device.removed_at.is_(None)),
        line.where(or_(of_product, by_family) if release.product.family_id else of_product),
        select(Grant.organisation_id).where(Grant.release_id == release.id),
        select(ReceivedRelease.organisation_id).where(ReceivedRelease.release_id == release.id),
        select(ReleaseNotice.organisation_id).where(ReleaseNotice.release_id == release.id),
    )
    told = select(ReleaseNotice.organisation_id).where(*_of(release.id, occasion, number))
    return (
        select(Organisation.id)
        .where(
            Organisation.kind == OrganisationKind.CUSTOMER,
            or_(*(Organisation.id.in_(some) for some in has_to_do)),
            Organisation.id.not_in(told),
        )
        .order_by(Organisation.id)
    )


def lately_opened(at: datetime) -> Select[Release]:
    """Published releases that opened to all or to somebody by name in the last days."""
    since = at - NEWS_FOR
    named = exists().where(
        ReleaseAudience.release_id == Release.id, ReleaseAudience.opens_at > since, ReleaseAudience.opens_at <= at
    )
    opened = or_(and_(Release.open_from > since, Release.open_from <= at), named.correlate(Release))
    return select(Release).where(Release.state == ReleaseState.PUBLISHED, opened).order_by(Release.published_at)


def was_told(session: Session, release_id: UUID, organisation_id: UUID, occasion: Occasion, number: int = 0) -> bool:
    rows = select(ReleaseNotice.told_at).where(
        *_of(release_id, occasion, number), ReleaseNotice.organisation_id == organisation_id
    )
    return session.scalar(rows) is not None


def may_know(session: Session, release_id: UUID, organisation_id: UUID, at: datetime) -> bool:
    return session.scalar(visible(organisation_id, at).where(Release.id == release_id)) is not None


def devices(session: Session, release: Release, organisation_id: UUID) -> Devices:
    is_below = or_(Device.installed_key.is_(None), Device.installed_key < release.version_key)
    rows = select(
        func.count().filter(is_below), func.count().filter(Device.installed_key == release.version_key)
    ).where(
        Device.organisation_id == organisation_id,
        Device.product_id == release.product_id,
        Device.removed_at.is_(None),
    )
    below, at_it = session.execute(rows).one()
    return Devices(below, at_it)


def readers(session: Session, organisation_id: UUID) -> Sequence[Person]:
    """Everybody of the customer who can sign in."""
    rows = select(Person).where(
        Person.organisation_id == organisation_id, Person.disabled_at.is_(None), Person.password_hash.is_not(None)
    )
    return session.scalars(rows.order_by(Person.email)).all()


def _of(release_id: UUID, occasion: Occasion, number: int) -> tuple[ColumnElement[bool], ...]:
    return (
        ReleaseNotice.release_id == release_id,
        ReleaseNotice.occasion == occasion,
        ReleaseNotice.number == number,
    )
