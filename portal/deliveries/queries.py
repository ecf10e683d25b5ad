"""Files to be taken, and the ledger, loaded for whoever may see them: a customer sees its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, exists, false, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.deliveries.models import Delivery, DeliveryEvent, DeliveryItem
from portal.deliveries.states import DeliveryState, EventKind
from portal.entitlements.models import ReceivedRelease
from portal.entitlements.visibility import visible
from portal.errors import NotFound
from portal.permissions import OrganisationKind
from portal.releases import queries as releases
from portal.releases.models import Artifact, Product, Release

WITH_FACTS = (
    joinedload(Delivery.organisation),
    joinedload(Delivery.release).joinedload(Release.product),
    selectinload(Delivery.items).joinedload(DeliveryItem.artifact),
)


@dataclass(frozen=True)
class Filter:
    """What a list of deliveries is narrowed to; `text` is searched in product, version, file and person."""

    text: str = ""
    state: DeliveryState | None = None
    organisation_id: UUID | None = None


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


def _seen(rows: Select[Delivery], visible_to: Actor) -> Select[Delivery]:
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
            selectinload(Delivery.items).joinedload(DeliveryItem.artifact),
        )
        .order_by(Delivery.created_at.desc(), Delivery.id)
    )
    if chosen.state:
        rows = rows.where(Delivery.state == chosen.state)
    if chosen.organisation_id:
        rows = rows.where(Delivery.organisation_id == chosen.organisation_id)
    if chosen.text:
        text = chosen.text.lower()
        file = exists().where(
            DeliveryItem.delivery_id == Delivery.id,
            Artifact.id == DeliveryItem.artifact_id,
            func.lower(Artifact.name).contains(text, autoescape=True),
        )
        columns = (Product.name, Release.version, Delivery.person_name)
        rows = rows.where(or_(*(func.lower(c).contains(text, autoescape=True) for c in columns), file))
    return _seen(rows, visible_to)


def get(session: Session, delivery_id: UUID, *, visible_to: Actor) -> Delivery:
    """One delivery with its customer, release, files and events. Raises NotFound, for another customer's too."""
    rows = (
        select(Delivery)
        .where(Delivery.id == delivery_id)
        .options(*WITH_FACTS, selectinload(Delivery.events), joinedload(Delivery.replaces))
    )
    found = session.scalar(_seen(rows, visible_to))
    if found is None:
        raise NotFound
    return found


def of_request(session: Session, request_id: UUID, *, visible_to: Actor) -> Sequence[Delivery]:
    """All deliveries of one request by number, with customer, release, product and files."""
    rows = select(Delivery).where(Delivery.request_id == request_id).options(*WITH_FACTS).order_by(Delivery.number)
    return session.scalars(_seen(rows, visible_to)).all()


def overdue(at: datetime) -> Select[UUID]:
    """Ids of the deliveries whose due date has passed and of which nobody was reminded since, longest first."""
    reminded = exists().where(
        DeliveryEvent.delivery_id == Delivery.id,
        DeliveryEvent.kind == EventKind.REMINDED,
        DeliveryEvent.at >= Delivery.due_at,
    )
    return select(Delivery.id).where(Delivery.due_at <= at, ~reminded).order_by(Delivery.due_at, Delivery.id)


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


def people_who_received(session: Session, release_id: UUID) -> Sequence[Person]:
    """Every active person of each customer to whom anything of the release was ever handed out."""
    issued = select(Delivery.organisation_id).where(Delivery.release_id == release_id)
    received = select(ReceivedRelease.organisation_id).where(ReceivedRelease.release_id == release_id)
    rows = (
        select(Person)
        .where(
            Person.organisation_id.in_(issued.union(received)),
            Person.disabled_at.is_(None),
            Person.password_hash.is_not(None),
        )
        .options(joinedload(Person.organisation))
        .order_by(Person.email)
    )
    return session.scalars(rows).all()
