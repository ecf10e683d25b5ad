"""The worker: claims a job, runs it, records how it ended. Several may run at once, in one process or in many."""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.errors import Unavailable
from portal.jobs.models import Job, JobState
from portal.jobs.service import HANDLERS, queue_recurring
from portal.resources import Resources

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)
MAX_ATTEMPTS = 12
MAX_ATTEMPTS_WHILE_AWAY = 72
"""Where what it leans on does not answer, a job is not to blame: five days, most of them at the longest pause."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=2)
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Claimed:
    id: UUID
    name: str
    arguments: dict[str, object]
    attempts: int


def run_due(resources: Resources, at: datetime | None = None) -> int:
    """Run every job that is due and return how many were run; recurring ones are queued first."""
    try:
        with resources.sessions.begin() as session:
            queue_recurring(session, at or resources.clock())
            _bury_deadly(session, at or resources.clock())
    except IntegrityError:
        log.debug("another worker queued the recurring jobs first")
    count = 0
    while run_one(resources, at or resources.clock()):
        count += 1
    return count


def run_one(resources: Resources, at: datetime) -> bool:
    """Run the oldest due job; False when there is none."""
    job = _claim(resources, at)
    if job is None:
        return False
    try:
        HANDLERS[job.name](resources, at=at, **job.arguments)
    except Exception as error:
        log.exception("job %s %s failed", job.name, job.id)
        _failed(resources, job, at, error)
    else:
        with resources.sessions.begin() as session:
            done = session.get_one(Job, job.id)
            done.state, done.finished_at, done.leased_until = JobState.DONE, at, None
    return True


def run_until(stop: threading.Event, resources: Resources) -> None:
    """The worker's life: run what is due, look again every second, survive whatever a look meets."""
    while not stop.is_set():
        try:
            run_due(resources)
        except Exception:
            log.exception("the worker will look again")
        stop.wait(POLL_SECONDS)


def start_thread(resources: Resources) -> threading.Event:
    """A worker in this process (the embedded default); set the returned event to end it."""
    stop = threading.Event()
    threading.Thread(target=run_until, args=(stop, resources), name="portal-worker", daemon=True).start()
    return stop


def _claim(resources: Resources, at: datetime) -> Claimed | None:
    due = or_(
        (Job.state == JobState.QUEUED) & (Job.run_at <= at),
        (Job.state == JobState.RUNNING) & (Job.leased_until <= at),  # its worker died
    )
    oldest = select(Job).where(due).order_by(Job.run_at).limit(1).with_for_update(skip_locked=True)
    with resources.sessions.begin() as session:
        job = session.scalar(oldest)
        if job is None:
            return None
        job.state, job.leased_until, job.attempts = JobState.RUNNING, at + LEASE, job.attempts + 1
        return Claimed(job.id, job.name, job.arguments, job.attempts)


def _bury_deadly(session: Session, at: datetime) -> None:
    """A job that ends its worker's process each time leaves no error behind: it is dead all the same."""
    session.execute(
        update(Job)
        .where(Job.state == JobState.RUNNING, Job.leased_until <= at, Job.attempts >= MAX_ATTEMPTS)
        .values(state=JobState.DEAD, leased_until=None, last_error="its worker never came back")
    )


def _failed(resources: Resources, job: Claimed, at: datetime, error: Exception) -> None:
    most = MAX_ATTEMPTS_WHILE_AWAY if isinstance(error, Unavailable) else MAX_ATTEMPTS
    with resources.sessions.begin() as session:
        row = session.get_one(Job, job.id)
        row.last_error, row.leased_until = f"{type(error).__name__}: {error}", None
        row.state = JobState.DEAD if job.attempts >= most else JobState.QUEUED
        row.run_at = at + min(FIRST_PAUSE * 2 ** (job.attempts - 1), LONGEST_PAUSE)
