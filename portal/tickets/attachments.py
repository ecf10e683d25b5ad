"""Files beside a ticket: streamed to the store, told by their digest, and never opened by the portal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag
from portal.errors import NotFound
from portal.mailer import clean
from portal.tickets import policy, service
from portal.tickets.desk_models import TicketFile
from portal.tickets.errors import FileTooLarge, NoFile, TooManyFiles
from portal.tickets.models import Ticket
from storage import ObjectStore, Received, TooLarge

MOST_FILES = 500
SAME_WITHIN = timedelta(minutes=1)
NAME_CHARS = 200


class Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class NewFile:
    """A file that lies in the store already. `name` is as its sender called it."""

    name: str
    received: Received
    is_internal: bool = False
    event_id: UUID | None = None


def receive(store: ObjectStore, source: Source, *, limit_bytes: int) -> Received:
    """Keep the bytes; read once, at most a few blocks in memory. Raises FileTooLarge and the store's own errors."""
    try:
        return store.receive(source, limit_bytes=limit_bytes)
    except TooLarge as error:
        raise FileTooLarge(limit=limit_bytes) from error


def attach(session: Session, ticket: Ticket, file: NewFile, *, by: Actor, at: datetime) -> TicketFile:
    """The file stands beside the ticket; internal ones only from who works on it. The same file of the same person
    within a minute is the same click.

    Raises Forbidden, NoFile for one without a byte, TooManyFiles.
    """
    policy.require_answer(by)
    if file.is_internal:
        policy.require_work(by)
    if not file.received.size_bytes:
        raise NoFile
    service.hold(session, ticket)
    held = session.scalar(select(func.count()).select_from(TicketFile).where(TicketFile.ticket_id == ticket.id))
    if (held or 0) >= MOST_FILES:
        raise TooManyFiles(limit=MOST_FILES)
    named = file_name(file.name)
    same = _same(session, ticket, file, named, by=by, at=at)
    if same is not None:
        return same
    row = TicketFile(
        ticket_id=ticket.id,
        event_id=file.event_id,
        person_id=by.person_id,
        person_name=by.name,
        by_staff=by.is_staff,
        is_internal=file.is_internal,
        name=named,
        key=file.received.key,
        sha256=file.received.sha256,
        size_bytes=file.received.size_bytes,
        created_at=at,
    )
    session.add(row)
    service.record(session, Tag.TICKET_FILE, ticket, by=by, at=at, file=row.name, sha256=row.sha256,
                   internal=row.is_internal)  # fmt: skip
    return row


def files(session: Session, ticket: Ticket, *, visible_to: Actor) -> Sequence[TicketFile]:
    """The oldest first; for a customer without the internal ones."""
    rows = select(TicketFile).where(TicketFile.ticket_id == ticket.id)
    if not policy.sees_internal(visible_to):
        rows = rows.where(TicketFile.is_internal.is_(False))
    return session.scalars(rows.order_by(TicketFile.created_at, TicketFile.name, TicketFile.id)).all()


def get(session: Session, ticket: Ticket, file_id: UUID, *, visible_to: Actor) -> TicketFile:
    """One file of a ticket that the actor may see. Raises NotFound."""
    found = session.get(TicketFile, file_id)
    if found is None or found.ticket_id != ticket.id or (found.is_internal and not policy.sees_internal(visible_to)):
        raise NotFound
    return found


def _same(
    session: Session, ticket: Ticket, file: NewFile, named: str, *, by: Actor, at: datetime
) -> TicketFile | None:  # fmt: skip
    rows = select(TicketFile).where(
        TicketFile.ticket_id == ticket.id,
        TicketFile.event_id == file.event_id,
        TicketFile.person_id == by.person_id,
        TicketFile.is_internal == file.is_internal,
        TicketFile.key == file.received.key,
        TicketFile.name == named,
        TicketFile.created_at > at - SAME_WITHIN,
    )
    return session.scalar(rows.limit(1))


def file_name(written: str) -> str:
    """The last part of the name, in one line, of signs that can be shown; never a path and never empty."""
    last = clean(written.replace("\\", "/").rpartition("/")[2]).strip(". ")
    if len(last) > NAME_CHARS:
        stem, dot, end = last.rpartition(".")
        kept = dot + end if stem and len(end) <= 20 else ""  # noqa: PLR2004 - longer is no ending
        last = last[: NAME_CHARS - len(kept)] + kept
    return last or "file"
