"""What updates have to do later."""

from datetime import datetime
from uuid import UUID

from portal.jobs import service as jobs
from portal.resources import Resources
from portal.updates import remote


@jobs.handles(remote.EXPIRE)
def expire_sessions(resources: Resources, *, at: datetime, update_id: str) -> None:
    with resources.sessions.begin() as session:
        remote.expire(session, UUID(update_id), at=at)
