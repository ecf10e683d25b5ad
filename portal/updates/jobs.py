"""What updates and remote sessions have to do later."""

import hashlib
from datetime import datetime
from uuid import UUID

from portal.actors import PORTAL_JOB
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.resources import Resources
from portal.tickets import queries as tickets
from portal.tickets.participants import followers
from portal.tickets.telling import automatic_letter
from portal.updates import queries, remote, ticket_access, ticket_words


@jobs.handles(remote.EXPIRE)
def expire_sessions(resources: Resources, *, at: datetime, update_id: str) -> None:
    with resources.sessions.begin() as session:
        remote.expire(session, UUID(update_id), at=at)


@jobs.handles(ticket_access.EXPIRE)
def expire_ticket_sessions(resources: Resources, *, at: datetime, number: str) -> None:
    with resources.sessions.begin() as session:
        ticket_access.expire(session, tickets.get(session, number, visible_to=PORTAL_JOB), at=at)


@jobs.handles(ticket_access.TELL)
def tell_ticket_session(resources: Resources, *, at: datetime, session_id: str, number: str) -> None:
    """Whoever follows the ticket hears that a session runs and how to stop it; of one that is over, nothing."""
    with resources.sessions.begin() as session:
        ticket = tickets.get(session, number, visible_to=PORTAL_JOB)
        found = queries.access_of(session, ticket).session(UUID(session_id))
        if not found.is_running(at):
            return
        for one in followers(session, ticket):
            if not one.email:
                continue
            text = ticket_words.letter(ticket, found, one.language)
            letter = automatic_letter(ticket, one, text + "\n", config=resources.config)
            key = f"{ticket_access.TELL}:{found.id}:{hashlib.sha256(one.email.encode()).hexdigest()[:16]}"
            post(session, key=key, recipient=letter.recipient, subject=letter.subject, text=letter.text, at=at,
                 headers=letter.headers)  # fmt: skip
