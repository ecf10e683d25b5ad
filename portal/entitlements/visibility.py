"""What a customer may know of. Whatever is not here does not exist for that customer: it answers 404.

A release is known when it is published or withdrawn, in the customer's audience by now, not export-restricted, and of
a product that is listed for everybody or with which the customer has to do: a contract line (of any time, held or
not), a device, an exception for a release of it, or a release of it received.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Organisation
from portal.entitlements.facts import export_rule_meets
from portal.entitlements.models import Contract, ContractLine, Grant, ReceivedRelease
from portal.entitlements.rules import is_in_audience
from portal.inventory.models import Device
from portal.releases.models import ExportRule, Product, Release, ReleaseState


def visible(organisation_id: UUID, at: datetime) -> Select[UUID]:
    """Ids of the releases that this customer may know of at this instant."""
    return (
        select(Release.id)
        .join(Product, Product.id == Release.product_id)
        .where(
            Release.state.in_((ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)),
            Release.published_at <= at,
            is_in_audience(organisation_id, at),
            *_knows_product(organisation_id, at),
        )
        .correlate(None)
    )


def visible_products(organisation_id: UUID, at: datetime) -> Select[UUID]:
    """Ids of the products that this customer may know of at this instant, with or without releases."""
    return select(Product.id).where(*_knows_product(organisation_id, at)).correlate(None)


def _knows_product(organisation_id: UUID, at: datetime) -> tuple[ColumnElement[bool], ...]:
    restricted = (
        exists()
        .where(ExportRule.product_id == Product.id, Organisation.id == organisation_id, export_rule_meets(Organisation))
        .correlate(Product)
    )
    return ~restricted, or_(Product.is_listed, has_to_do(organisation_id, at))


def has_to_do(organisation_id: UUID, at: datetime) -> ColumnElement[bool]:
    """The customer has to do with the product."""
    other = aliased(Release)
    return or_(
        exists().where(
            Contract.organisation_id == organisation_id,
            ContractLine.contract_id == Contract.id,
            or_(ContractLine.product_id == Product.id, ContractLine.family_id == Product.family_id),
        ),
        exists().where(Device.organisation_id == organisation_id, Device.product_id == Product.id),
        exists().where(
            Grant.organisation_id == organisation_id,
            Grant.until > at,
            Grant.revoked_at.is_(None),
            other.id == Grant.release_id,
            other.product_id == Product.id,
        ),
        exists().where(
            ReceivedRelease.organisation_id == organisation_id,
            other.id == ReceivedRelease.release_id,
            other.product_id == Product.id,
        ),
    )
