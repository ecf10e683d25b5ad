"""Every night: what is missing is said where an administrator looks, what nobody names goes."""

import logging
from datetime import datetime, timedelta

from portal.actors import PORTAL_JOB
from portal.jobs.service import handles
from portal.reconciliation import service
from portal.reconciliation.errors import ObjectsMissing
from portal.resources import Resources

log = logging.getLogger(__name__)

NAMED_IN_ERROR = 5


@handles("objects.check", every=timedelta(days=1))
def check(resources: Resources, *, at: datetime) -> None:
    """Fail as long as a row names an object that is not in the store: the job stands among the dead ones until
    somebody has restored it and tries again. Raises ObjectsMissing."""
    missing = service.examine(resources, at=at).missing
    for key, place in missing:
        log.error("%s names %s, which is not in the store", place, key)
    if missing:
        examples = ", ".join(f"{key} ({place})" for key, place in missing[:NAMED_IN_ERROR])
        raise ObjectsMissing(count=len(missing), examples=examples)


@handles("objects.tidy", every=timedelta(days=1))
def tidy(resources: Resources, *, at: datetime) -> None:
    service.tidy(resources, by=PORTAL_JOB, at=at)
