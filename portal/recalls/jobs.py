"""A withdrawn release is told to everyone who ever received it, and asked after until each has answered (P15)."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import PORTAL_JOB
from portal.deliveries.holders import people_who_received
from portal.deliveries.states import Channel
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.recalls import letters, queries, service
from portal.recalls.models import Holding
from portal.releases import queries as releases
from portal.releases.models import Release
from portal.resources import Resources


@jobs.handles("releases.withdrawn")
def tell_holders(resources: Resources, *, at: datetime, release_id: str) -> None:
    """Post one letter to every active person of each customer that ever received the release, whichever way, and one
    to every recipient who has no sign-in, with a link of its own to answer by."""
    base_url = resources.config.base_url
    with resources.sessions.begin() as session:
        release = releases.get(session, UUID(release_id), visible_to=PORTAL_JOB)
        recall = service.open_recall(session, release, at=at)
        told = set()
        for person in people_who_received(session, release.id):
            told.add((person.organisation_id, person.email))
            subject, text = letters.withdrawal(
                release,
                queries.known_replacement(session, release, person.organisation_id, at),
                name=person.name,
                holder=person.organisation.name,
                language=person.language,
                address=f"{base_url}/recalls/{release.id}",
            )
            key = f"releases.withdrawn:{release.id}:{person.id}"
            post(session, key=key, recipient=person.email, subject=subject, text=text, at=at)
        for holding in service.untold(session, recall):
            if (holding.organisation_id, holding.holder_email) not in told:
                _tell_recipient(session, release, holding, resources, at)
            service.note_mailed(session, holding, at=at)


@jobs.handles("recalls.look-again", every=timedelta(hours=6))
def look_again(resources: Resources, *, at: datetime) -> None:
    """Find and tell those whom a delivery reached while the release was being withdrawn: its last step came after."""
    with resources.sessions() as session:
        release_ids = service.lately_opened(session, at=at)
    for release_id in release_ids:
        tell_holders(resources, at=at, release_id=str(release_id))


def _tell_recipient(session: Session, release: Release, holding: Holding, resources: Resources, at: datetime) -> None:
    if not holding.holder_email:
        return  # a person who is gone; the company's other people have been told
    subject, text = letters.withdrawal(
        release,
        queries.known_replacement(session, release, holding.organisation_id, at),
        name=holding.holder_name,
        holder=holding.holder_name,
        language=holding.language,
        address=_link(resources, holding),
    )
    post(session, key=f"recall:{holding.id}", recipient=holding.holder_email, subject=subject, text=text, at=at)


@jobs.handles("recalls.remind", every=timedelta(hours=6))
def remind(resources: Resources, *, at: datetime) -> None:
    """Write once more, each week, to whoever was told and has not answered."""
    base_url = resources.config.base_url
    with resources.sessions.begin() as session:
        for holding in service.to_remind(session, at=at):
            holding.reminded_at = at
            if not holding.holder_email:
                continue
            release = holding.recall.release
            is_own = holding.channel is Channel.DOWNLOAD  # somebody with a sign-in
            subject, text = letters.reminder(
                release,
                name=holding.holder_name,
                holder=holding.holder_name,
                language=holding.language,
                address=f"{base_url}/recalls/{release.id}" if is_own else _link(resources, holding),
            )
            key = f"recall:{holding.id}:{at:%Y-%m-%d}"
            post(session, key=key, recipient=holding.holder_email, subject=subject, text=text, at=at)


def _link(resources: Resources, holding: Holding) -> str:
    token = service.answer_token(holding, resources.config.secret_key)
    return f"{resources.config.base_url}/recalls/answer/{token}"
