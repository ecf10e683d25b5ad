"""Is the record whole? Walked from the first link to the last, and held against the signed checkpoints (DESIGN 4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.checkpoints import Checkpoint
from portal.audit.models import AuditEvent, AuditHead
from portal.audit.service import GENESIS, hash_of
from portal.db import reading

PAGE_ROWS = 1000
NEIGHBOURHOOD = 2000
"""How far a displaced row is looked for around the place where it was found."""

UNREADABLE = (LookupError, ValueError, TypeError)
"""What reading a row raises when a word, an instant or JSON in it is none any more."""


class Kind(StrEnum):
    """What is wrong with the first bad row."""

    ALTERED = "altered"
    MISSING = "missing"
    REORDERED = "reordered"
    BROKEN_LINK = "broken-link"
    CUT_TAIL = "cut-tail"
    REWRITTEN = "rewritten"
    HEAD_ALTERED = "head-altered"
    UNCHAINED = "unchained"


SENTENCES = {
    Kind.ALTERED: "the row's content is not what its hash was made of",
    Kind.MISSING: "the row is missing",
    Kind.REORDERED: "the row stood in another place when it was written",
    Kind.BROKEN_LINK: "the row does not follow from the one before it: that one was replaced, or this link was",
    Kind.CUT_TAIL: "the row and all after it were cut off",
    Kind.REWRITTEN: "the chain up to this row is not the one that a checkpoint was signed for",
    Kind.HEAD_ALTERED: "the head of the chain is not this last row",
    Kind.UNCHAINED: "the row was put in past the head of the chain",
}


@dataclass(frozen=True)
class Fault:
    """The first bad row: its sequence number, and what is wrong there."""

    sequence: int
    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        return f"row {self.sequence}: {self.kind.value}: {SENTENCES[self.kind]}{self.detail and f' ({self.detail})'}."


@dataclass(frozen=True)
class Whole:
    """Nothing is wrong with this many events, the last of which is `sequence`."""

    sequence: int
    hash: str


def verify(session: Session, checkpoints: Sequence[Checkpoint] = ()) -> Whole | Fault:
    """Walk the chain a page at a time. `checkpoints` are those whose signatures were found good.

    Load the checkpoints before this is called: events that come in meanwhile are then no contradiction.
    """
    reading(session)
    head = session.scalars(select(AuditHead).where(AuditHead.id == 1)).one_or_none()
    if head is None:
        return Fault(0, Kind.HEAD_ALTERED, "the head is missing")
    walked = _walk(_rows(session, up_to=head.sequence), _by_sequence(checkpoints))
    if isinstance(walked, Fault):
        return walked
    latest = max(checkpoints, key=lambda checkpoint: checkpoint.sequence, default=None)
    if walked.sequence < head.sequence:
        return Fault(walked.sequence + 1, Kind.CUT_TAIL, f"the head says {head.sequence}")
    if latest and latest.sequence > walked.sequence:
        return Fault(walked.sequence + 1, Kind.CUT_TAIL, f"{latest.key} says {latest.sequence}")
    if walked.hash != head.hash:
        return Fault(walked.sequence, Kind.HEAD_ALTERED)
    return _nothing_beyond(session, head) or walked


def _walk(rows: Iterator[AuditEvent | Fault], checkpoints: Mapping[int, Sequence[Checkpoint]]) -> Whole | Fault:
    last = Whole(0, GENESIS)
    for row in rows:
        link = _link(row, last)
        if isinstance(link, Fault):
            return link
        for checkpoint in checkpoints.get(link.sequence, ()):
            if checkpoint.hash != link.hash:
                return Fault(link.sequence, Kind.REWRITTEN, checkpoint.key)
        last = link
    return last


def _link(row: AuditEvent | Fault, last: Whole) -> Whole | Fault:
    """The chain with one more row, or what is wrong with that row."""
    expected = last.sequence + 1
    if row.sequence != expected:
        return Fault(expected, Kind.MISSING) if row.sequence > expected else Fault(row.sequence, Kind.UNCHAINED)
    if isinstance(row, Fault):
        return row  # it stands where it should, and can't be read
    if hash_of(row) != row.hash:
        return Fault(row.sequence, Kind.REORDERED if _stood_elsewhere(row) else Kind.ALTERED)
    if row.previous_hash != last.hash:
        return Fault(row.sequence, Kind.BROKEN_LINK)
    return Whole(row.sequence, row.hash)


def _stood_elsewhere(row: AuditEvent) -> bool:
    around = range(max(1, row.sequence - NEIGHBOURHOOD), row.sequence + NEIGHBOURHOOD)
    return any(hash_of(row, sequence=number) == row.hash for number in around)


def _rows(session: Session, *, up_to: int) -> Iterator[AuditEvent | Fault]:
    """Every row in order; a Fault in place of one that can't even be read."""
    below: int | None = None
    while True:
        page = _page(session, up_to, below)
        yield from page
        if len(page) < PAGE_ROWS:
            return
        below = page[-1].sequence
        session.expunge_all()  # a million rows must not stay in memory


def _page(session: Session, up_to: int, below: int | None) -> Sequence[AuditEvent | Fault]:
    wanted = AuditEvent.sequence <= up_to
    if below is not None:
        wanted &= AuditEvent.sequence > below
    try:
        return session.scalars(select(AuditEvent).where(wanted).order_by(AuditEvent.sequence).limit(PAGE_ROWS)).all()
    except UNREADABLE:
        numbers = select(AuditEvent.sequence).where(wanted).order_by(AuditEvent.sequence).limit(PAGE_ROWS)
        return [_one(session, number) for number in session.scalars(numbers).all()]


def _one(session: Session, sequence: int) -> AuditEvent | Fault:
    try:
        return session.scalars(select(AuditEvent).where(AuditEvent.sequence == sequence)).one()
    except UNREADABLE as error:
        return Fault(sequence, Kind.ALTERED, f"unreadable: {error}")


def _by_sequence(checkpoints: Sequence[Checkpoint]) -> dict[int, list[Checkpoint]]:
    found: dict[int, list[Checkpoint]] = {}
    for checkpoint in checkpoints:
        found.setdefault(checkpoint.sequence, []).append(checkpoint)
    return found


def _nothing_beyond(session: Session, head: AuditHead) -> Fault | None:
    """A row past the head is fine only if the head has moved on meanwhile."""
    last = session.scalar(select(func.max(AuditEvent.sequence))) or 0
    now = session.scalar(select(AuditHead.sequence).where(AuditHead.id == 1)) or 0
    return Fault(head.sequence + 1, Kind.UNCHAINED) if last > max(now, head.sequence) else None
