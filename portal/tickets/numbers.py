"""Ticket numbers: one after the other, none twice, as people read them out on the telephone."""

import re

from sqlalchemy import text
from sqlalchemy.orm import Session

_WRITTEN = re.compile(r"(?:T-?)?0*([1-9][0-9]{0,8})", re.IGNORECASE | re.ASCII)

# The row is made by whoever comes first. Both databases understand this; the update that changes nothing locks the row.
_HOLD = text(
    "INSERT INTO ticket_counter (id, last) VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET last = ticket_counter.last"
)
_TAKE = text("UPDATE ticket_counter SET last = last + 1 WHERE id = 1 RETURNING last")


def hold(session: Session) -> None:
    """Let nobody else open a ticket until this transaction ends."""
    session.execute(_HOLD)


def take(session: Session) -> int:
    """The next number; it is given back when the transaction rolls back, so that none is missing."""
    return int(session.execute(_TAKE).scalar_one())


def as_written(number: int) -> str:
    """`T-000123`."""
    return f"T-{number:06d}"


def parse(written: str) -> int | None:
    """The number in `T-000123`, `t-123` or `123`; None for anything else."""
    found = _WRITTEN.fullmatch(written.strip()) if len(written) <= 40 else None  # noqa: PLR2004 - longer is no number
    return int(found.group(1)) if found else None
