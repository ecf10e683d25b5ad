"""The verbs of the work itself: start, each step on each device, the end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag
from portal.inventory import service as inventory
from portal.inventory.models import HowKnown
from portal.inventory.terms import Source
from portal.jobs import service as jobs
from portal.permissions import Permission
from portal.texts import lines
from portal.tickets import service as tickets
from portal.tickets.models import TicketChannel, TicketKind, TicketSeverity
from portal.updates import attachments, checklist, installing, letters, own_way, remote
from portal.updates.access import destroy_secrets
from portal.updates.errors import (
    DevicesOpen,
    DowntimeTooLong,
    NothingDone,
    NotPrepared,
    NoWindow,
    OutsideWindow,
    StepOrder,
)
from portal.updates.history import enter, hold, note, record, require, require_way, require_worker
from portal.updates.models import UpdateDevice, UpdateRequest, UpdateStep
from portal.updates.states import StepState, UpdateEventKind, UpdateState, Way
from portal.updates.telling import tell

MAX_NOTE_CHARS = 4000
ATTACH = "updates.attach-report"
"""The job that puts the whole report beside the ticket of a device that failed."""
_SLACK = timedelta(minutes=1)
"""People write whole minutes."""


@dataclass(frozen=True)
class Ended:
    """How a step ended; `downtime` is as somebody measured it, None: from the step's begin to its end."""

    state: StepState
    note: str = ""
    downtime: timedelta | None = None


def take_on(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """An engineer of the support centre takes the agreed update on and prepares it; another may take it over until it
    runs. Raises Forbidden, WrongWay, UpdateStepNotPossible."""
    require(by, Permission.UPDATES_RUN)
    update = hold(session, update, by=by)
    require_way(update, Way.REMOTE)
    update.require(UpdateState.AGREED, UpdateState.PREPARING)
    update.engineer_id = by.person_id
    if update.state is UpdateState.AGREED:
        enter(session, update, UpdateState.PREPARING, by=by, at=at)
    else:
        note(session, update, UpdateEventKind.STATE, by=by, at=at, detail=update.state.value)
    session.flush()


def start(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """The work begins, within the window and with the whole checklist done.

    Raises Forbidden, NotYourUpdate, UpdateStepNotPossible, NotPrepared, OutsideWindow.
    """
    update = hold(session, update, by=by)
    require_worker(update, by)
    update.require(UpdateState.PREPARING)
    found = checklist.on_record(session, update, visible_to=by)
    missing = checklist.open_checks(update, found)
    if missing:
        raise NotPrepared(missing=len(missing))
    _require_within(update, at)
    checklist.keep(session, update, found)
    tell(session, enter(session, update, UpdateState.RUNNING, by=by, at=at), letters.BEGUN, at=at)


def begin_step(session: Session, update: UpdateRequest, step_id: UUID, *, by: Actor, at: datetime) -> None:
    """The step that is due begins; a failed one is tried again.

    By remote access it begins in a session of its engineer, on the customer's consent, and only while the customer may
    take the release; by the customer's own specialists only while it is not withdrawn.

    Raises Forbidden, NotYourUpdate, UpdateStepNotPossible, StepOrder, ConsentMissing, NotEntitled, StepWithdrawn.
    """
    update, device, step = _held(session, update, step_id, by)
    step.require(StepState.STARTED, serial=device.device.serial)
    if update.way is Way.REMOTE:
        consent = remote.reach(session, update, device, by=by, at=at).consent
        installing.begin(session, update, (device, step), consent, by=by, at=at)
    else:
        own_way.require_not_withdrawn(session, update, step)
    step.become(StepState.STARTED, at, serial=device.device.serial)
    _told(session, update, device, step, by=by, at=at)


def end_step(
    session: Session, update: UpdateRequest, step_id: UUID, ended: Ended, *, by: Actor, at: datetime
) -> None:  # fmt: skip
    """The step is done, failed, or rolled back. Done: the inventory knows the new version; what was done may go back as
    long as the update runs, and the inventory with it. The first failure of a device, or its going back, opens a ticket
    with all that is known.

    Raises Forbidden, NotYourUpdate, UpdateStepNotPossible, StepOrder, DowntimeTooLong, and the errors of portal.texts.
    """
    said = lines(ended.note, limit=MAX_NOTE_CHARS, required=ended.state is not StepState.DONE)
    update, device, step = _held(session, update, step_id, by)
    step.require(ended.state, serial=device.device.serial)
    was_done, downtime = step.state is StepState.DONE, _downtime(step, ended.downtime, at)
    step.become(ended.state, at, serial=device.device.serial)
    step.note = "\n".join(part for part in (step.note, said) if part)
    step.downtime_seconds = downtime
    _told(session, update, device, step, by=by, at=at)
    if ended.state is StepState.DONE or was_done:
        runs = device.before(step) if was_done else step.version
        source = Source(HowKnown.UPDATE, update.number, update.id)
        inventory.set_version(session, device.device, runs, source=source, by=by, at=at)
    if ended.state is not StepState.DONE:
        open_ticket_once(session, update, device, by=by, at=at)
    elif update.way is Way.REMOTE:
        installing.done(session, update, (device, step), by=by, at=at)


def finish(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> UpdateState:
    """The work is over; what became of the devices says what became of the update. Sessions end, secrets go. A device
    that is left half-way opens a ticket, as one that failed.

    Raises Forbidden, NotYourUpdate, UpdateStepNotPossible, DevicesOpen, NothingDone.
    """
    update = hold(session, update, by=by)
    require_worker(update, by)
    update.require(UpdateState.RUNNING)
    states = {device.state for device in update.devices}
    if any(step.state is StepState.STARTED for device in update.devices for step in device.steps):
        raise DevicesOpen
    if states == {StepState.PLANNED} and not any(_begun(device) for device in update.devices):
        raise NothingDone
    outcome = outcome_of(states)
    for device in update.devices:
        if device.is_half_way:
            open_ticket_once(session, update, device, by=by, at=at)
    remote.end_all(session, update, "finished", by=by, at=at)
    installing.settle(session, update, by=by, at=at)
    tell(session, enter(session, update, outcome, by=by, at=at), letters.FINISHED, at=at)
    update.closed_at = at
    destroy_secrets(session, update, by=by, at=at)
    return outcome


def outcome_of(states: set[StepState]) -> UpdateState:
    """Done when every device is; rolled back when those that are not done all went back; else failed."""
    if states == {StepState.DONE}:
        return UpdateState.DONE
    return UpdateState.ROLLED_BACK if states <= {StepState.DONE, StepState.ROLLED_BACK} else UpdateState.FAILED


def open_ticket_once(
    session: Session, update: UpdateRequest, device: UpdateDevice, *, by: Actor, at: datetime
) -> None:  # fmt: skip
    """The request's row is held, so nobody else is between the question and the answer."""
    if device.ticket_id is not None:
        return
    session.flush()  # what is attached is read as it is now
    facts = tickets.TicketFacts(
        organisation=update.organisation,
        kind=TicketKind.INCIDENT,
        severity=TicketSeverity.MAJOR,
        channel=TicketChannel.WEB,
        title=attachments.title(update, device),
        body=attachments.body(update, device, language=update.organisation.language, at=at),
        product=device.device.product,
        installed_version=device.device.installed_version or "",
    )
    ticket = tickets.open_ticket(session, facts, by=by, at=at)
    ticket.device_id = device.device_id
    device.ticket_id, device.ticket = ticket.id, ticket
    opened = note(session, update, UpdateEventKind.TICKET, by=by, at=at, detail=f"{device.device.serial}: {ticket}")
    tell(session, opened, letters.DEVICE_FAILED, at=at, detail=str(ticket))
    jobs.enqueue(session, ATTACH, at=at, key=f"{ATTACH}:{device.id}", update_id=str(update.id), number=str(ticket))


def _begun(device: UpdateDevice) -> bool:
    return any(step.state is not StepState.PLANNED for step in device.steps)


def _require_within(update: UpdateRequest, at: datetime) -> None:
    if update.begins_at is None or update.ends_at is None:
        raise NoWindow
    if not update.begins_at <= at < update.ends_at:
        raise OutsideWindow


def _held(
    session: Session, update: UpdateRequest, step_id: UUID, by: Actor
) -> tuple[UpdateRequest, UpdateDevice, UpdateStep]:
    update = hold(session, update, by=by)
    require_worker(update, by)
    update.require(UpdateState.RUNNING)
    for device in update.devices:
        for step in (device.due, device.last_done):
            if step is not None and step.id == step_id:
                return update, device, step
    raise StepOrder(serial="—")


def _downtime(step: UpdateStep, measured: timedelta | None, at: datetime) -> int:
    """Seconds that service was interrupted, at most as long as the step has taken.

    Of a step that was done before and goes back now, what its going back took is added; nothing where nobody says.
    """
    if step.state is StepState.DONE:
        before, measured = step.downtime_seconds or 0, measured or timedelta(0)
        return before + _measured(measured, at - (step.ended_at or at))
    return _measured(measured, at - (step.started_at or at))


def _measured(measured: timedelta | None, lasted: timedelta) -> int:
    downtime = max(lasted, timedelta(0)) if measured is None else measured
    if lasted < timedelta(0):  # the host's clock was set back meanwhile: only what was measured is known
        return int(max(downtime, timedelta(0)).total_seconds())
    if downtime > lasted + _SLACK or downtime < timedelta(0):
        raise DowntimeTooLong(minutes=int(downtime.total_seconds() // 60))
    return int(downtime.total_seconds())


def _told(
    session: Session, update: UpdateRequest, device: UpdateDevice, step: UpdateStep, *, by: Actor, at: datetime
) -> None:  # fmt: skip
    serial = device.device.serial
    said = "" if step.state is StepState.STARTED else step.note
    detail = f"{serial} → {step.version}: {step.state.value}" + (f"\n{said}" if said else "")
    note(session, update, UpdateEventKind.STEP, by=by, at=at, detail=detail)
    record(session, Tag.UPDATE_STEP, update, by=by, at=at, device=serial, version=step.version, state=step.state.value)
