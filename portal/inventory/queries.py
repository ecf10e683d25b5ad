"""Which devices an actor may see, and of which products one may add some."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from portal.accounts.customers import ESCAPE, anywhere, is_called
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.inventory.models import Device
from portal.releases.models import ExportRule, Product


@dataclass(frozen=True)
class Wanted:
    """What a list of devices is narrowed to; "" narrows nothing. `customer` is part of a name or code."""

    customer: str = ""
    text: str = ""


def devices(wanted: Wanted, *, visible_to: Actor) -> Select[Device]:
    """By customer, product and serial, with organisation and product."""
    rows = (
        select(Device)
        .join(Device.organisation)
        .join(Device.product)
        .options(contains_eager(Device.organisation), contains_eager(Device.product))
        .order_by(Organisation.name, Product.name, Device.serial)
    )
    if not visible_to.is_staff:
        rows = rows.where(_own(visible_to))
    elif wanted.customer:
        rows = rows.where(is_called(wanted.customer))
    if wanted.text:
        pattern = anywhere(wanted.text.lower())
        rows = rows.where(or_(*(func.lower(c).like(pattern, escape=ESCAPE) for c in (Device.serial, Device.site))))
    return rows


def addable_products(organisation_id: UUID, *, visible_to: Actor) -> Select[Product]:
    """Of which products this actor may add devices for this customer, by name.

    Staff: every one. A customer: those it may know of by this room's means, which are the listed ones that no export
    rule keeps from it and those it has devices of; a device of another one is added by staff first. (What its
    contracts let it know of is decided above this room.)
    """
    rows = select(Product).order_by(Product.name)
    if visible_to.is_staff:
        return rows
    if visible_to.organisation_id != organisation_id:
        return rows.where(false())
    restricted = exists().where(
        ExportRule.product_id == Product.id,
        Organisation.id == organisation_id,
        or_(ExportRule.country.is_(None), ExportRule.country == Organisation.country),
        or_(ExportRule.end_use.is_(None), ExportRule.end_use == Organisation.end_use),
    )
    has_one = exists().where(Device.product_id == Product.id, Device.organisation_id == organisation_id)
    return rows.where(or_(has_one, Product.is_listed), ~restricted)


def taken_serials(session: Session, product_id: UUID, serials: list[str]) -> set[str]:
    """Those of the serials of which a device of the product is on record, at whichever customer."""
    rows = select(Device.serial).where(Device.product_id == product_id, Device.serial.in_(serials))
    return set(session.scalars(rows))


def _own(visible_to: Actor) -> ColumnElement[bool]:
    if visible_to.is_customer and visible_to.organisation_id:
        return Device.organisation_id == visible_to.organisation_id
    return false()
