"""By when a delivery has to move on, from the state it is in. Pure.

What counts is a day's work for whoever has the next step: a dispatcher answers on the next working day, a courier is
given two weeks, a recipient one week. A day that the customer asked for (`wanted_by`) makes the time before dispatch
shorter, never longer. After the due date the delivery is overdue: it stands first on the board, and those who have
the next step are reminded once.
"""

from datetime import UTC, date, datetime, time, timedelta

from portal.deliveries.states import Channel, DeliveryState

_S, _C = DeliveryState, Channel
DAY = timedelta(days=1)
SATURDAY = 5
DUE_IN: dict[DeliveryState, dict[Channel | None, timedelta]] = {
    _S.REQUESTED: {None: DAY},
    _S.APPROVED: {_C.EMAIL: DAY, None: 3 * DAY},
    _S.PREPARED: {_C.HAND_OVER: 14 * DAY, None: 2 * DAY},
    _S.DISPATCHED: {None: 14 * DAY},
    _S.DELIVERED: {None: 7 * DAY},
    _S.FAILED: {None: 2 * DAY},
    _S.LOST: {None: 14 * DAY},
}
"""How long a state may last, by channel (None: every other). What is not here waits for nobody, or nobody can say."""
_REFUSED_MEDIUM_IS_BACK_IN = 14 * DAY
_BY_WORKING_DAYS = (_S.REQUESTED, _S.APPROVED, _S.PREPARED, _S.FAILED)
"""The vendor's own steps: nobody takes them on a Saturday or Sunday."""
_BEFORE_DISPATCH = (_S.REQUESTED, _S.APPROVED, _S.PREPARED)
STOPPED_FOR = 2 * DAY
"""An incident has to be looked into within this time."""


def due_at(channel: Channel, state: DeliveryState, since: datetime, wanted_by: date | None) -> datetime | None:
    """When a delivery that entered the state at `since` is overdue; None where nothing more is awaited."""
    if channel is _C.DOWNLOAD:
        return None
    if state is _S.REFUSED:
        return since + _REFUSED_MEDIUM_IS_BACK_IN if channel is _C.COURIER else None
    lasts = DUE_IN.get(state, {})
    allowed = lasts.get(channel, lasts.get(None))
    if allowed is None:
        return None
    due = _after_working_days(since, allowed.days) if state in _BY_WORKING_DAYS else since + allowed
    if wanted_by is not None and state in _BEFORE_DISPATCH:
        end = datetime.combine(wanted_by + DAY, time(), UTC)
        due = max(since, min(due, end))
    return due


def _after_working_days(since: datetime, days: int) -> datetime:
    moment = since
    while days:
        moment += DAY
        days -= moment.astimezone(UTC).weekday() < SATURDAY
    return moment
