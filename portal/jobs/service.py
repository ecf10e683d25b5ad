"""Queue a job beside the rows it follows from; it exists exactly when they do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import WrongState, mark
from portal.jobs.models import Job, JobState

Handler = Callable[..., None]
"""`handler(resources, *, at, **arguments)`: opens its own transactions, is safe to run twice."""

HANDLERS: dict[str, Handler] = {}
RECURRING: dict[str, timedelta] = {}


class JobNotDead(WrongState):
    code = "job-not-dead"
    sentence = mark("This job is not dead; it runs by itself.")


def handles(name: str, *, every: timedelta | None = None) -> Callable[[Handler], Handler]:
    """Name the function that does the jobs of this name; with `every`, it is also queued by itself."""

    def register(handler: Handler) -> Handler:
        if name in HANDLERS and HANDLERS[name].__module__ != handler.__module__:
            raise RuntimeError(f"two handlers for the job {name}")
        HANDLERS[name] = handler
        if every:
            RECURRING[name] = every
        return handler

    return register


def enqueue(session: Session, name: str, *, at: datetime, run_at: datetime | None = None, key: str | None = None,
            **arguments: Any) -> None:  # fmt: skip  # noqa: ANN401 - whatever JSON holds
    """Queue a job in the session's transaction. With a `key` that is queued already, nothing more is queued."""
    if key and session.scalar(select(Job.id).where(Job.key == key)):
        return
    session.add(Job(name=name, key=key, arguments=arguments, created_at=at, run_at=run_at or at))


def retry(job: Job, at: datetime) -> None:
    """Give a dead job all its attempts again."""
    if job.state is not JobState.DEAD:
        raise JobNotDead
    job.state, job.attempts, job.run_at = JobState.QUEUED, 0, at


def queue_recurring(session: Session, at: datetime) -> None:
    """Queue each recurring job once for its present span of time."""
    for name, every in RECURRING.items():
        span = int((at - datetime(2000, 1, 1, tzinfo=UTC)) / every)
        enqueue(session, name, at=at, key=f"{name}:{span}")
