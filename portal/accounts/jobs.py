"""Work of accounts that a page does not wait for."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from portal.accounts.models import SignInAttempt
from portal.accounts.recovery import SEND_RESET, send_reset
from portal.actors import Actor, Via
from portal.jobs import service as jobs
from portal.resources import Resources

ATTEMPTS_KEPT = timedelta(days=1)


@jobs.handles(SEND_RESET)
def send_reset_link(resources: Resources, *, at: datetime, email: str, address: str) -> None:
    by = Actor(Via.NOBODY, address=address)
    with resources.sessions.begin() as session:
        send_reset(session, email=email, by=by, at=at, base_url=resources.config.base_url)


@jobs.handles("accounts.forget-attempts", every=timedelta(hours=6))
def forget_attempts(resources: Resources, *, at: datetime) -> None:
    with resources.sessions.begin() as session:
        session.execute(delete(SignInAttempt).where(SignInAttempt.at < at - ATTEMPTS_KEPT))
