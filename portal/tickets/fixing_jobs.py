"""The jobs that follow a release's publication and withdrawal through the tickets: one transaction for each ticket."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select

from portal.jobs import service as jobs
from portal.resources import Resources
from portal.tickets import fixing
from portal.tickets.models import Ticket

log = logging.getLogger(__name__)


class FixNotTold(Exception):
    """Some tickets could not be told; the others were. The log says which and why."""


@jobs.handles("releases.published")
def offer_fix(resources: Resources, *, at: datetime, release_id: str) -> None:
    """Tell the customer of every open ticket that the release cures. Raises FixNotTold."""
    _each(resources, fixing.to_offer(at, UUID(release_id)), fixing.offer, at)


@jobs.handles("releases.fix-withdrawn")
def take_back_fix(resources: Resources, *, at: datetime, release_id: str) -> None:
    """Tell everyone who was told of the release as a fix that it is withdrawn. Raises FixNotTold."""
    _each(resources, fixing.to_take_back(UUID(release_id)), fixing.take_back, at)


@jobs.handles("tickets.fixes", every=timedelta(minutes=10))
def catch_up(resources: Resources, *, at: datetime) -> None:
    """What publication could not tell yet: a wave has opened, a ticket was linked later, a release came and went while
    a job ran. Raises FixNotTold."""
    _each(resources, fixing.to_offer(at), fixing.offer, at)
    _each(resources, fixing.to_take_back(), fixing.take_back, at)


def _each(resources: Resources, which: Select[UUID], tell: Callable[..., bool], at: datetime) -> None:
    failed: list[str] = []
    for ticket_id in _found(resources, which):
        try:
            with resources.sessions.begin() as session:
                tell(session, session.get_one(Ticket, ticket_id), config=resources.config, at=at)
        except Exception:
            log.exception("ticket %s can't be told of a fix", ticket_id)
            failed.append(str(ticket_id))
    if failed:
        raise FixNotTold(failed)


def _found(resources: Resources, which: Select[UUID]) -> Sequence[UUID]:
    with resources.sessions() as session:
        return session.scalars(which).all()
