"""Numbers that people read to each other: one after the other in each series, none twice, none missing."""

from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base

# The row is made by whoever comes first. Both databases understand this; it locks the row until the transaction ends.
_TAKE = text(
    "INSERT INTO counters (series, last) VALUES (:series, 1) "
    "ON CONFLICT (series) DO UPDATE SET last = counters.last + 1 RETURNING last"
)


class Counter(Base):
    """The last number given in a series (`delivery`, `act`…)."""

    __tablename__ = "counters"

    series: Mapped[str] = mapped_column(String(40), primary_key=True)
    last: Mapped[int]


def take(session: Session, series: str) -> int:
    """The next number of the series; it is given back when the transaction rolls back, so that none is missing."""
    return int(session.execute(_TAKE, {"series": series}).scalar_one())
