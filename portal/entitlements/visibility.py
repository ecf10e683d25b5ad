"""What a customer may know of. Whatever is not here does not exist for that customer: it answers 404.

A release is known when it is published or withdrawn, in the customer's audience by now, not export-restricted, and of
a product that is listed for everybody or with which the customer has to do: a contract line (of any time, held or
not), a device, an exception for a release of it, or a release of it received.
"""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Organisation
from portal.entitlements.facts import export_rule_meets
from portal.entitlements.models import Contract, ContractLine, Grant, ReceivedRelease
from portal.entitlements.rules import BUILT, Customer, Moment, is_in_audience
from portal.inventory.models import Device
from portal.releases.models import ExportRule, Product, Release, ReleaseState


def visible(organisation_id: Customer, at: Moment) -> Select[UUID]:
    """Ids of the releases that this customer may know of at this instant; inside a query on releases `is_visible`."""
    return select(Release.id).where(is_visible(organisation_id, at)).correlate(None)


@lru_cache(maxsize=BUILT)
def is_visible(organisation_id: Customer, at: Moment) -> ColumnElement[bool]:
    """The condition on a row of `Release`."""
    knows_product = exists().where(Product.id == Release.product_id, *_knows_product(organisation_id, at))
    return and_(
        Release.state.in_((ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)),
        Release.published_at <= at,
        is_in_audience(organisation_id, at),
        knows_product.correlate(Release),
    )


def visible_products(organisation_id: Customer, at: Moment) -> Select[UUID]:
    """Ids of the products that this customer may know of at this instant, with or without releases."""
    return select(Product.id).where(*_knows_product(organisation_id, at)).correlate(None)


@lru_cache(maxsize=BUILT)
def _knows_product(organisation_id: Customer, at: Moment) -> tuple[ColumnElement[bool], ...]:
    restricted = exists().where(
        ExportRule.product_id == Product.id, Organisation.id == organisation_id, export_rule_meets(Organisation)
    )
    return ~restricted.correlate(Product), or_(Product.is_listed, has_to_do(organisation_id, at))


def has_to_do(organisation_id: Customer, at: Moment) -> ColumnElement[bool]:
    """The condition on a row of `Product`: the customer has to do with it."""
    other = aliased(Release)
    line = exists().where(Contract.organisation_id == organisation_id, ContractLine.contract_id == Contract.id)
    device = exists().where(
        Device.organisation_id == organisation_id, Device.product_id == Product.id, Device.removed_at.is_(None)
    )
    of_product = exists().where(other.product_id == Product.id)
    grant = of_product.where(
        Grant.organisation_id == organisation_id,
        Grant.until > at,
        Grant.revoked_at.is_(None),
        other.id == Grant.release_id,
    )
    receipt = of_product.where(
        ReceivedRelease.organisation_id == organisation_id, other.id == ReceivedRelease.release_id
    )
    return or_(
        line.where(ContractLine.product_id == Product.id).correlate(Product),
        line.where(ContractLine.family_id == Product.family_id).correlate(Product),
        *(condition.correlate(Product) for condition in (device, grant, receipt)),
    )
