"""The signed act goes to both sides at once: to who signed, to the customer's managers, to the dispatcher."""

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Person, PersonRole
from portal.documents.act import TITLES
from portal.documents.wording import Wording
from portal.errors import mark
from portal.handovers.models import Act
from portal.jobs import service as jobs
from portal.mail.words import translator
from portal.mailer import Attachment, Letter, clean
from portal.permissions import Role

SEND = "handovers.send-act"
SUBJECT = mark("Act %(number)s: %(title)s, %(customer)s")
TEXT = mark(
    "Good day, %(name)s.\n\n"
    "Act %(number)s (%(title)s) was signed on %(day)s by %(recipient)s for %(customer)s. The signed act is attached as"
    " PDF; both sides have the same copy.\n\n"
    "SHA-256 of the attached file:\n%(pdf_sha256)s\n\n"
    "Deliveries: %(deliveries)s\n\n"
    "If you know nothing of this hand-over, answer to the support centre at once and name the number of the act.\n"
)


def queue_letters(session: Session, act: Act, *, at: datetime) -> None:
    """Queue one letter to each who gets a copy; the act has just been signed."""
    for email in _readers(session, act):
        jobs.enqueue(session, SEND, at=at, key=f"{SEND}:{act.id}:{email}"[:200], act_id=str(act.id), email=email)


def letter(session: Session, act: Act, email: str, pdf: bytes) -> Letter:
    """The act as a letter in its reader's language, with the PDF beside it."""
    person = session.scalar(select(Person).where(Person.email == email))
    is_recipient = email == act.recipient["email"]
    language = act.language if is_recipient or person is None else person.language
    name = act.recipient["name"] if is_recipient or person is None else person.name
    _ = translator(language)
    signed_at = act.signed_at or act.opened_at
    facts = {
        "number": act.number,
        "title": act.record["title"] if language == act.language else _(TITLES[act.kind]),
        "customer": act.record["recipient"]["organisation"],
        "recipient": act.recipient["name"],
        "name": name,
        "day": Wording(language).day(signed_at.astimezone(ZoneInfo(act.time_zone)).date()),
        "pdf_sha256": act.pdf_sha256,
        "deliveries": ", ".join(one["number"] for one in act.record["deliveries"]),
    }
    file = Attachment(f"{act.number}.pdf", pdf, "application/pdf")
    return Letter(email, clean(_(SUBJECT) % facts), _(TEXT) % facts, recipient_name=clean(name), attachments=(file,))


def _readers(session: Session, act: Act) -> list[str]:
    """E-mail addresses, each once: the recipient, the customer's active managers, the dispatcher."""
    managers = (
        select(Person.email)
        .join(Person.role_rows)
        .where(
            Person.organisation_id == act.organisation_id,
            PersonRole.role == Role.CUSTOMER_MANAGER,
            Person.disabled_at.is_(None),
            Person.password_hash.is_not(None),
        )
        .order_by(Person.email)
    )
    dispatcher = select(Person.email).where(Person.id == act.handed_by_id)
    found = [act.recipient["email"], *session.scalars(managers), *session.scalars(dispatcher)]
    return list(dict.fromkeys(found))


def identity(act_id: str, email: str) -> str:
    """What names this copy for good: the same letter sent twice can be told."""
    return f"{act_id}.{hashlib.sha256(email.encode()).hexdigest()[:16]}"
