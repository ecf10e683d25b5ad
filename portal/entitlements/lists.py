"""The decision, with its reason, for a whole list of releases in a fixed number of statements."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.db import Instant
from portal.entitlements.decision import Decision
from portal.entitlements.facts import COVER, Cover, CustomerFacts, export_rule_meets, of_release
from portal.entitlements.models import Contract, ContractLine, Grant, ReceivedRelease
from portal.entitlements.rules import judge
from portal.errors import NotFound
from portal.inventory.models import Device
from portal.releases.models import ExportRule, Product, Release, ReleaseAudience


def decide_many(
    session: Session, *, organisation_id: UUID, releases: Sequence[Release], at: datetime
) -> dict[UUID, Decision]:
    """`rules.decide` for each release, by release id; eight statements, however many releases. Raises NotFound."""
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound
    ids, products = [release.id for release in releases], list({release.product_id for release in releases})
    opens_at = _admissions(session, organisation_id, ids)
    export_clauses = _export_clauses(session, organisation_id, products)
    devices = _products_installed(session, organisation_id, products)
    granted_until = _grants(session, organisation_id, ids, at)
    received_at = _received(session, organisation_id, ids)
    covers = _covers(session, organisation_id, products)
    return {
        release.id: judge(
            of_release(release),
            CustomerFacts(
                suspended_at=organisation.suspended_at,
                suspended_because=organisation.suspended_because,
                opens_at=opens_at.get(release.id),
                export_clause=export_clauses.get(release.product_id),
                has_device=release.product_id in devices,
                granted_until=granted_until.get(release.id),
                received_at=received_at.get(release.id),
                covers=covers[release.product_id],
            ),
            at,
        )
        for release in releases
    }


def _admissions(session: Session, organisation_id: UUID, releases: Sequence[UUID]) -> dict[UUID, datetime]:
    query = select(ReleaseAudience.release_id, ReleaseAudience.opens_at).where(
        ReleaseAudience.organisation_id == organisation_id, ReleaseAudience.release_id.in_(releases)
    )
    return dict(session.execute(query).all())


def _export_clauses(session: Session, organisation_id: UUID, products: Sequence[UUID]) -> dict[UUID, str]:
    query = (
        select(ExportRule.product_id, func.min(ExportRule.clause))
        .join(Organisation, Organisation.id == organisation_id)
        .where(ExportRule.product_id.in_(products), export_rule_meets(Organisation))
        .group_by(ExportRule.product_id)
    )
    return dict(session.execute(query).all())


def _products_installed(session: Session, organisation_id: UUID, products: Sequence[UUID]) -> set[UUID]:
    query = select(Device.product_id).where(Device.organisation_id == organisation_id, Device.removed_at.is_(None))
    return set(session.scalars(query.where(Device.product_id.in_(products)).distinct()))


def _grants(session: Session, organisation_id: UUID, releases: Sequence[UUID], at: datetime) -> dict[UUID, datetime]:
    query = (
        select(Grant.release_id, func.max(Grant.until, type_=Instant()))
        .where(
            Grant.organisation_id == organisation_id,
            Grant.release_id.in_(releases),
            Grant.until > at,
            Grant.revoked_at.is_(None),
        )
        .group_by(Grant.release_id)
    )
    return dict(session.execute(query).all())


def _received(session: Session, organisation_id: UUID, releases: Sequence[UUID]) -> dict[UUID, datetime]:
    query = select(ReceivedRelease.release_id, ReceivedRelease.first_at).where(
        ReceivedRelease.organisation_id == organisation_id, ReceivedRelease.release_id.in_(releases)
    )
    return dict(session.execute(query).all())


def _covers(session: Session, organisation_id: UUID, products: Sequence[UUID]) -> dict[UUID, tuple[Cover, ...]]:
    """The contract lines that name each product or its family."""
    families = dict(session.execute(select(Product.id, Product.family_id).where(Product.id.in_(products))).all())
    rows = session.execute(
        select(
            ContractLine.product_id,
            ContractLine.family_id,
            *COVER,
        )
        .join(ContractLine, ContractLine.contract_id == Contract.id)
        .where(
            Contract.organisation_id == organisation_id,
            or_(
                ContractLine.product_id.in_(products),
                ContractLine.family_id.in_([family for family in families.values() if family]),
            ),
        )
    ).all()
    return {
        product: tuple(
            Cover._make(cover)
            for product_id, family_id, *cover in rows
            if product_id == product or (family_id is not None and family_id == families[product])
        )
        for product in products
    }
