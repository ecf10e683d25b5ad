"""The decision, with its reason, for a whole list of releases in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.db import Instant
from portal.entitlements.decision import Decision
from portal.entitlements.facts import Cover, CustomerFacts, export_rule_meets, of_release
from portal.entitlements.models import Contract, ContractLine, ContractState, Grant, ReceivedRelease
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
    known = _Known(session, organisation_id, releases, at)
    return {
        release.id: judge(
            of_release(release),
            CustomerFacts(
                suspended_at=organisation.suspended_at,
                suspended_because=organisation.suspended_because,
                opens_at=known.opens_at.get(release.id),
                export_clause=known.export_clauses.get(release.product_id),
                has_device=release.product_id in known.devices,
                granted_until=known.granted_until.get(release.id),
                received_at=known.received_at.get(release.id),
                covers=known.covers(release.product_id),
            ),
            at,
        )
        for release in releases
    }


class _Known:
    """What the portal knows of one customer and these releases, by release or by product."""

    def __init__(self, session: Session, organisation_id: UUID, releases: Iterable[Release], at: datetime) -> None:
        ids = {release.id for release in releases}
        products = {release.product_id for release in releases}
        self.opens_at = dict(
            session.execute(
                select(ReleaseAudience.release_id, ReleaseAudience.opens_at).where(
                    ReleaseAudience.organisation_id == organisation_id, ReleaseAudience.release_id.in_(ids)
                )
            ).all()
        )
        self.export_clauses = dict(
            session.execute(
                select(ExportRule.product_id, func.min(ExportRule.clause))
                .join(Organisation, Organisation.id == organisation_id)
                .where(ExportRule.product_id.in_(products), export_rule_meets(Organisation))
                .group_by(ExportRule.product_id)
            ).all()
        )
        self.devices = set(
            session.scalars(
                select(Device.product_id).where(
                    Device.organisation_id == organisation_id, Device.product_id.in_(products)
                )
            )
        )
        self.granted_until = dict(
            session.execute(
                select(Grant.release_id, func.max(Grant.until, type_=Instant()))
                .where(
                    Grant.organisation_id == organisation_id,
                    Grant.release_id.in_(ids),
                    Grant.until > at,
                    Grant.revoked_at.is_(None),
                )
                .group_by(Grant.release_id)
            ).all()
        )
        self.received_at = dict(
            session.execute(
                select(ReceivedRelease.release_id, ReceivedRelease.first_at).where(
                    ReceivedRelease.organisation_id == organisation_id, ReceivedRelease.release_id.in_(ids)
                )
            ).all()
        )
        self.families = dict(
            session.execute(select(Product.id, Product.family_id).where(Product.id.in_(products))).all()
        )
        self.lines = self._lines(session, organisation_id, products)

    def _lines(self, session: Session, organisation_id: UUID, products: set[UUID]) -> dict[UUID | None, list[Cover]]:
        families = {family for family in self.families.values() if family}
        rows = session.execute(
            select(
                ContractLine.product_id,
                ContractLine.family_id,
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
            .where(
                Contract.organisation_id == organisation_id,
                or_(ContractLine.product_id.in_(products), ContractLine.family_id.in_(families)),
            )
        )
        found: dict[UUID | None, list[Cover]] = defaultdict(list)
        for product_id, family_id, *cover in rows:
            found[product_id if product_id is not None else family_id].append(Cover._make(cover))
        return found

    def covers(self, product_id: UUID) -> tuple[Cover, ...]:
        family = self.families.get(product_id)
        return (*self.lines.get(product_id, ()), *(self.lines.get(family, ()) if family else ()))
