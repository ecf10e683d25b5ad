"""What follows a publication, a correction and a withdrawal: one transaction for each customer.

Holders of a withdrawn release are told by its recall, which asks them for an answer; here the others are: those who
were told that it is out, and those whose devices run it by the register without having received it here.
"""

import logging
from collections.abc import Container
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import joinedload

from portal.actors import PORTAL_JOB
from portal.deliveries.holders import people_who_received
from portal.jobs import service as jobs
from portal.notices import queries, service
from portal.notices.letters import News
from portal.notices.models import Occasion
from portal.releases import queries as releases
from portal.releases.models import Release
from portal.releases.notes import CORRECTED
from portal.releases.publishing import NEWS
from portal.releases.withdrawal import GONE
from portal.resources import Resources

log = logging.getLogger(__name__)


class NewsNotTold(Exception):
    """Some customers could not be told; the others were. The log says which and why."""


@jobs.handles(NEWS)
def tell_published(resources: Resources, *, at: datetime, release_id: str) -> None:
    """Raises NewsNotTold."""
    with resources.sessions() as session:
        rows = queries.lately_opened(at).where(Release.id == UUID(release_id))
        release = session.scalar(rows.options(joinedload(Release.product)))
    if release is not None:  # else it waits for its wave, or was entered long after it came out
        _each(resources, _published(release), at)


@jobs.handles("notices.catch-up", every=timedelta(minutes=10))
def catch_up(resources: Resources, *, at: datetime) -> None:
    """A wave has opened, a contract has begun since, somebody joined a customer. Raises NewsNotTold."""
    with resources.sessions() as session:
        found = session.scalars(queries.lately_opened(at).options(joinedload(Release.product))).all()
    for release in found:
        _each(resources, _published(release), at)


@jobs.handles(CORRECTED)
def tell_corrected(resources: Resources, *, at: datetime, release_id: str, number: int) -> None:
    """Raises NewsNotTold."""
    with resources.sessions() as session:
        release = releases.get(session, UUID(release_id), visible_to=PORTAL_JOB)
        notes = next(one for one in releases.notes_history(session, release.id) if one.number == number)
    if release.is_published:
        news = News(release, Occasion.CORRECTED, f"{notes.at:%Y-%m-%d}", number, notes.reason)
        _each(resources, news, at)


@jobs.handles(GONE)
def tell_withdrawn(resources: Resources, *, at: datetime, release_id: str) -> None:
    """Raises NewsNotTold."""
    with resources.sessions() as session:
        release = releases.get(session, UUID(release_id), visible_to=PORTAL_JOB)
        holders = {person.organisation_id for person in people_who_received(session, release.id)}
    day = f"{release.withdrawn_at:%Y-%m-%d}" if release.withdrawn_at else ""
    news = News(release, Occasion.WITHDRAWN, day, reason=release.withdrawn_because or "")
    _each(resources, news, at, but=holders)


def _published(release: Release) -> News:
    return News(release, Occasion.PUBLISHED, f"{release.published_at:%Y-%m-%d}" if release.published_at else "")


def _each(resources: Resources, news: News, at: datetime, *, but: Container[UUID] = ()) -> None:
    with resources.sessions() as session:
        found = session.scalars(queries.candidates(news.release, news.occasion, news.number)).all()
    failed: list[str] = []
    for organisation_id in found:
        if organisation_id in but:
            continue
        try:
            with resources.sessions.begin() as session:
                service.tell(session, news, organisation_id, base_url=resources.config.base_url, at=at)
        except Exception:
            log.exception("customer %s can't be told of release %s", organisation_id, news.release.id)
            failed.append(str(organisation_id))
    if failed:
        raise NewsNotTold(failed)
