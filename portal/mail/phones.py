"""Post a text message to a telephone with the rows it follows from; it is sent after they are committed, once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.jobs import service as jobs
from portal.mail.models import OutgoingText
from portal.mail.service import is_stale, note_sent
from portal.resources import Resources


def post_text(session: Session, *, key: str, phone: str, text: str, at: datetime,
              secret_until: datetime | None = None) -> None:  # fmt: skip
    """Queue one text message; `key` and `secret_until` are as with letters."""
    if session.scalar(select(OutgoingText.id).where(OutgoingText.key == key)):
        return
    row = OutgoingText(key=key, phone=phone, text=text, created_at=at, secret_until=secret_until)
    session.add(row)
    session.flush()  # the job needs the id
    jobs.enqueue(session, "texts.send", at=at, key=f"texts.send:{row.id}", text_id=str(row.id))


@jobs.handles("texts.send")
def send(resources: Resources, *, at: datetime, text_id: str) -> None:
    """Send one text message outside any transaction: a slow gateway must not hold the database."""
    with resources.sessions.begin() as session:
        row = session.get_one(OutgoingText, UUID(text_id))
        if row.sent_at is not None or is_stale(row, at):
            return
        phone, text = row.phone, row.text
    resources.texter.send(phone, text, identity=text_id)
    with resources.sessions.begin() as session:
        note_sent(session.get_one(OutgoingText, UUID(text_id)), at)
