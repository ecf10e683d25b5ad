"""Post a message with the rows it tells about; it is sent after they are committed, once."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.jobs import service as jobs
from portal.mail.models import OutgoingMail, OutgoingText
from portal.mailer import FORBIDDEN_IN_HEADERS, BadHeader, compose
from portal.resources import Resources


def post(  # noqa: PLR0913 - a letter has as many parts
    session: Session,
    *,
    key: str,
    recipient: str,
    subject: str,
    text: str,
    at: datetime,
    secret_until: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Queue one message. A `key` names event and recipient; a second message with the same key is not sent.

    `headers` stand beside or instead of the usual ones: `Reply-To`, `References`, `Auto-Submitted`.

    With `secret_until` the text holds a secret that is worth nothing after that instant: it is kept until it was sent,
    or till then.
    """
    written = (recipient, subject, *(headers or {}).values())
    if any(character in value for value in written for character in FORBIDDEN_IN_HEADERS):
        raise BadHeader
    if session.scalar(select(OutgoingMail.id).where(OutgoingMail.key == key)):
        return
    mail = OutgoingMail(key=key, recipient=recipient, subject=subject, text=text, created_at=at,
                        secret_until=secret_until, headers=dict(headers or {}))  # fmt: skip
    session.add(mail)
    session.flush()  # the job needs the id
    jobs.enqueue(session, "mail.send", at=at, key=f"mail.send:{mail.id}", mail_id=str(mail.id))


@jobs.handles("mail.send")
def send(resources: Resources, *, at: datetime, mail_id: str) -> None:
    """Send one message outside any transaction: a slow mail server must not hold the database."""
    with resources.sessions.begin() as session:
        mail = session.get_one(OutgoingMail, UUID(mail_id))
        if mail.sent_at is not None or is_stale(mail, at):
            return
        message = compose(
            sender=resources.config.mail_from,
            recipient=mail.recipient,
            subject=mail.subject,
            text=mail.text,
            identity=mail.id.hex,
        )
        for name, value in mail.headers.items():
            del message[name]
            message[name] = value
    resources.mailer.send(message)
    with resources.sessions.begin() as session:
        note_sent(session.get_one(OutgoingMail, UUID(mail_id)), at)


def is_stale(message: OutgoingMail | OutgoingText, at: datetime) -> bool:
    """It held a secret and its time is over: nobody sends it any more, and the secret is forgotten."""
    if message.secret_until is None or at < message.secret_until:
        return False
    message.text = ""
    return True


def note_sent(message: OutgoingMail | OutgoingText, at: datetime) -> None:
    message.sent_at = at
    if message.secret_until is not None:
        message.text = ""
