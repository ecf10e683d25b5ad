"""Work that no page waits for: kits, and a word to recipients whose link ends soon."""

from datetime import datetime, timedelta
from uuid import UUID

from portal.actors import PORTAL_JOB
from portal.deliveries import queries as deliveries
from portal.deliveries.kit_specs import kit_spec
from portal.jobs import service as jobs
from portal.kits import service as kits
from portal.mailings import bounces, queries, sending, service
from portal.mailings.models import MailLink
from portal.resources import Resources

__all__ = ["bounces", "build_kit", "remind_recipients", "sending"]  # the two others name their own handlers

BEFORE_THE_END = timedelta(days=3)
NOT_BEFORE = timedelta(days=1)
"""After the message itself: of a link that lives three days nobody has to be reminded at once."""


@jobs.handles("mailings.kit")
def build_kit(resources: Resources, *, at: datetime, delivery_id: str) -> None:
    """Build the kit of a delivery, once; every byte of it is read meanwhile, with no transaction open."""
    with resources.sessions() as session:
        delivery = deliveries.get(session, UUID(delivery_id), visible_to=PORTAL_JOB)
        if service.kit_of(session, delivery) is not None:
            return
        spec = kit_spec(delivery)
    kits.prepare(resources, spec, by=PORTAL_JOB, at=at)


@jobs.handles("mailings.remind", every=timedelta(hours=1))
def remind_recipients(resources: Resources, *, at: datetime) -> None:
    """Remind each recipient once, three days before the link ends, of what they have not taken."""
    with resources.sessions() as session:
        ending = queries.ending_links(session, after=at, until=at + BEFORE_THE_END)
        ids = [link.id for link in ending if link.created_at <= at - NOT_BEFORE]
    for link_id in ids:
        with resources.sessions.begin() as session:
            link = session.get_one(MailLink, link_id)
            service.remind(session, link, config=resources.config, at=at)
