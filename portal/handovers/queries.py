"""Acts, and deliveries that wait for a hand-over, loaded for whoever may see them: a customer sees its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerProduct
from portal.deliveries.models import Delivery, DeliveryItem
from portal.deliveries.states import HELD_STATES, Channel, DeliveryState
from portal.documents.act import ActKind
from portal.errors import NotFound
from portal.handovers.holding import RETURNABLE
from portal.handovers.models import Act, ActItem, ActState
from portal.kits.models import KitRecord
from portal.releases.models import Release

TO_HAND_OVER = (DeliveryState.APPROVED, DeliveryState.PREPARED, DeliveryState.FAILED)
"""Where nobody came, it is prepared and handed over another time."""


@dataclass(frozen=True)
class Wanted:
    """What a list of acts is narrowed to; `text` is searched in numbers, recipients, customers and media."""

    text: str = ""
    state: ActState | None = None
    kind: ActKind | None = None
    organisation_id: UUID | None = None


def acts(wanted: Wanted, *, visible_to: Actor) -> Select[Act]:
    """Newest first, with customer and deliveries."""
    rows = (
        select(Act)
        .join(Act.organisation)
        .join(Act.authorized_person)
        .options(contains_eager(Act.organisation), selectinload(Act.items).joinedload(ActItem.delivery))
        .order_by(Act.opened_at.desc(), Act.number.desc())
    )
    if wanted.state:
        rows = rows.where(Act.state == wanted.state)
    if wanted.kind:
        rows = rows.where(Act.kind == wanted.kind)
    if wanted.organisation_id:
        rows = rows.where(Act.organisation_id == wanted.organisation_id)
    if wanted.text:
        delivery = exists().where(
            ActItem.act_id == Act.id, Delivery.id == ActItem.delivery_id, _like(Delivery.number, wanted.text)
        )
        columns = (Act.number, AuthorizedPerson.name, AuthorizedPerson.email, Organisation.name, Act.handed_by_name)
        rows = rows.where(or_(*(_like(column, wanted.text) for column in columns), delivery))
    return _seen(rows, visible_to)


def act(session: Session, act_id: UUID, *, visible_to: Actor) -> Act:
    """The act with its customer, deliveries, releases and products. Raises NotFound, for another customer's too."""
    rows = select(Act).where(Act.id == act_id).options(
        joinedload(Act.organisation),
        selectinload(Act.items).joinedload(ActItem.delivery).joinedload(Delivery.release).joinedload(Release.product),
    )  # fmt: skip
    found = session.scalar(_seen(rows, visible_to))
    if found is None:
        raise NotFound
    return found


def acts_of(session: Session, delivery_id: UUID, *, visible_to: Actor) -> Sequence[Act]:
    """Every act in which the delivery stands, the oldest first."""
    rows = select(Act).join(Act.items).where(ActItem.delivery_id == delivery_id).options(joinedload(Act.organisation))
    return session.scalars(_seen(rows, visible_to).order_by(Act.opened_at, Act.number)).all()


def signed_acts_of(session: Session, delivery_id: UUID) -> Sequence[Act]:
    """The signed acts of a delivery, the oldest first, for whoever was let see the delivery: evidence packs."""
    rows = select(Act).join(Act.items).where(ActItem.delivery_id == delivery_id, Act.state == ActState.SIGNED)
    return session.scalars(rows.order_by(Act.signed_at, Act.number)).all()


def waiting(text: str, *, kind: ActKind, visible_to: Actor) -> Select[Delivery]:
    """Deliveries that can be handed over (or whose media can come back), by customer and recipient.

    Each with customer, release, product, files, and its recipient with the powers of attorney.
    """
    if kind is ActKind.RETURN:
        which = and_(Delivery.channel.in_(RETURNABLE), Delivery.state.in_(HELD_STATES))
    else:
        which = and_(Delivery.channel == Channel.HAND_OVER, Delivery.state.in_(TO_HAND_OVER))
    rows = (
        select(Delivery)
        .join(Delivery.authorized_person)
        .join(Delivery.organisation)
        .where(which)
        .options(
            contains_eager(Delivery.organisation),
            contains_eager(Delivery.authorized_person).selectinload(AuthorizedPerson.powers),
            *_whole(),
        )
        .order_by(Organisation.name, AuthorizedPerson.name, AuthorizedPerson.email, Delivery.number)
    )
    if text:
        power = exists().where(PowerOfAttorney.holder_id == AuthorizedPerson.id, _like(PowerOfAttorney.number, text))
        columns = (Delivery.number, AuthorizedPerson.name, AuthorizedPerson.email, Organisation.name)
        rows = rows.where(or_(*(_like(column, text) for column in columns), power))
    return rows if visible_to.is_staff else rows.where(false())


def chosen(session: Session, delivery_ids: Iterable[UUID]) -> list[Delivery]:
    """These deliveries, whole, by number, without a lock: to be shown, before a verb holds them. Raises NotFound."""
    ids = set(delivery_ids)
    rows = select(Delivery).where(Delivery.id.in_(ids), Delivery.recipient_id.is_not(None)).options(
        joinedload(Delivery.organisation), joinedload(Delivery.authorized_person), *_whole()
    )  # fmt: skip
    found = sorted(session.scalars(rows).all(), key=lambda one: one.number or "")
    if not ids or len(found) != len(ids):
        raise NotFound
    return found


def kit_of(session: Session, delivery: Delivery) -> KitRecord | None:
    """The kit that was built for this delivery to go by no medium of the register."""
    return session.scalar(
        select(KitRecord).where(
            KitRecord.delivery_number == delivery.number,
            KitRecord.release_id == delivery.release_id,
            KitRecord.medium_serial == "",
        )
    )


def powers_in_force(session: Session, holder_id: UUID, at: datetime) -> Sequence[PowerOfAttorney]:
    """The person's powers of attorney that the calendar allows, whatever their state, with their products."""
    rows = select(PowerOfAttorney).where(
        PowerOfAttorney.holder_id == holder_id, PowerOfAttorney.starts_at <= at, PowerOfAttorney.ends_at > at
    )
    whole = selectinload(PowerOfAttorney.product_rows).joinedload(PowerProduct.product)
    return session.scalars(rows.options(whole).order_by(PowerOfAttorney.number)).all()


def _whole() -> tuple[ExecutableOption, ...]:
    return (
        joinedload(Delivery.release).joinedload(Release.product),
        selectinload(Delivery.items).joinedload(DeliveryItem.artifact),
    )


def _seen(rows: Select[Act], visible_to: Actor) -> Select[Act]:
    if visible_to.is_staff:
        return rows
    if visible_to.organisation_id is None:
        return rows.where(false())
    return rows.where(Act.organisation_id == visible_to.organisation_id)


def _like(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], text: str) -> ColumnElement[bool]:
    return func.lower(column).contains(text.lower(), autoescape=True)
