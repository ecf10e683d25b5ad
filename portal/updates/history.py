"""What every verb of an update does besides: hold the row, note the event, tell the audit."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.errors import Forbidden, NotFound
from portal.permissions import Permission
from portal.updates import queries
from portal.updates.errors import NotYourUpdate, WrongWay
from portal.updates.models import UpdateEvent, UpdateRequest
from portal.updates.states import UpdateEventKind, UpdateState, Way

TERMINAL_NOTE_CHARS = 4000


def hold(session: Session, update: UpdateRequest, *, by: Actor) -> UpdateRequest:
    """Lock the request until the transaction ends and read all of it as it is now. Raises NotFound."""
    session.flush()  # our own changes would be overwritten by what is read now
    session.execute(select(UpdateRequest.id).where(UpdateRequest.id == update.id).with_for_update())
    return queries.get(session, update.id, visible_to=by)


def note(
    session: Session, update: UpdateRequest, kind: UpdateEventKind, *, by: Actor, at: datetime, detail: str = ""
) -> UpdateEvent:
    last = select(func.max(UpdateEvent.sequence)).where(UpdateEvent.update_id == update.id)
    event = UpdateEvent(
        update_id=update.id,
        sequence=(session.scalar(last) or 0) + 1,
        at=at,
        kind=kind,
        person_id=by.person_id,
        person_name=by.name,
        by_staff=by.is_staff,
        detail=detail[:TERMINAL_NOTE_CHARS],
    )
    session.add(event)
    update.revision += 1
    return event


def record(session: Session, tag: Tag, update: UpdateRequest, *, by: Actor, at: datetime, **facts: object) -> None:
    customer = str(update.organisation_id)
    audit.record(session, tag, by=by, at=at, subject=update, named=str(update), organisation=customer, **facts)


def enter(session: Session, update: UpdateRequest, state: UpdateState, *, by: Actor, at: datetime) -> UpdateEvent:
    """Raises UpdateStepNotPossible."""
    before = update.state
    update.become(state)
    event = note(session, update, UpdateEventKind.STATE, by=by, at=at, detail=state.value)
    record(session, Tag.UPDATE_STATE, update, by=by, at=at, before=before.value, after=state.value)
    return event


def require(by: Actor, permission: Permission) -> None:
    if not by.may(permission):
        raise Forbidden(permission=permission)


def require_customer(update: UpdateRequest, by: Actor) -> None:
    """The customer's own word is wanted. Raises Forbidden, NotFound."""
    require(by, Permission.UPDATES_AGREE)
    if by.is_staff:
        raise Forbidden(permission=Permission.UPDATES_AGREE)
    if by.organisation_id != update.organisation_id:
        raise NotFound


def require_worker(update: UpdateRequest, by: Actor) -> None:
    """Whose work it is: of its engineer or of the customer, by the way. Raises Forbidden, NotYourUpdate."""
    if update.way is Way.OWN:
        require_customer(update, by)
        return
    require(by, Permission.UPDATES_RUN)
    if update.engineer_id is None or update.engineer_id != by.person_id:
        raise NotYourUpdate(number=update.number)


def require_way(update: UpdateRequest, way: Way) -> None:
    if update.way is not way:
        raise WrongWay
