"""Statements issue themselves: whenever one is missing it is queued, once, and each has attempts of its own."""

from datetime import datetime, timedelta
from uuid import UUID

from portal.jobs.service import enqueue, handles
from portal.reports import service
from portal.reports.months import Month
from portal.resources import Resources

ISSUE = "reports.issue"


@handles("reports.statements", every=timedelta(hours=6))
def statements(resources: Resources, *, at: datetime) -> None:
    """Queue every statement of the months before that is not there yet."""
    with resources.sessions.begin() as session:
        for organisation_id, month in service.due(session, at):
            organisation = str(organisation_id)
            enqueue(session, ISSUE, at=at, key=f"{ISSUE}:{organisation}:{month}", organisation_id=organisation,
                    month=str(month))  # fmt: skip


@handles(ISSUE)
def issue(resources: Resources, *, at: datetime, organisation_id: str, month: str) -> None:
    service.issue(resources, UUID(organisation_id), Month.parse(month), at=at)
