"""Files to be taken, and the ledger, loaded for whoever may see them: a customer sees its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, false, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.deliveries.models import Delivery, DeliveryAddress, DeliveryEvent, DeliveryItem, DeliveryPolicy
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.entitlements.rules import is_takeable
from portal.entitlements.visibility import visible
from portal.errors import NotFound
from portal.permissions import OrganisationKind
from portal.releases import queries as releases
from portal.releases.models import Artifact, Product, Release

WITH_FILES = selectinload(Delivery.items).joinedload(DeliveryItem.artifact)
WITH_FACTS = (
    joinedload(Delivery.organisation),
    joinedload(Delivery.release).joinedload(Release.product),
    WITH_FILES,
)


FOUND_AT_MOST = 12


@dataclass(frozen=True)
class Filter:
    """What a list of deliveries is narrowed to.

    `text` is searched in number, product, version, file, person and recipient.
    """

    text: str = ""
    state: DeliveryState | None = None
    organisation_id: UUID | None = None
    channel: Channel | None = None


def artifact(session: Session, artifact_id: UUID, name: str, *, visible_to: Actor, at: datetime) -> Artifact:
    """The file of that id and name, with its release and product.

    Raises NotFound, for a customer also when it may not know of the release at this instant.
    """
    found = releases.get_artifact(session, artifact_id, visible_to=visible_to)
    if found.name != name:  # one address for each file: an invented name must not look like the portal's word
        raise NotFound
    require_known(session, found.release_id, visible_to=visible_to, at=at)
    return found


def require_known(session: Session, release_id: UUID, *, visible_to: Actor, at: datetime) -> None:
    """Raises NotFound when a customer may not know of the release."""
    if visible_to.is_staff:
        return
    if visible_to.organisation_id is None:
        raise NotFound
    known = visible(visible_to.organisation_id, at).where(Release.id == release_id)
    if session.scalar(known) is None:
        raise NotFound


def seen(rows: Select[Any], visible_to: Actor) -> Select[Any]:
    """Narrowed to what the reader may see of the ledger."""
    if visible_to.is_staff:
        return rows
    if visible_to.organisation_id is None:
        return rows.where(false())
    return rows.where(Delivery.organisation_id == visible_to.organisation_id)


def deliveries(chosen: Filter, *, visible_to: Actor) -> Select[Delivery]:
    """The ledger, newest first, with customer, release, product and files."""
    rows = (
        select(Delivery)
        .join(Delivery.release)
        .join(Release.product)
        .options(
            joinedload(Delivery.organisation),
            contains_eager(Delivery.release).contains_eager(Release.product),
            WITH_FILES,
        )
        .order_by(Delivery.created_at.desc(), Delivery.number.desc(), Delivery.id)
    )
    return seen(narrowed(rows, chosen), visible_to)


def narrowed(rows: Select[Any], chosen: Filter) -> Select[Any]:
    """The rows, joined to release and product, that fit the filter."""
    if chosen.state:
        rows = rows.where(Delivery.state == chosen.state)
    if chosen.organisation_id:
        rows = rows.where(Delivery.organisation_id == chosen.organisation_id)
    if chosen.channel:
        rows = rows.where(Delivery.channel == chosen.channel)
    if chosen.text:
        text = chosen.text.lower()
        file = exists().where(
            DeliveryItem.delivery_id == Delivery.id,
            Artifact.id == DeliveryItem.artifact_id,
            func.lower(Artifact.name).contains(text, autoescape=True),
        )
        recipient = Delivery.recipient["name"].as_string()
        columns = (Delivery.number, Product.name, Release.version, Delivery.person_name, recipient)
        rows = rows.where(or_(*(func.lower(c).contains(text, autoescape=True) for c in columns), file))
    return rows


def get(session: Session, delivery_id: UUID, *, visible_to: Actor) -> Delivery:
    """One delivery with its customer, release, files and events. Raises NotFound, for another customer's too."""
    rows = (
        select(Delivery)
        .where(Delivery.id == delivery_id)
        .options(*WITH_FACTS, selectinload(Delivery.events), joinedload(Delivery.replaces))
    )
    found: Delivery | None = session.scalar(seen(rows, visible_to))
    if found is None:
        raise NotFound
    return found


def of_request(session: Session, request_id: UUID, *, visible_to: Actor) -> Sequence[Delivery]:
    """All deliveries of one request by number, with customer, release, product and files."""
    rows = select(Delivery).where(Delivery.request_id == request_id).options(*WITH_FACTS).order_by(Delivery.number)
    return session.scalars(seen(rows, visible_to)).all()


def overdue(at: datetime) -> Select[UUID]:
    """Ids of the deliveries whose due date has passed and of which nobody was reminded since, longest first."""
    reminded = exists().where(
        DeliveryEvent.delivery_id == Delivery.id,
        DeliveryEvent.kind == EventKind.REMINDED,
        DeliveryEvent.at >= Delivery.due_at,
    )
    return select(Delivery.id).where(Delivery.due_at <= at, ~reminded).order_by(Delivery.due_at, Delivery.id)


def replacements_of(session: Session, delivery: Delivery) -> Sequence[Delivery]:
    """The deliveries that stand for this one, which the reader has been let see."""
    rows = select(Delivery).where(Delivery.replaces_id == delivery.id)
    return session.scalars(rows.order_by(Delivery.created_at, Delivery.id)).all()


def choosable(
    session: Session, organisation_id: UUID, text: str, at: datetime, *, limit: int = FOUND_AT_MOST
) -> Sequence[Release]:
    """Releases that the customer may take now, the newest first, with their product; `text` in product or version."""
    rows = (
        select(Release)
        .join(Release.product)
        .where(is_takeable(organisation_id, at))
        .options(contains_eager(Release.product))
        .order_by(Release.published_at.desc(), Release.id)
        .limit(limit)
    )
    for word in text.lower().split():
        rows = rows.where(
            or_(*(func.lower(c).contains(word, autoescape=True) for c in (Product.name, Product.code, Release.version)))
        )
    return session.scalars(rows).all()


def addresses(organisation_id: UUID, *, visible_to: Actor) -> Select[DeliveryAddress]:
    """The customer's address book by label; what was removed is not in it."""
    rows = (
        select(DeliveryAddress)
        .where(DeliveryAddress.organisation_id == organisation_id, DeliveryAddress.removed_at.is_(None))
        .order_by(DeliveryAddress.label, DeliveryAddress.created_at, DeliveryAddress.id)
    )
    if visible_to.is_staff or visible_to.organisation_id == organisation_id:
        return rows
    return rows.where(false())


def address(session: Session, address_id: UUID, *, visible_to: Actor) -> DeliveryAddress:
    """An address that was not removed. Raises NotFound, for another customer's too."""
    found = session.get(DeliveryAddress, address_id)
    is_seen = found is not None and (visible_to.is_staff or found.organisation_id == visible_to.organisation_id)
    if found is None or not is_seen or found.removed_at is not None:
        raise NotFound
    return found


def policy_of(session: Session, organisation_id: UUID) -> DeliveryPolicy:
    """What the customer said, or what holds while it has said nothing: no attachments, no witness."""
    found = session.get(DeliveryPolicy, organisation_id)
    return found or DeliveryPolicy(organisation_id=organisation_id, may_attach=False, wants_witness=False)


def holders(release_id: UUID, *, visible_to: Actor) -> Select[Delivery]:
    """Every delivery of the release by customer and time, for whoever may see all customers; others see none."""
    rows = (
        select(Delivery)
        .join(Delivery.organisation)
        .where(Delivery.release_id == release_id)
        .options(contains_eager(Delivery.organisation), selectinload(Delivery.items).joinedload(DeliveryItem.artifact))
        .order_by(Organisation.name, Delivery.created_at, Delivery.id)
    )
    return rows if visible_to.is_staff else rows.where(false())


def customers(session: Session, *, visible_to: Actor) -> Sequence[Organisation]:
    """Customers to choose from in a filter; a customer has no choice."""
    if not visible_to.is_staff:
        return ()
    rows = select(Organisation).where(Organisation.kind == OrganisationKind.CUSTOMER).order_by(Organisation.name)
    return session.scalars(rows).all()
