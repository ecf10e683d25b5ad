"""What happens to backups by itself: opened again after they came, tidied once a day, objects removed after rows."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from portal.actors import PORTAL_JOB
from portal.backups import service
from portal.backups.errors import BackupUnreadable
from portal.backups.keys import KeyRing
from portal.backups.models import DeviceBackup
from portal.backups.queries import get
from portal.backups.reading import verify
from portal.errors import NotFound
from portal.jobs.service import handles
from portal.resources import Resources


@handles("backups.tidy", every=timedelta(days=1))
def tidy(resources: Resources, *, at: datetime) -> None:
    """Row first, then object, so that no row ever names an object that is gone."""
    with resources.sessions.begin() as session:
        service.tidy(session, by=PORTAL_JOB, at=at)


@handles(service.DROP)
def drop(resources: Resources, *, at: datetime, object_key: str) -> None:  # noqa: ARG001 - every job has it
    """Remove an object that no row names any more."""
    with resources.sessions.begin() as session:
        is_named = session.scalar(select(DeviceBackup.id).where(DeviceBackup.key == object_key)) is not None
    if not is_named:
        resources.store.delete(object_key)


@handles(service.CHECK)
def check(resources: Resources, *, at: datetime, backup_id: str) -> None:
    """Open all of a backup again, as whoever needs it will, and compare it with what was told when it came."""
    try:
        with resources.sessions.begin() as session:
            backup = get(session, UUID(backup_id), visible_to=PORTAL_JOB)
    except NotFound:
        return
    problem = None
    try:
        verify(resources.store, service.kept(backup, KeyRing.of(resources.config)), backup.sha256)
    except BackupUnreadable as error:
        problem = error.code
    with resources.sessions.begin() as session:
        row = session.get(DeviceBackup, UUID(backup_id))
        if row is not None:
            row.checked_at, row.problem = at, problem
