"""The verbs before the work: draw up, propose, set the window, consent, cancel (P6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import numbers
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit.service import Tag
from portal.errors import NotFound
from portal.inventory import queries as inventory
from portal.inventory.models import Device
from portal.permissions import OrganisationKind, Permission
from portal.plans import queries as plans
from portal.plans.rules import Obstacle, Step
from portal.releases.models import Release
from portal.texts import lines
from portal.updates import letters, queries
from portal.updates.access import destroy_secrets
from portal.updates.errors import (
    AlreadyConsented,
    AlreadyThere,
    DeviceInOtherUpdate,
    DeviceOfOtherProduct,
    NoDevices,
    NoWay,
    NoWindow,
    TooManyDevices,
    UnknownDevice,
    UpdateStepNotPossible,
    VersionUnknown,
    WindowPast,
)
from portal.updates.history import enter, hold, note, record, require
from portal.updates.models import UpdateDevice, UpdateRequest, UpdateStep
from portal.updates.sealing import new_salt
from portal.updates.states import UPDATE_STATE_TITLES, Origin, UpdateEventKind, UpdateState, Way
from portal.updates.telling import remind_later, tell
from portal.updates.windows import Window

MOST_DEVICES = 200
MAX_NOTE_CHARS = 4000
SERIES = "update"


@dataclass(frozen=True)
class NewUpdate:
    """What an update is drawn up with. `release` has its product loaded; devices are this customer's."""

    organisation: Organisation
    release: Release
    device_ids: tuple[UUID, ...]
    way: Way
    origin: Origin | None = None
    """None: a customer demands it, and what staff draws up is by agreement."""
    note: str = ""


def draw_up(session: Session, new: NewUpdate, *, by: Actor, at: datetime) -> UpdateRequest:
    """A draft with the way of each device; nobody has consented to anything.

    Raises Forbidden, NotFound (another's organisation, a release that it may not know of), NoDevices, TooManyDevices,
    UnknownDevice, DeviceOfOtherProduct, VersionUnknown, AlreadyThere, NoWay, DeviceInOtherUpdate, and the errors of
    portal.texts.
    """
    require(by, Permission.UPDATES_AGREE)
    if not by.is_staff and new.organisation.id != by.organisation_id:
        raise NotFound
    if new.organisation.kind is not OrganisationKind.CUSTOMER:
        raise NotFound
    text = lines(new.note, limit=MAX_NOTE_CHARS, required=False)
    release = queries.target(session, new.organisation.id, new.release.id, at)
    devices = _devices(session, new, by)
    ways = _ways(session, devices, release, at)
    _require_free(session, devices)
    sites = [device.site for device in devices if device.site is not None]
    update = UpdateRequest(
        number=f"U-{numbers.take(session, SERIES):06d}",
        organisation_id=new.organisation.id,
        release_id=release.id,
        origin=new.origin or (Origin.AGREED if by.is_staff else Origin.DEMANDED),
        way=new.way,
        state=UpdateState.DRAFT,
        note=text,
        time_zone=sites[0].time_zone if sites else new.organisation.time_zone,
        salt=new_salt(),
        created_at=at,
        created_by=by.person_id,
        created_by_name=by.name,
    )
    update.devices = [_planned(place, device, ways[device.id]) for place, device in enumerate(devices)]
    session.add(update)
    session.flush()  # its first event names it
    serials = ", ".join(device.serial for device in devices)
    note(session, update, UpdateEventKind.CREATED, by=by, at=at, detail=serials)
    record(session, Tag.UPDATE_STATE, update, by=by, at=at, before="", after=update.state.value)
    session.flush()
    return queries.get(session, update.id, visible_to=by)


def set_window(session: Session, update: UpdateRequest, window: Window, *, by: Actor, at: datetime) -> None:
    """Say when it is to be done. What both had consented to is no longer what is planned: both consents go.

    Raises Forbidden, UpdateStepNotPossible, and as Window.require_sensible.
    """
    require(by, Permission.UPDATES_AGREE)
    update = hold(session, update, by=by)
    update.require(UpdateState.DRAFT, UpdateState.PROPOSED, UpdateState.AGREED, UpdateState.PREPARING)
    window.require_sensible(at)
    if (update.begins_at, update.ends_at, update.time_zone) == (window.begins_at, window.ends_at, window.time_zone):
        return
    update.begins_at, update.ends_at, update.time_zone = window.begins_at, window.ends_at, window.time_zone
    update.customer_consent = update.support_consent = None
    zone = ZoneInfo(window.time_zone)
    local = [instant.astimezone(zone) for instant in (window.begins_at, window.ends_at)]
    said = " – ".join(f"{one:%Y-%m-%d %H:%M}" for one in local) + f" {window.time_zone}"
    moved = note(session, update, UpdateEventKind.WINDOW, by=by, at=at, detail=said)
    record(session, Tag.UPDATE_WINDOW, update, by=by, at=at, begins=window.begins_at, ends=window.ends_at)
    if update.state is not UpdateState.DRAFT:
        tell(session, moved, letters.MOVED, at=at)
    if update.state in (UpdateState.AGREED, UpdateState.PREPARING):
        enter(session, update, UpdateState.PROPOSED, by=by, at=at)


def propose(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """Put it to the other side. Raises Forbidden, NoWindow, WindowPast, UpdateStepNotPossible."""
    require(by, Permission.UPDATES_AGREE)
    update = hold(session, update, by=by)
    _require_window(update, at)
    tell(session, enter(session, update, UpdateState.PROPOSED, by=by, at=at), letters.PROPOSED, at=at)


def consent(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """The actor's side agrees to devices, release and window; when both have, it is agreed.

    Raises Forbidden, AlreadyConsented, WindowPast, UpdateStepNotPossible.
    """
    require(by, Permission.UPDATES_AGREE)
    update = hold(session, update, by=by)
    update.require(UpdateState.PROPOSED)
    _require_window(update, at)
    said = {"person_id": str(by.person_id), "name": by.name, "at": at.isoformat()}
    if (update.support_consent if by.is_staff else update.customer_consent) is not None:
        raise AlreadyConsented
    if by.is_staff:
        update.support_consent = said
    else:
        update.customer_consent = said
    note(session, update, UpdateEventKind.CONSENT, by=by, at=at)
    record(session, Tag.UPDATE_CONSENT, update, by=by, at=at, side="support" if by.is_staff else "customer")
    if update.is_agreed_by_both:
        tell(session, enter(session, update, UpdateState.AGREED, by=by, at=at), letters.AGREED, at=at)
        remind_later(session, update, at=at)


def cancel(session: Session, update: UpdateRequest, *, reason: str, by: Actor, at: datetime) -> None:
    """Nothing comes of it; access information is destroyed. Raises Forbidden, UpdateStepNotPossible, TextMissing…"""
    require(by, Permission.UPDATES_AGREE)
    why = lines(reason, limit=MAX_NOTE_CHARS)
    update = hold(session, update, by=by)
    if not update.may_become(UpdateState.CANCELLED):
        titles = UPDATE_STATE_TITLES
        raise UpdateStepNotPossible(
            number=update.number, state=titles[update.state], wanted=titles[UpdateState.CANCELLED]
        )
    was_draft = update.state is UpdateState.DRAFT
    update.become(UpdateState.CANCELLED)
    update.closed_at = at
    event = note(session, update, UpdateEventKind.STATE, by=by, at=at, detail=f"{UpdateState.CANCELLED.value}: {why}")
    if not was_draft:
        tell(session, event, letters.CANCELLED, at=at, detail=why)
    record(session, Tag.UPDATE_STATE, update, by=by, at=at, before="", after=update.state.value, reason=why)
    destroy_secrets(session, update, by=by, at=at)


def _require_window(update: UpdateRequest, at: datetime) -> None:
    if update.begins_at is None or update.ends_at is None:
        raise NoWindow
    if update.ends_at <= at:
        raise WindowPast


def _devices(session: Session, new: NewUpdate, by: Actor) -> list[Device]:
    wanted = set(new.device_ids)
    if not wanted:
        raise NoDevices
    if len(wanted) > MOST_DEVICES:
        raise TooManyDevices(limit=MOST_DEVICES)
    found = inventory.devices_by_id(session, wanted, visible_to=by)
    devices = [device for device in found if device.organisation_id == new.organisation.id]
    if len(devices) != len(wanted):
        raise UnknownDevice
    for device in devices:
        if device.product_id != new.release.product_id:
            raise DeviceOfOtherProduct(serial=device.serial)
        if device.installed_key is None:
            raise VersionUnknown(serial=device.serial)
        if device.installed_key >= new.release.version_key:
            raise AlreadyThere(serial=device.serial, version=new.release.version)
    return devices


def _ways(
    session: Session, devices: Sequence[Device], release: Release, at: datetime
) -> dict[UUID, tuple[Step, ...]]:  # fmt: skip
    found = plans.ways_to(session, devices, release, at)
    ways: dict[UUID, tuple[Step, ...]] = {}
    for device in devices:
        way = found[device.id]
        if isinstance(way, Obstacle):
            raise NoWay(device.serial, way)
        ways[device.id] = way
    return ways


def _require_free(session: Session, devices: Sequence[Device]) -> None:
    ids = [device.id for device in devices]
    # Two requests for one device at once come one after the other, in one order for both.
    session.execute(select(Device.id).where(Device.id.in_(ids)).order_by(Device.id).with_for_update())
    busy = queries.busy(session, ids)
    if busy is not None:
        number = session.get_one(UpdateRequest, busy.update_id).number
        raise DeviceInOtherUpdate(serial=busy.device.serial, number=number)


def _planned(place: int, device: Device, way: Sequence[Step]) -> UpdateDevice:
    row = UpdateDevice(device_id=device.id, place=place, from_version=device.installed_version or "")
    row.steps = [
        UpdateStep(
            place=number,
            release_id=step.release.id,
            version=step.release.version,
            planned_minutes=step.release.downtime_minutes,
        )
        for number, step in enumerate(way)
    ]
    return row
