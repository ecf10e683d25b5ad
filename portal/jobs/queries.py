"""Looking at the queue."""

from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.errors import NotFound
from portal.jobs.models import Job, JobState
from portal.permissions import Permission

_URGENCY = case(
    {JobState.DEAD.value: 0, JobState.RUNNING.value: 1, JobState.QUEUED.value: 2, JobState.DONE.value: 3},
    value=Job.state,
)


def jobs(*, visible_to: Actor, state: JobState | None = None) -> Select[Job]:
    """Dead ones first, then running, queued, done; the newest of each first. Raises NotFound."""
    if not visible_to.may(Permission.JOBS_READ):
        raise NotFound
    query = select(Job).order_by(_URGENCY, Job.run_at.desc(), Job.id)
    return query.where(Job.state == state) if state else query


def job(session: Session, job_id: UUID, *, visible_to: Actor) -> Job:
    """Raises NotFound."""
    found = session.scalar(jobs(visible_to=visible_to).where(Job.id == job_id).with_for_update())
    if found is None:
        raise NotFound
    return found


def counts(session: Session, *, visible_to: Actor) -> dict[JobState, int]:
    """How many jobs there are in each state. Raises NotFound."""
    if not visible_to.may(Permission.JOBS_READ):
        raise NotFound
    found = session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
    return {state: number for state, number in found}  # noqa: C416 - rows are no pairs to mypy
