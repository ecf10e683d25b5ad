"""Who is written to about an update, and when: the side that has to know, once each (P15).

What is proposed concerns everybody of the customer who may consent, or those on duty at the support centre. What
follows concerns those of a side who took part, and at the support centre the engineer alone who has taken it on.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.accounts.models import Person, PersonRole
from portal.actors import PORTAL_JOB
from portal.errors import NotFound
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.permissions import ROLE_PERMISSIONS, Permission
from portal.resources import Resources
from portal.tickets import rota
from portal.tickets.rota_models import DutyRole
from portal.tickets.standing import MANAGEMENT
from portal.updates import queries
from portal.updates.letters import (
    ACCESS_MISSING,
    BEGUN,
    DEVICE_FAILED,
    LETTERS,
    PROPOSED,
    REMINDER,
    TOLD_STATES,
    Letter,
    Told,
    letter,
    missing_access,
)
from portal.updates.models import UpdateEvent, UpdateRequest
from portal.updates.states import Way

TELL, REMIND = "updates.tell", "updates.remind"
REMINDED_BEFORE, REMINDED_LATE = timedelta(hours=24), timedelta(hours=1)
_MAY_AGREE = tuple(role for role, given in ROLE_PERMISSIONS.items() if Permission.UPDATES_AGREE in given)
_ONE_SIDED = (PROPOSED, BEGUN, DEVICE_FAILED)
"""The side whose doing it is knows already."""


def tell(session: Session, event: UpdateEvent, kind: Letter, *, at: datetime, detail: str = "") -> None:
    """Let the letter about what happened go out, once it is committed."""
    session.flush()  # the job needs the id
    jobs.enqueue(session, TELL, at=at, key=f"{TELL}:{event.id}:{kind.name}", event_id=str(event.id), letter=kind.name,
                 detail=detail)  # fmt: skip


def remind_later(session: Session, update: UpdateRequest, *, at: datetime) -> None:
    """A day before the window, or an hour where less than a day is left; of a window that moves, nothing is said."""
    if update.begins_at is None:
        return
    for before in (REMINDED_BEFORE, REMINDED_LATE):
        if (when := update.begins_at - before) > at:
            begins = update.begins_at.isoformat()
            jobs.enqueue(session, REMIND, at=at, run_at=when, key=f"{REMIND}:{update.id}:{begins}",
                         update_id=str(update.id), begins=begins)  # fmt: skip
            return


@jobs.handles(TELL)
def send_told(resources: Resources, *, at: datetime, event_id: str, letter: str, detail: str) -> None:
    """One letter to each reader."""
    with resources.sessions.begin() as session:
        event = session.get(UpdateEvent, UUID(event_id))
        update = _update(session, event.update_id) if event else None
        if event is None or update is None:
            return
        kind = LETTERS[letter]
        device = next((one for one in update.devices if one.ticket and detail == str(one.ticket)), None)
        told = Told(event.person_name, detail, device)
        readers = [one for one in _readers(session, update, kind, event, at) if one.id != event.person_id]
        _post(session, update, kind, told, readers, once_for=str(event.id), resources=resources, at=at)


@jobs.handles(REMIND)
def send_reminders(resources: Resources, *, at: datetime, update_id: str, begins: str) -> None:
    """To both sides, if the window is still this one; to the customer besides, what it has yet to give."""
    with resources.sessions.begin() as session:
        update = _update(session, UUID(update_id))
        if update is None or update.state not in TOLD_STATES or update.begins_at != datetime.fromisoformat(begins):
            return
        customers = _customers(session, update, is_new=False)
        missing = missing_access(update, at)
        for kind, readers in (
            (REMINDER, [*customers, *_support(session, update, at)]),
            (ACCESS_MISSING, customers if missing else []),
        ):
            _post(session, update, kind, Told(missing=missing), readers, once_for=f"{update.id}:{begins}",
                  resources=resources, at=at)  # fmt: skip


def _update(session: Session, update_id: UUID) -> UpdateRequest | None:
    try:
        return queries.get(session, update_id, visible_to=PORTAL_JOB)
    except NotFound:
        return None


def _readers(
    session: Session, update: UpdateRequest, kind: Letter, event: UpdateEvent, at: datetime
) -> list[Person]:  # fmt: skip
    customers = _customers(session, update, is_new=kind is PROPOSED)
    support = _support(session, update, at)
    if kind not in _ONE_SIDED:
        return [*customers, *support]
    is_ours = event.by_staff if kind is PROPOSED else update.way is Way.REMOTE
    return customers if is_ours else support


def _customers(session: Session, update: UpdateRequest, *, is_new: bool) -> list[Person]:
    """Those of the customer who took part, or everybody who may consent."""
    rows = _who_may_agree().where(Person.organisation_id == update.organisation_id)
    everybody = list(session.scalars(rows))
    took_part = [person for person in everybody if person.id in _took_part(update, by_staff=False)]
    return everybody if is_new or not took_part else took_part


def _support(session: Session, update: UpdateRequest, at: datetime) -> list[Person]:
    """The engineer who took it on, or those who took part, or those on duty; never nobody while there is somebody."""
    for ids in ({update.engineer_id} - {None}, _took_part(update, by_staff=True)):
        found = session.scalars(_who_may_agree().where(Person.id.in_(ids))).all()
        if found:
            return list(found)
    on_duty = rota.who_is_on(session, DutyRole.ON_DUTY, at)
    return on_duty or [called.person for called in rota.whom_to_call(session, MANAGEMENT, at)]


def _took_part(update: UpdateRequest, *, by_staff: bool) -> set[UUID]:
    return {event.person_id for event in update.events if event.by_staff is by_staff and event.person_id}


def _who_may_agree() -> Select[Person]:
    """People who can sign in and consent for their side."""
    holders = select(PersonRole.person_id).where(PersonRole.role.in_(_MAY_AGREE))
    there = (Person.disabled_at.is_(None), Person.password_hash.is_not(None), Person.id.in_(holders))
    return select(Person).where(*there).order_by(Person.name, Person.id)


def _post(  # noqa: PLR0913 - one letter's facts
    session: Session, update: UpdateRequest, kind: Letter, told: Told, readers: Iterable[Person], *, once_for: str,
    resources: Resources, at: datetime,
) -> None:  # fmt: skip
    """Once for each occasion and person."""
    address = f"{resources.config.base_url}/updates/{update.id}"
    for person in _each_once(readers):
        subject, text = letter(kind, update, told, language=person.language, address=address)
        key = f"updates.{kind.name}:{once_for}:{person.id}"
        post(session, key=key, recipient=person.email, subject=subject, text=text, at=at)


def _each_once(readers: Iterable[Person]) -> Sequence[Person]:
    return list({person.id: person for person in readers}.values())
