"""Backups, keys and received releases, as far as the reader may know of them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, joinedload

from portal.actors import Actor
from portal.backups.models import CustomerKey, DeviceBackup
from portal.entitlements.models import ReceivedRelease
from portal.errors import NotFound
from portal.releases.models import Product, Release


def backups_of(device_id: UUID, *, visible_to: Actor) -> Select[DeviceBackup]:
    """The newest first."""
    rows = select(DeviceBackup).where(DeviceBackup.device_id == device_id, _seen(visible_to))
    return rows.order_by(DeviceBackup.stored_at.desc(), DeviceBackup.id)


def get(session: Session, backup_id: UUID, *, visible_to: Actor) -> DeviceBackup:
    """With device and key. Raises NotFound."""
    rows = select(DeviceBackup).where(DeviceBackup.id == backup_id, _seen(visible_to))
    found = session.scalar(rows.options(joinedload(DeviceBackup.device), joinedload(DeviceBackup.customer_key)))
    if found is None:
        raise NotFound
    return found


def key_of(session: Session, organisation_id: UUID) -> CustomerKey | None:
    """The customer's oldest key."""
    rows = select(CustomerKey).where(CustomerKey.organisation_id == organisation_id)
    return session.scalar(rows.order_by(CustomerKey.created_at, CustomerKey.id).limit(1))


def taken_since(
    session: Session, device_ids: Sequence[UUID], since: datetime, *, visible_to: Actor
) -> Sequence[DeviceBackup]:  # fmt: skip
    """What was stored of the devices since then, the newest first."""
    rows = select(DeviceBackup).where(DeviceBackup.device_id.in_(device_ids), DeviceBackup.stored_at >= since)
    return session.scalars(rows.where(_seen(visible_to)).order_by(DeviceBackup.stored_at.desc())).all()


def count_since(session: Session, device_id: UUID, since: datetime) -> int:
    rows = select(func.count()).where(DeviceBackup.device_id == device_id, DeviceBackup.stored_at >= since)
    return session.scalar(rows) or 0


def copies(text: str, *, visible_to: Actor) -> Select[Release]:
    """Every release that the actor's organisation ever received, with product; by product, the newest version first.

    `text` is part of a product's name or code or of a version, word by word.
    """
    if not visible_to.is_customer or visible_to.organisation_id is None:
        return select(Release).where(false())
    received = select(ReceivedRelease.release_id).where(ReceivedRelease.organisation_id == visible_to.organisation_id)
    rows = (
        select(Release)
        .join(Release.product)
        .where(Release.id.in_(received))
        .options(contains_eager(Release.product))
        .order_by(Product.name, Release.version_key.desc(), Release.id)
    )
    for word in text.split()[:8]:
        rows = rows.where(_matches(word, Release.version, Product.name, Product.code))
    return rows


def received_at(session: Session, organisation_id: UUID, releases: Sequence[Release]) -> dict[UUID, datetime]:
    """When each of the releases was first received, by release id."""
    rows = select(ReceivedRelease.release_id, ReceivedRelease.first_at).where(
        ReceivedRelease.organisation_id == organisation_id,
        ReceivedRelease.release_id.in_([release.id for release in releases]),
    )
    return {row[0]: row[1] for row in session.execute(rows)}


def _matches(word: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _seen(visible_to: Actor) -> ColumnElement[bool]:
    if visible_to.is_staff:
        return true()
    if visible_to.is_customer and visible_to.organisation_id:
        return DeviceBackup.organisation_id == visible_to.organisation_id
    return false()
