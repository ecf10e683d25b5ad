"""A checkpoint of the record every day."""

from datetime import datetime, timedelta

from portal.actors import PORTAL_JOB
from portal.audit import checkpoints
from portal.jobs import service as jobs
from portal.resources import Resources


@jobs.handles("audit.checkpoint", every=timedelta(days=1))
def checkpoint(resources: Resources, *, at: datetime) -> None:
    checkpoints.write(resources, by=PORTAL_JOB, at=at)
