"""What follows from elsewhere: a withdrawn release is told to everyone who ever received it (P15)."""

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy.orm import Session

from portal.accounts.models import Person
from portal.actors import PORTAL_JOB
from portal.deliveries import queries
from portal.entitlements.visibility import visible
from portal.errors import mark
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.mail.words import translator
from portal.releases import queries as releases
from portal.releases.models import Release
from portal.resources import Resources

SUBJECT = mark("Withdrawn: %(product)s %(version)s")
TEXT = mark(
    """%(name)s,

%(product)s %(version)s was withdrawn on %(day)s and can no longer be downloaded. Your company has received it.

Reason:
%(reason)s

%(replacement)s

What your company has received: %(address)s
"""
)
REPLACED = mark("Use %(version)s instead.")
NOT_REPLACED = mark("There is no replacement yet. Open a ticket if the release is in service.")


@jobs.handles("releases.withdrawn")
def tell_holders(resources: Resources, *, at: datetime, release_id: str) -> None:
    """Post one message to every active person of each customer that ever received the release, whichever way."""
    with resources.sessions.begin() as session:
        release = releases.get(session, UUID(release_id), visible_to=PORTAL_JOB)
        for person in queries.people_who_received(session, release.id):
            known = _known_replacement(session, release, person, at)
            subject, text = message(release, known, person, resources.config.base_url)
            key = f"releases.withdrawn:{release.id}:{person.id}"
            post(session, key=key, recipient=person.email, subject=subject, text=text, at=at)


def _known_replacement(session: Session, release: Release, person: Person, at: datetime) -> Release | None:
    """The release to take instead, unless it is still kept from this person's company: then nothing is said of it."""
    known = visible(person.organisation_id, at).where(Release.id == release.replacement_id)
    return release.replacement if session.scalar(known) else None


def message(release: Release, replacement: Release | None, person: Person, base_url: str) -> tuple[str, str]:
    """Subject and text in the person's language; needs the release's product."""
    translate = translator(person.language)
    instead = translate(REPLACED) % {"version": replacement.version} if replacement else translate(NOT_REPLACED)
    facts = {
        "name": person.name,
        "product": " ".join(release.product.name.split()),
        "version": release.version,
        "day": f"{release.withdrawn_at:%Y-%m-%d}" if release.withdrawn_at else "—",
        "reason": release.withdrawn_because or "—",
        "replacement": instead,
        "address": f"{base_url}/deliveries?q={quote(release.version)}",
    }
    return translate(SUBJECT) % facts, translate(TEXT) % facts
