"""Which devices and sites an actor may see, and of which products one may add devices."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager, joinedload

from portal.accounts.customers import ESCAPE, anywhere, is_called
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.errors import NotFound
from portal.inventory.models import Device, DeviceChange, Site
from portal.releases.models import ExportRule, Product

CHUNK = 500
"""How many serials one statement looks up; SQLite limits what it is given."""


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; "" and None narrow nothing.

    `customer` is part of a name or code; `text` part of a serial, name, site, product or version; `product` a code.
    """

    customer: str = ""
    text: str = ""
    product: str = ""
    site_id: UUID | None = None


def devices(wanted: Wanted, *, visible_to: Actor) -> Select[Device]:
    """Those not removed, by customer, product and serial, with organisation, product and site."""
    rows = (
        select(Device)
        .join(Device.organisation)
        .join(Device.product)
        .outerjoin(Device.site)
        .where(Device.removed_at.is_(None), _seen(Device.organisation_id, visible_to))
        .options(contains_eager(Device.organisation), contains_eager(Device.product), contains_eager(Device.site))
        .order_by(Organisation.name, Product.name, Device.serial, Device.id)
    )
    if visible_to.is_staff and wanted.customer:
        rows = rows.where(is_called(wanted.customer))
    if wanted.site_id:
        rows = rows.where(Device.site_id == wanted.site_id)
    if wanted.product:
        rows = rows.where(Product.code == wanted.product)
    for word in wanted.text.split()[:8]:
        pattern = anywhere(word.lower())
        searched = (Device.serial, Device.name, Device.installed_version, Site.code, Site.name, Product.code,
                    Product.name)  # fmt: skip
        rows = rows.where(or_(*(func.lower(column).like(pattern, escape=ESCAPE) for column in searched)))
    return rows


def get_device(session: Session, device_id: UUID, *, visible_to: Actor) -> Device:
    """The device, removed ones too, with organisation, product and site. Raises NotFound."""
    rows = (
        select(Device)
        .where(Device.id == device_id, _seen(Device.organisation_id, visible_to))
        .options(joinedload(Device.organisation), joinedload(Device.product), joinedload(Device.site))
    )
    device = session.scalar(rows)
    if device is None:
        raise NotFound
    return device


def devices_by_id(session: Session, ids: Iterable[UUID], *, visible_to: Actor) -> list[Device]:
    """Those of the devices that are seen and not removed, loaded as `devices` does, in its order."""
    return list(session.scalars(devices(Wanted(), visible_to=visible_to).where(Device.id.in_(list(ids)))))


def history(session: Session, device_id: UUID, *, visible_to: Actor) -> list[DeviceChange]:
    """What became of the device, the newest first."""
    rows = (
        select(DeviceChange)
        .join(Device, Device.id == DeviceChange.device_id)
        .where(DeviceChange.device_id == device_id, _seen(Device.organisation_id, visible_to))
    )
    return list(session.scalars(rows.order_by(DeviceChange.at.desc(), DeviceChange.place.desc())))


def sites(wanted: Wanted, *, visible_to: Actor) -> Select[Site]:
    """Those not removed, by customer and name, with organisation; `customer` and `text` narrow."""
    rows = (
        select(Site)
        .join(Site.organisation)
        .where(Site.removed_at.is_(None), _seen(Site.organisation_id, visible_to))
        .options(contains_eager(Site.organisation))
        .order_by(Organisation.name, Site.name, Site.code)
    )
    if visible_to.is_staff and wanted.customer:
        rows = rows.where(is_called(wanted.customer))
    for word in wanted.text.split()[:8]:
        pattern = anywhere(word.lower())
        rows = rows.where(or_(*(func.lower(c).like(pattern, escape=ESCAPE) for c in (Site.code, Site.name))))
    return rows


def get_site(session: Session, site_id: UUID, *, visible_to: Actor) -> Site:
    """The site, removed ones too, with its organisation. Raises NotFound."""
    rows = select(Site).where(Site.id == site_id, _seen(Site.organisation_id, visible_to))
    site = session.scalar(rows.options(joinedload(Site.organisation)))
    if site is None:
        raise NotFound
    return site


def sites_of(session: Session, organisation_id: UUID) -> list[Site]:
    """A customer's sites that are not removed, by name."""
    rows = select(Site).where(Site.organisation_id == organisation_id, Site.removed_at.is_(None))
    return list(session.scalars(rows.order_by(Site.name, Site.code)))


def devices_at(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many devices stand at each of the sites."""
    rows = select(Device.site_id, func.count()).where(Device.site_id.in_(list(site_ids)), Device.removed_at.is_(None))
    return {site_id: count for site_id, count in session.execute(rows.group_by(Device.site_id)) if site_id}


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
    has_one = exists().where(
        Device.product_id == Product.id, Device.organisation_id == organisation_id, Device.removed_at.is_(None)
    )
    return rows.where(or_(has_one, Product.is_listed), ~restricted)


def taken_serials(session: Session, product_id: UUID, serials: list[str]) -> set[str]:
    """Those of the serials of which a device of the product is on record, at whichever customer."""
    return {serial for product, serial in identities(session, serials) if product == product_id}


def identities(session: Session, serials: Iterable[str]) -> set[tuple[UUID, str]]:
    """(product id, serial) of the devices on record with one of these serials, at whichever customer."""
    found: set[tuple[UUID, str]] = set()
    left = iter(sorted(set(serials)))
    while chunk := list(islice(left, CHUNK)):
        rows = select(Device.product_id, Device.serial).where(Device.serial.in_(chunk), Device.removed_at.is_(None))
        found |= {(product_id, serial) for product_id, serial in session.execute(rows)}
    return found


def _seen(organisation_id: Any, visible_to: Actor) -> ColumnElement[bool]:  # noqa: ANN401 - a column of either table
    if visible_to.is_staff:
        return true()
    if visible_to.is_customer and visible_to.organisation_id:
        return organisation_id == visible_to.organisation_id  # type: ignore[no-any-return]
    return false()
