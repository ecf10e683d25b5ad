"""What updates and remote sessions have to do later."""

import hashlib
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from uuid import UUID

from portal.actors import PORTAL_JOB
from portal.documents.report import render_report
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.permissions import Permission
from portal.resources import Resources
from portal.tickets import attachments
from portal.tickets import queries as tickets
from portal.tickets.participants import followers
from portal.tickets.telling import automatic_letter
from portal.updates import papers, queries, remote, running, ticket_access, ticket_words

CLERK = replace(PORTAL_JOB, permissions=frozenset({Permission.TICKETS_ANSWER}))


@jobs.handles(remote.EXPIRE)
def expire_sessions(resources: Resources, *, at: datetime, update_id: str) -> None:
    with resources.sessions.begin() as session:
        remote.expire(session, UUID(update_id), at=at)


@jobs.handles(running.ATTACH)
def attach_report(resources: Resources, *, at: datetime, update_id: str, number: str) -> None:
    """All that was on record when a device failed, in the customer's language: a ticket's own text has an end."""
    with resources.sessions() as session:
        update = queries.get(session, UUID(update_id), visible_to=PORTAL_JOB)
        ticket = tickets.get(session, number, visible_to=PORTAL_JOB)
        name = f"{update.number}.pdf"
        if any(file.name == name for file in attachments.files(session, ticket, visible_to=PORTAL_JOB)):
            return
    address = f"{resources.config.base_url}/updates/{update.id}"
    paper = render_report(papers.report(update, language=update.organisation.language, address=address, at=at))
    limit = resources.config.max_attachment_bytes
    received = attachments.receive(resources.store, BytesIO(paper), limit_bytes=limit)
    with resources.sessions.begin() as session:
        ticket = tickets.get(session, number, visible_to=PORTAL_JOB)
        attachments.attach(session, ticket, attachments.NewFile(name, received), by=CLERK, at=at)


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
