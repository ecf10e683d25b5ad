"""The customer's own specialists do it: the files come by a delivery, and the outcome is reported per device (P8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.actors import Actor
from portal.authority.models import AuthorizedPerson
from portal.deliveries import queries as deliveries
from portal.deliveries import requests
from portal.deliveries.models import Delivery, DeliveryAddress
from portal.deliveries.states import Channel, DeliveryState
from portal.releases.models import Release, ReleaseState
from portal.updates.errors import AlreadyAskedFor, StepWithdrawn
from portal.updates.history import enter, hold, note, require_customer, require_way
from portal.updates.models import UpdateRequest, UpdateStep
from portal.updates.states import UpdateEventKind, UpdateState, Way

NO_LONGER_COMES = (DeliveryState.CANCELLED, DeliveryState.RETURNED)


@dataclass(frozen=True)
class Handing:
    """How the files come, and to whom; an address for a courier."""

    channel: Channel
    recipient: AuthorizedPerson
    address: DeliveryAddress | None = None


def ask_for_files(
    session: Session, update: UpdateRequest, handing: Handing, *, by: Actor, at: datetime
) -> list[Delivery]:  # fmt: skip
    """A delivery of every release on the ways of the devices, once; anew when nothing of it comes any more.

    Raises Forbidden, NotFound, WrongWay, UpdateStepNotPossible, AlreadyAskedFor, and as deliveries.requests.request.
    """
    require_customer(update, by)
    update = hold(session, update, by=by)
    require_way(update, Way.OWN)
    update.require(UpdateState.AGREED, UpdateState.PREPARING)
    if comes(asked_for(session, update, visible_to=by)):
        raise AlreadyAskedFor
    new = requests.NewRequest(
        organisation=update.organisation,
        wanted=tuple(requests.Wanted(release) for release in releases_of(session, update)),
        channel=handing.channel,
        recipient=handing.recipient,
        address=handing.address,
        note=update.number,
        submission=f"update:{update.id}:{update.revision}",
    )
    made = requests.request(session, new, by=by, at=at)
    update.delivery_request_id = made[0].request_id
    note(session, update, UpdateEventKind.DELIVERY, by=by, at=at, detail=", ".join(one.number or "" for one in made))
    if update.state is UpdateState.AGREED:
        enter(session, update, UpdateState.PREPARING, by=by, at=at)
    return made


def asked_for(session: Session, update: UpdateRequest, *, visible_to: Actor) -> Sequence[Delivery]:
    """The deliveries that belong to the update: asked for, or of what the support centre installs."""
    asked = update.delivery_request_id
    return deliveries.of_request(session, asked, visible_to=visible_to) if asked else ()


def comes(asked: Sequence[Delivery]) -> bool:
    """Whether anything of it is on its way or has come."""
    return any(one.state not in NO_LONGER_COMES for one in asked)


def prepare(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """The customer has the files already and prepares. Raises Forbidden, NotFound, WrongWay, UpdateStepNotPossible."""
    require_customer(update, by)
    update = hold(session, update, by=by)
    require_way(update, Way.OWN)
    enter(session, update, UpdateState.PREPARING, by=by, at=at)


def require_not_withdrawn(session: Session, update: UpdateRequest, step: UpdateStep) -> None:
    """What was withdrawn since it came is not begun with. Raises StepWithdrawn."""
    for release in withdrawn(session, update):
        if release.id == step.release_id:
            raise StepWithdrawn(version=release.version, reason=release.withdrawn_because or "—")


def withdrawn(session: Session, update: UpdateRequest) -> list[Release]:
    """Releases on the ways that were withdrawn since they were planned."""
    return [release for release in releases_of(session, update) if release.state is ReleaseState.WITHDRAWN]


def releases_of(session: Session, update: UpdateRequest) -> list[Release]:
    """Each release that some device goes through, with product and files, in order of version."""
    ids: set[UUID] = {step.release_id for device in update.devices for step in device.steps}
    rows = (
        select(Release)
        .where(Release.id.in_(ids))
        .options(joinedload(Release.product), selectinload(Release.artifacts))
        .order_by(Release.version_key)
    )
    return list(session.scalars(rows.execution_options(populate_existing=True)))
