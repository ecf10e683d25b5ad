"""The dispatcher's board: what is open, by who has the next step, what is overdue first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from portal.actors import Actor
from portal.deliveries.models import Delivery
from portal.deliveries.queries import Filter, narrowed, seen
from portal.deliveries.states import Channel, DeliveryState
from portal.errors import mark
from portal.releases.models import Release

_S = DeliveryState
CARDS = 25
_GOES_ON = Delivery.stopped_at.is_(None)
_IN_TROUBLE = or_(
    Delivery.stopped_at.is_not(None),
    Delivery.state.in_((_S.FAILED, _S.LOST)),
    and_(Delivery.state == _S.REFUSED, Delivery.channel == Channel.COURIER),
)
_INSTALLING = and_(Delivery.state == _S.PREPARED, Delivery.channel == Channel.REMOTE_INSTALLATION)
_OPEN = Delivery.state.not_in((_S.ACKNOWLEDGED, _S.CANCELLED, _S.RETURNED))


@dataclass(frozen=True)
class Lane:
    """One column: a stable code, a marked title, whether the vendor has the next step, and which deliveries."""

    code: str
    title: str
    is_ours: bool
    which: ColumnElement[bool]


LANES = (
    Lane("trouble", mark("Needs clearing up"), True, and_(_OPEN, _IN_TROUBLE)),
    Lane("requested", mark("To approve"), True, and_(_GOES_ON, Delivery.state == _S.REQUESTED)),
    Lane("approved", mark("To make ready"), True, and_(_GOES_ON, Delivery.state == _S.APPROVED)),
    Lane(
        "prepared",
        mark("To send or hand over"),
        True,
        and_(_GOES_ON, Delivery.state == _S.PREPARED, ~_INSTALLING),
    ),
    Lane(
        "dispatched",
        mark("On the way"),
        False,
        and_(_GOES_ON, or_(Delivery.state == _S.DISPATCHED, _INSTALLING)),
    ),
    Lane("delivered", mark("Receipt awaited"), False, and_(_GOES_ON, Delivery.state == _S.DELIVERED)),
)


@dataclass(frozen=True)
class FilledLane:
    lane: Lane
    rows: Sequence[Delivery]
    count: int
    overdue: int


def board(session: Session, chosen: Filter, at: datetime, *, visible_to: Actor) -> list[FilledLane]:
    """Every lane with its first deliveries and how many there are; seven statements, however many deliveries."""
    counts = _counts(session, chosen, at, visible_to)
    filled = []
    for lane in LANES:
        count, overdue = counts[lane.code]
        rows = session.scalars(_rows(chosen, visible_to).where(lane.which).limit(CARDS)).all() if count else ()
        filled.append(FilledLane(lane, rows, count, overdue))
    return filled


def all_open(chosen: Filter, *, visible_to: Actor) -> Select[Delivery]:
    """What the board shows, as one list: what is due first comes first."""
    return _rows(chosen, visible_to).where(or_(*(lane.which for lane in LANES)))


def _rows(chosen: Filter, visible_to: Actor) -> Select[Delivery]:
    rows = (
        select(Delivery)
        .join(Delivery.release)
        .join(Release.product)
        .where(Delivery.channel != Channel.DOWNLOAD)
        .options(
            joinedload(Delivery.organisation),
            contains_eager(Delivery.release).contains_eager(Release.product),
        )
        .order_by(Delivery.due_at.is_(None), Delivery.due_at, Delivery.number)
    )
    return seen(narrowed(rows, chosen), visible_to)


def _counts(session: Session, chosen: Filter, at: datetime, visible_to: Actor) -> dict[str, tuple[int, int]]:
    """How many there are in each lane, and how many of them are overdue."""
    sums = []
    for lane in LANES:
        sums.append(func.coalesce(func.sum(case((lane.which, 1), else_=0)), 0))
        sums.append(func.coalesce(func.sum(case((and_(lane.which, Delivery.due_at <= at), 1), else_=0)), 0))
    rows = (
        select(*sums)
        .select_from(Delivery)
        .join(Delivery.release)
        .join(Release.product)
        .where(Delivery.channel != Channel.DOWNLOAD)
    )
    found = [int(value) for value in session.execute(seen(narrowed(rows, chosen), visible_to)).one()]
    return {lane.code: (found[2 * place], found[2 * place + 1]) for place, lane in enumerate(LANES)}
