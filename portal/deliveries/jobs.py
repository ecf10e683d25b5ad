"""What follows from elsewhere: a withdrawn release is told to everyone who ever received it (P15)."""

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from portal.accounts.models import Person
from portal.actors import PORTAL_JOB
from portal.deliveries import queries
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
            subject, text = message(release, person, resources.config.base_url)
            key = f"releases.withdrawn:{release.id}:{person.id}"
            post(session, key=key, recipient=person.email, subject=subject, text=text, at=at)


def message(release: Release, person: Person, base_url: str) -> tuple[str, str]:
    """Subject and text in the person's language; needs the release's product and replacement."""
    translate = translator(person.language)
    replacement = (
        translate(REPLACED) % {"version": release.replacement.version}
        if release.replacement
        else translate(NOT_REPLACED)
    )
    facts = {
        "name": person.name,
        "product": " ".join(release.product.name.split()),
        "version": release.version,
        "day": f"{release.withdrawn_at:%Y-%m-%d}" if release.withdrawn_at else "—",
        "reason": release.withdrawn_because or "—",
        "replacement": replacement,
        "address": f"{base_url}/deliveries?q={quote(release.version)}",
    }
    return translate(SUBJECT) % facts, translate(TEXT) % facts
