"""Which updates an actor may see, and all that their pages need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.models import Organisation, Person
from portal.accounts.queries import WHOLE_PERSON
from portal.actors import Actor
from portal.entitlements.visibility import is_visible
from portal.errors import NotFound
from portal.inventory.models import Device
from portal.releases.models import Product, Release, ReleaseState
from portal.texts import folded
from portal.tickets.models import Ticket
from portal.updates.models import (
    AccessConsent,
    CalendarFeed,
    RemoteSession,
    UpdateDevice,
    UpdateRequest,
)
from portal.updates.states import CLOSED, UpdateState

MOST_TARGETS = 100
MOST_PLANNED = 500


@dataclass(frozen=True)
class Narrowed:
    """What the list is narrowed to. `open_only`: those that are not finished."""

    text: str = ""
    open_only: bool = False


def seen(visible_to: Actor) -> ColumnElement[bool]:
    if visible_to.is_staff:
        return true()
    if visible_to.is_customer and visible_to.organisation_id:
        return UpdateRequest.organisation_id == visible_to.organisation_id
    return false()


def updates(narrowed: Narrowed, *, visible_to: Actor) -> Select[UpdateRequest]:
    """The newest first, with customer, release, product and devices' steps."""
    rows = (
        select(UpdateRequest)
        .join(UpdateRequest.organisation)
        .join(UpdateRequest.release)
        .join(Release.product)
        .where(seen(visible_to))
        .options(*_IN_LIST)
        .order_by(UpdateRequest.created_at.desc(), UpdateRequest.number.desc())
    )
    if narrowed.open_only:
        rows = rows.where(UpdateRequest.state.not_in(list(CLOSED)))
    for word in folded(narrowed.text).split()[:8]:
        columns = [UpdateRequest.number, Release.version, Product.name]
        if visible_to.is_staff:
            columns.append(Organisation.name)
        rows = rows.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return rows


def planned(since: datetime, *, visible_to: Actor) -> Select[UpdateRequest]:
    """Those with a window that has not ended before `since`, the soonest first; cancelled and drafts are no plans."""
    hidden = (UpdateState.CANCELLED, UpdateState.DRAFT)
    return (
        select(UpdateRequest)
        .where(seen(visible_to), UpdateRequest.ends_at > since, UpdateRequest.state.not_in(hidden))
        .options(*_IN_LIST)
        .order_by(UpdateRequest.begins_at, UpdateRequest.number)
        .limit(MOST_PLANNED)
    )


def get(session: Session, update_id: UUID, *, visible_to: Actor) -> UpdateRequest:
    """The request with all that its page shows. Raises NotFound."""
    return _one(session, UpdateRequest.id == update_id, visible_to)


def by_number(session: Session, number: str, *, visible_to: Actor) -> UpdateRequest:
    """Raises NotFound."""
    return _one(session, UpdateRequest.number == number.upper(), visible_to)


def _one(session: Session, which: ColumnElement[bool], visible_to: Actor) -> UpdateRequest:
    rows = select(UpdateRequest).where(which, seen(visible_to)).options(*_WHOLE)
    found = session.scalar(rows.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def session_of(update: UpdateRequest, session_id: UUID) -> RemoteSession:
    """Raises NotFound."""
    found = next((one for one in update.sessions if one.id == session_id), None)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class TicketAccess:
    """The consents and sessions of a ticket, the oldest first."""

    consents: Sequence[AccessConsent]
    sessions: Sequence[RemoteSession]

    def open_consents(self, at: datetime) -> list[AccessConsent]:
        return [consent for consent in self.consents if consent.is_open(at)]

    def running(self, at: datetime) -> list[RemoteSession]:
        return [one for one in self.sessions if one.is_running(at)]

    def session(self, session_id: UUID) -> RemoteSession:
        """Raises NotFound."""
        found = next((one for one in self.sessions if one.id == session_id), None)
        if found is None:
            raise NotFound
        return found


def access_of(session: Session, ticket: Ticket) -> TicketAccess:
    """Of a ticket that the actor may see, as it is now."""
    consents = select(AccessConsent).where(AccessConsent.ticket_id == ticket.id).order_by(AccessConsent.given_at)
    sessions = (
        select(RemoteSession)
        .where(RemoteSession.ticket_id == ticket.id)
        .options(joinedload(RemoteSession.device), joinedload(RemoteSession.consent))
        .order_by(RemoteSession.started_at)
    )
    fresh = {"populate_existing": True}
    given = session.scalars(consents.execution_options(**fresh)).all()
    if not given:  # without a consent there was no session
        return TicketAccess((), ())
    return TicketAccess(given, session.scalars(sessions.execution_options(**fresh)).all())


def device_of(update: UpdateRequest, update_device_id: UUID) -> UpdateDevice:
    """Raises NotFound."""
    found = next((one for one in update.devices if one.id == update_device_id), None)
    if found is None:
        raise NotFound
    return found


def targets(session: Session, organisation_id: UUID, product_id: UUID, at: datetime) -> Sequence[Release]:
    """Published releases of the product that this customer may know of, the newest first."""
    rows = (
        select(Release)
        .where(
            Release.product_id == product_id,
            Release.state == ReleaseState.PUBLISHED,
            is_visible(organisation_id, at),
        )
        .options(joinedload(Release.product))
        .order_by(Release.version_key.desc())
        .limit(MOST_TARGETS)
    )
    return session.scalars(rows).all()


def target(session: Session, organisation_id: UUID, release_id: UUID, at: datetime) -> Release:
    """A published release that this customer may know of, with its product. Raises NotFound."""
    rows = select(Release).where(
        Release.id == release_id, Release.state == ReleaseState.PUBLISHED, is_visible(organisation_id, at)
    )
    found = session.scalar(rows.options(joinedload(Release.product)))
    if found is None:
        raise NotFound
    return found


def busy(session: Session, device_ids: Sequence[UUID]) -> UpdateDevice | None:
    """One of the devices that is part of an update which is not finished; `device` is loaded."""
    rows = (
        select(UpdateDevice)
        .join(UpdateRequest, UpdateRequest.id == UpdateDevice.update_id)
        .where(UpdateDevice.device_id.in_(device_ids), UpdateRequest.state.not_in(list(CLOSED)))
        .options(joinedload(UpdateDevice.device))
    )
    return session.scalars(rows.limit(1)).first()


def feed_of(session: Session, person_id: UUID) -> CalendarFeed | None:
    return session.scalar(select(CalendarFeed).where(CalendarFeed.person_id == person_id))


def feed_by_hash(session: Session, secret_hash: str) -> CalendarFeed | None:
    """With its person, their roles and organisation."""
    person = joinedload(CalendarFeed.person)
    rows = select(CalendarFeed).where(CalendarFeed.secret_hash == secret_hash).options(person.options(*WHOLE_PERSON))
    return session.scalars(rows).unique().one_or_none()


_DEVICE = selectinload(UpdateRequest.devices)
_IN_LIST: Any = (
    joinedload(UpdateRequest.organisation),
    joinedload(UpdateRequest.release).joinedload(Release.product),
    _DEVICE.joinedload(UpdateDevice.device).joinedload(Device.site),
    _DEVICE.selectinload(UpdateDevice.steps),
)
_WHOLE: Any = (
    *_IN_LIST,
    _DEVICE.joinedload(UpdateDevice.device).joinedload(Device.organisation),
    _DEVICE.joinedload(UpdateDevice.device).joinedload(Device.product),
    _DEVICE.joinedload(UpdateDevice.ticket),
    joinedload(UpdateRequest.engineer).load_only(Person.id, Person.name),
    selectinload(UpdateRequest.events),
    selectinload(UpdateRequest.checks),
    selectinload(UpdateRequest.secrets),
    selectinload(UpdateRequest.access),
    # The same devices once more: what is read last says what of them is loaded.
    selectinload(UpdateRequest.sessions)
    .joinedload(RemoteSession.device)
    .options(joinedload(Device.site), joinedload(Device.organisation), joinedload(Device.product)),
    selectinload(UpdateRequest.sessions).joinedload(RemoteSession.consent),
)
