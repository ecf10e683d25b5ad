"""What has to be done before the work begins: ticked by whoever does it, or seen by the portal itself.

The backup before an update and the files of an update by the customer's own specialists are no matter of ticking: a
backup of the device that was stored, read back and found whole since the update was agreed stands for the one, the
customer's received releases for the other. Whoever works without them says why, and that stays in the report.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.backups import queries as backups
from portal.entitlements.decision import minute
from portal.texts import lines
from portal.updates import queries
from portal.updates.history import hold, note, require_worker
from portal.updates.models import UpdateCheck, UpdateDevice, UpdateRequest
from portal.updates.own_way import releases_of
from portal.updates.states import (
    CHECKS_ON_RECORD,
    CHECKS_PER_DEVICE,
    Check,
    UpdateEventKind,
    UpdateState,
    Way,
    checks_once,
)

MAX_REASON_CHARS = 1000
Point = tuple[Check, str]
"""A point and the id of the update's device that it is asked of, "" for the whole update."""


@dataclass(frozen=True)
class Seen:
    """What the portal knows of a point by itself."""

    by_name: str
    at: datetime
    what: str


@dataclass(frozen=True)
class OnRecord:
    """The points that stand by themselves, and the devices whose backup has yet to be read back."""

    points: dict[Point, Seen] = field(default_factory=dict)
    being_read: frozenset[UUID] = frozenset()


def check(
    session: Session, update: UpdateRequest, point: Point, reason: str = "", *, by: Actor, at: datetime
) -> None:  # fmt: skip
    """A point of the checklist is done; ticking it twice is ticking it once.

    What the portal would see for itself and does not, is done without for a `reason`. Raises Forbidden, NotFound,
    NotYourUpdate, UpdateStepNotPossible, and the errors of portal.texts for the reason.
    """
    update = hold(session, update, by=by)
    require_worker(update, by)
    update.require(UpdateState.PREPARING)
    name, key = point[0], point[1] if point[0] in CHECKS_PER_DEVICE else ""
    serial = queries.device_of(update, UUID(key)).device.serial if key else ""
    if (name, key) not in {(known, device_key) for known, device_key, _device in _wanted(update)}:
        return
    if any(row.name is name and row.key == key for row in update.checks):
        return
    said = lines(reason, limit=MAX_REASON_CHARS, required=name in CHECKS_ON_RECORD)
    session.add(UpdateCheck(update_id=update.id, name=name, key=key, at=at, by_name=by.name, note=said))
    detail = f"{name.value} {serial}".strip() + (f": {said}" if said else "")
    note(session, update, UpdateEventKind.CHECK, by=by, at=at, detail=detail)


def on_record(session: Session, update: UpdateRequest, *, visible_to: Actor) -> OnRecord:
    """What stands by itself now; nothing before the update is agreed."""
    since = agreed_at(update)
    if since is None or update.is_closed:
        return OnRecord()
    points, being_read = _backups(session, update, since, visible_to)
    if update.way is Way.OWN and (files := _files(session, update)):
        points[Check.FILES, ""] = files
    return OnRecord(points, being_read)


def keep(session: Session, update: UpdateRequest, found: OnRecord) -> None:
    """What the work begins on stays in the report, whatever becomes of the backups."""
    ticked = {(row.name, row.key) for row in update.checks}
    for (name, key), seen in found.points.items():
        if (name, key) not in ticked:
            session.add(
                UpdateCheck(update_id=update.id, name=name, key=key, at=seen.at, by_name=seen.by_name, note=seen.what)
            )


def open_checks(update: UpdateRequest, found: OnRecord) -> list[tuple[Check, UpdateDevice | None]]:
    """What of the checklist is neither ticked nor seen."""
    done = {(row.name, row.key) for row in update.checks} | set(found.points)
    return [(name, device) for name, key, device in _wanted(update) if (name, key) not in done]


def agreed_at(update: UpdateRequest) -> datetime | None:
    """When both sides last agreed; None while they have not."""
    said = (event.at for event in update.events if (event.kind, event.detail) == _AGREED)
    return max(said, default=None)


_AGREED = (UpdateEventKind.STATE, UpdateState.AGREED.value)


def _wanted(update: UpdateRequest) -> list[tuple[Check, str, UpdateDevice | None]]:
    wanted: list[tuple[Check, str, UpdateDevice | None]] = [(name, "", None) for name in checks_once(update.way)]
    return wanted + [(name, str(device.id), device) for device in update.devices for name in CHECKS_PER_DEVICE]


def _backups(
    session: Session, update: UpdateRequest, since: datetime, by: Actor
) -> tuple[dict[Point, Seen], frozenset[UUID]]:  # fmt: skip
    by_device = {device.device_id: str(device.id) for device in update.devices}
    found: dict[Point, Seen] = {}
    taken = backups.taken_since(session, list(by_device), since, visible_to=by)
    for backup in taken:
        if backup.checked_at is not None and backup.problem is None:
            what = f"{backup.name}, SHA-256 {backup.sha256}"
            seen = Seen(backup.stored_by_name, backup.stored_at, what)
            found.setdefault((Check.BACKUP, by_device[backup.device_id]), seen)
    return found, frozenset(backup.device_id for backup in taken if backup.checked_at is None)


def _files(session: Session, update: UpdateRequest) -> Seen | None:
    """When the customer has every release on the ways: what it holds, and by which delivery of this update."""
    releases = releases_of(session, update)
    received = backups.received_at(session, update.organisation_id, releases)
    if not releases or any(release.id not in received for release in releases):
        return None
    what = ", ".join(f"{release.version} ({minute(received[release.id])})" for release in releases)
    return Seen(update.organisation.name, max(received.values()), what)
