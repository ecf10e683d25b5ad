"""What the support centre says goes by e-mail to whoever follows the ticket, each in their language.

Only what the customer reads: an internal note has no way in here, whatever a job asks for.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from portal.config import Config
from portal.errors import mark
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.mail.words import translator
from portal.resources import Resources
from portal.tickets.models import Ticket, TicketEvent, TicketEventKind
from portal.tickets.participants import Follower, followers
from portal.tickets.reply_addresses import reply_address, thread_id
from portal.tickets.service import TELL

SUBJECT = mark("[%(ticket)s] %(title)s")
ANSWERED = mark("%(author)s of the support centre writes about ticket %(ticket)s:\n\n%(body)s\n")
AUTOMATIC = mark("About ticket %(ticket)s:\n\n%(body)s\n")
RECEIPT = mark(
    "Your message has arrived and is ticket %(ticket)s. Somebody of the support centre will answer it; this receipt was"
    " written by a machine.\n"
)
BY_MAIL = mark("\nTo answer, reply to this message. The whole ticket: %(address)s\n")
ON_THE_PAGE = mark("\nRead the whole ticket and answer here: %(address)s\n")


@jobs.handles(TELL)
def tell(resources: Resources, *, at: datetime, event_id: str) -> None:
    """Mail one message of the support centre; anything else that is asked for is left alone."""
    with resources.sessions.begin() as session:
        event = session.get(TicketEvent, UUID(event_id))
        if event is None or event.kind is not TicketEventKind.MESSAGE or not event.by_staff:
            return
        ticket = session.get_one(Ticket, event.ticket_id)
        for one in followers(session, ticket):
            if one.email:
                _post(session, ticket, event, one, config=resources.config, at=at)


def send_receipt(session: Session, ticket: Ticket, to: Follower, *, key: str, config: Config, at: datetime) -> str:
    """That a message has become a ticket, once for each `key`; the text as the thread keeps it. For people only."""
    text = translator(to.language)(RECEIPT) % {"ticket": ticket}
    post(
        session,
        key=f"tickets.receipt:{key}",
        recipient=to.email,
        subject=_subject(ticket, to.language),
        text=text + _ending(ticket, to.language, config),
        at=at,
        headers=_headers(ticket, to, config, is_automatic=True),
    )
    return text


@dataclass(frozen=True)
class Letter:
    """A message about a ticket, ready to be posted."""

    recipient: str
    subject: str
    text: str
    headers: dict[str, str]


def automatic_letter(ticket: Ticket, to: Follower, text: str, *, config: Config) -> Letter:
    """What no human wrote, in the recipient's language already, with the way to answer below."""
    ending = _ending(ticket, to.language, config)
    return Letter(
        to.email, _subject(ticket, to.language), text + ending, _headers(ticket, to, config, is_automatic=True)
    )


def _post(session: Session, ticket: Ticket, event: TicketEvent, to: Follower, *, config: Config, at: datetime) -> None:
    say = translator(to.language)
    facts = {"ticket": ticket, "author": event.person_name, "body": event.body}
    text = say(AUTOMATIC if event.is_automatic else ANSWERED) % facts
    post(
        session,
        key=f"{TELL}:{event.id}:{hashlib.sha256(to.email.encode()).hexdigest()[:16]}",
        recipient=to.email,
        subject=_subject(ticket, to.language),
        text=text + _ending(ticket, to.language, config),
        at=at,
        headers=_headers(ticket, to, config, is_automatic=event.is_automatic),
    )


def _subject(ticket: Ticket, language: str) -> str:
    return translator(language)(SUBJECT) % {"ticket": ticket, "title": " ".join(ticket.title.split())}


def _ending(ticket: Ticket, language: str, config: Config) -> str:
    way = BY_MAIL if config.support_address else ON_THE_PAGE
    return translator(language)(way) % {"address": f"{config.base_url}/tickets/{ticket}"}


def _headers(ticket: Ticket, to: Follower, config: Config, *, is_automatic: bool) -> dict[str, str]:
    """The reply address, signed for this recipient; the ticket's thread; what stops loops (RFC 3834)."""
    support = config.support_address
    found = {"Auto-Submitted": "auto-replied"} if is_automatic else {}
    if not support:
        return found
    thread = thread_id(support, config.secret_key, str(ticket))
    return {
        **found,
        "Reply-To": reply_address(support, config.secret_key, str(ticket), to.email),
        "References": thread,
        "In-Reply-To": thread,
        "X-Loop": support,
    }
