"""Media, parcels and incidents, loaded for whoever may see them: a customer sees its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, exists, false, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from portal.accounts.models import Organisation, Person, PersonRole
from portal.actors import Actor
from portal.couriers.errors import NothingConsigned
from portal.couriers.models import Carrier, Consignment, Incident, Medium, MediumMove, MediumWriting
from portal.couriers.states import MediumState
from portal.deliveries.models import Delivery, DeliveryItem
from portal.deliveries.states import Channel, DeliveryState
from portal.errors import NotFound
from portal.permissions import Role
from portal.releases.models import Release

ON_THE_WAY = (DeliveryState.DISPATCHED, DeliveryState.DELIVERED)


@dataclass(frozen=True)
class MediumFilter:
    """`text` is searched in the serial, the note and the owner's name."""

    text: str = ""
    state: MediumState | None = None


def open_consignment(session: Session, delivery_id: UUID) -> Consignment:
    """The parcel that the delivery has now, with medium, writing and carrier. Raises NothingConsigned."""
    found = session.scalar(_whole().where(Consignment.open_delivery_id == delivery_id))
    if found is None:
        raise NothingConsigned
    return found


def last_consignment(session: Session, delivery_id: UUID) -> Consignment | None:
    """The newest parcel of the delivery, open or not."""
    rows = _whole().where(Consignment.delivery_id == delivery_id).order_by(Consignment.created_at.desc()).limit(1)
    return session.scalar(rows)


def _whole() -> Select[Consignment]:
    return select(Consignment).options(
        joinedload(Consignment.medium), joinedload(Consignment.writing), joinedload(Consignment.carrier)
    )


def delivery(session: Session, delivery_id: UUID, *, visible_to: Actor) -> Delivery:
    """A courier's delivery with customer, release, files and events. Raises NotFound, for another customer's too."""
    rows = select(Delivery).where(Delivery.id == delivery_id, Delivery.channel == Channel.COURIER).options(
        joinedload(Delivery.organisation),
        joinedload(Delivery.release).joinedload(Release.product),
        joinedload(Delivery.replaces),
        selectinload(Delivery.items).joinedload(DeliveryItem.artifact),
        selectinload(Delivery.events),
    )  # fmt: skip
    found = session.scalar(_seen(rows, visible_to))
    if found is None:
        raise NotFound
    return found


def replacements(session: Session, delivery_id: UUID) -> Sequence[Delivery]:
    return session.scalars(select(Delivery).where(Delivery.replaces_id == delivery_id)).all()


def _seen(rows: Select[Delivery], visible_to: Actor) -> Select[Delivery]:
    if visible_to.is_staff:
        return rows
    if visible_to.organisation_id is None:
        return rows.where(false())
    return rows.where(Delivery.organisation_id == visible_to.organisation_id)


def in_transit(*, visible_to: Actor) -> Select[Consignment]:
    """Parcels handed over and not yet confirmed, the longest on their way first, with all that the list shows."""
    rows = (
        select(Consignment)
        .join(Consignment.delivery)
        .where(
            Consignment.open_delivery_id.is_not(None),
            Consignment.handed_over_at.is_not(None),
            Delivery.state.in_((*ON_THE_WAY, DeliveryState.REFUSED, DeliveryState.LOST)),
        )
        .options(
            joinedload(Consignment.medium),
            joinedload(Consignment.carrier),
            contains_eager(Consignment.delivery).joinedload(Delivery.organisation),
            contains_eager(Consignment.delivery).joinedload(Delivery.release).joinedload(Release.product),
        )
        .order_by(Consignment.handed_over_at, Consignment.id)
    )
    if visible_to.is_staff:
        return rows
    if visible_to.organisation_id is None:
        return rows.where(false())
    return rows.where(Delivery.organisation_id == visible_to.organisation_id)


def to_be_sent(*, visible_to: Actor) -> Select[Delivery]:
    """Couriers' deliveries that wait for the dispatcher: approved, failed or prepared; the oldest first."""
    rows = (
        select(Delivery)
        .where(
            Delivery.channel == Channel.COURIER,
            Delivery.state.in_((DeliveryState.APPROVED, DeliveryState.FAILED, DeliveryState.PREPARED)),
        )
        .options(joinedload(Delivery.organisation), joinedload(Delivery.release).joinedload(Release.product))
        .order_by(Delivery.since, Delivery.id)
    )
    return rows if visible_to.is_staff else rows.where(false())


def media(chosen: MediumFilter, *, visible_to: Actor) -> Select[Medium]:
    """The register by serial, with owners; a customer does not see it."""
    rows = select(Medium).options(joinedload(Medium.organisation)).order_by(Medium.serial_key)
    if chosen.state:
        rows = rows.where(Medium.state == chosen.state)
    if chosen.text:
        text = chosen.text.lower()
        owner = exists().where(
            Organisation.id == Medium.organisation_id,
            func.lower(Organisation.name).contains(text, autoescape=True),
        )
        columns = (Medium.serial, Medium.serial_key, Medium.note)
        rows = rows.where(or_(*(func.lower(c).contains(text, autoescape=True) for c in columns), owner))
    return rows if visible_to.is_staff else rows.where(false())


def medium(session: Session, medium_id: UUID, *, visible_to: Actor) -> Medium:
    """One medium with its owner and every move. Raises NotFound, for a customer always."""
    rows = select(Medium).where(Medium.id == medium_id).options(
        joinedload(Medium.organisation), selectinload(Medium.moves).joinedload(MediumMove.delivery)
    )  # fmt: skip
    found = session.scalar(rows) if visible_to.is_staff else None
    if found is None:
        raise NotFound
    return found


def writings(session: Session, medium_id: UUID) -> Sequence[MediumWriting]:
    """What was ever written on the medium, newest first."""
    rows = select(MediumWriting).where(MediumWriting.medium_id == medium_id)
    return session.scalars(rows.options(joinedload(MediumWriting.delivery)).order_by(MediumWriting.at.desc())).all()


def holder(session: Session, medium_id: UUID) -> Consignment | None:
    """The open parcel that the medium is in."""
    rows = _whole().where(Consignment.open_medium_id == medium_id).options(joinedload(Consignment.delivery))
    return session.scalar(rows)


def incidents(session: Session, delivery_id: UUID) -> Sequence[Incident]:
    rows = select(Incident).where(Incident.delivery_id == delivery_id).order_by(Incident.opened_at)
    return session.scalars(rows).all()


def open_incident_ids(session: Session, delivery_id: UUID) -> Sequence[UUID]:
    rows = select(Incident.id).where(Incident.delivery_id == delivery_id, Incident.closed_at.is_(None))
    return session.scalars(rows).all()


def carriers(session: Session) -> Sequence[Carrier]:
    """Those on offer, by name."""
    return session.scalars(select(Carrier).where(Carrier.removed_at.is_(None)).order_by(Carrier.name_key)).all()


def carrier(session: Session, carrier_id: UUID) -> Carrier:
    """Raises NotFound."""
    found = session.get(Carrier, carrier_id)
    if found is None:
        raise NotFound
    return found


def dispatchers(session: Session) -> Sequence[Person]:
    """Everybody who may be written to about parcels."""
    rows = (
        select(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(PersonRole.role == Role.DISPATCHER, Person.disabled_at.is_(None), Person.password_hash.is_not(None))
        .order_by(Person.email)
    )
    return session.scalars(rows).all()


def awaiting_receipt(session: Session, before: datetime) -> Sequence[UUID]:
    """Ids of open parcels handed over before that instant and not confirmed."""
    rows = (
        select(Consignment.id)
        .join(Consignment.delivery)
        .where(
            Consignment.open_delivery_id.is_not(None),
            Consignment.handed_over_at <= before,
            Consignment.received_at.is_(None),
            Delivery.state.in_(ON_THE_WAY),
        )
        .order_by(Consignment.handed_over_at)
    )
    return session.scalars(rows).all()
