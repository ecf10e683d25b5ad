"""May this authorized person receive this product for the customer, or sign for it, at this instant? (DESIGN 3.2, 4.)

One pure function over the powers of one person. The nearest reason is told: a power that fits in all but one respect
is told before one that fits in none. In this order:

1. held: a confirmed power, in force at `at`, whose scope has the product, and which gives what is needed
   (`may_receive`, `may_sign`). Of several the one that ends last speaks.
2. `authority-unconfirmed`: such a power waits for the dispatcher.
3. `authority-out-of-scope`: a confirmed power is in force, but not for this product, or not for what is needed.
4. `authority-expired`: a confirmed power for the product has ended (the latest speaks).
5. `authority-missing`: none, or only powers that were revoked, declined or have not begun; the sentence says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.errors import mark

UNCONFIRMED, CONFIRMED, DECLINED, REVOKED = "unconfirmed", "confirmed", "declined", "revoked"
"""The words of PowerState, which the rows are kept by."""


class Need(StrEnum):
    RECEIVE = "receive"
    SIGN = "sign"


class Lack(StrEnum):
    """Why not; the words go to clients and never change."""

    MISSING = "authority-missing"
    UNCONFIRMED = "authority-unconfirmed"
    EXPIRED = "authority-expired"
    OUT_OF_SCOPE = "authority-out-of-scope"


WAITS = mark("Power of attorney %(number)s still waits for the dispatcher's confirmation.")
OTHER_PRODUCTS = mark("Power of attorney %(number)s is in force, but not for this product.")
NOT_GIVEN = {
    Need.RECEIVE: mark("Power of attorney %(number)s does not let this person receive files."),
    Need.SIGN: mark("Power of attorney %(number)s does not let this person sign acts."),
}
ENDED = mark("Power of attorney %(number)s has ended: its last day was %(day)s (%(zone)s).")
NO_POWER = mark("This person has no power of attorney.")
NONE_FOR_PRODUCT = mark("No power of attorney of this person is in force for this product.")
NOT_BEGUN = mark("Power of attorney %(number)s has not begun: its first day is %(day)s (%(zone)s).")
WAS_REVOKED = mark("Power of attorney %(number)s was revoked on %(day)s: %(reason)s")
WAS_DECLINED = mark("The dispatcher declined power of attorney %(number)s on %(day)s: %(reason)s")

ASK_THE_DISPATCHER = mark("The dispatcher can confirm it; the customer's manager can ask once more.")
GIVE_FOR_PRODUCT = mark("The customer's manager can give one that names this product too; the dispatcher confirms it.")
GIVE_WHAT_IS_NEEDED = mark("The customer's manager can give one that allows it; the dispatcher confirms it.")
EXTEND_IT = mark("The customer's manager can extend it with new dates; the dispatcher confirms it.")
GIVE_ONE = mark("The customer's manager can give one; the dispatcher confirms it.")
WAIT_OR_GIVE_ONE = mark("Wait for that day, or the customer's manager gives one that begins earlier.")
GIVE_A_MENDED_ONE = mark("The customer's manager can give one that mends this; the dispatcher confirms it.")


@dataclass(frozen=True)
class PowerFacts:
    """One power of attorney, frozen. `product_ids` None: all products; [starts_at, ends_at).

    `time_zone` is the one in which its days are told; `closed_at` and `closed_because` say when and why it was revoked
    or declined.
    """

    id: UUID
    number: str
    state: str
    starts_at: datetime
    ends_at: datetime
    product_ids: frozenset[UUID] | None
    may_receive: bool
    may_sign: bool
    time_zone: str = "UTC"
    closed_at: datetime | None = None
    closed_because: str = ""

    def covers(self, product_id: UUID) -> bool:
        return self.product_ids is None or product_id in self.product_ids

    def gives(self, need: Need) -> bool:
        return self.may_sign if need is Need.SIGN else self.may_receive

    def is_in_force(self, at: datetime) -> bool:
        """By the calendar alone."""
        return self.starts_at <= at < self.ends_at

    @property
    def first_day(self) -> date:
        return self.starts_at.astimezone(ZoneInfo(self.time_zone)).date()

    @property
    def last_day(self) -> date:
        return (self.ends_at - timedelta(microseconds=1)).astimezone(ZoneInfo(self.time_zone)).date()


@dataclass(frozen=True)
class Held:
    """The person may; by which power, until when."""

    power: PowerFacts


@dataclass(frozen=True)
class Lacking:
    """The person may not. `clause` and `remedy` are marked sentences filled from `facts`; `power_id` the nearest."""

    code: Lack
    clause: str
    remedy: str
    power_id: UUID | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def authority(powers: Sequence[PowerFacts], product_id: UUID, need: Need, at: datetime) -> Held | Lacking:
    """The answer, from frozen facts; no I/O."""
    running = [power for power in powers if power.is_in_force(at)]
    fitting = [power for power in running if power.covers(product_id) and power.gives(need)]
    held = _in_state(fitting, CONFIRMED)
    if held:
        return Held(_last(held))
    waiting = _in_state(fitting, UNCONFIRMED)
    if waiting:
        return _lacking(Lack.UNCONFIRMED, _last(waiting), WAITS, ASK_THE_DISPATCHER)
    beside = _in_state(running, CONFIRMED)
    if beside:
        return _out_of_scope(beside, product_id, need)
    ended = [power for power in _in_state(powers, CONFIRMED) if power.ends_at <= at and power.covers(product_id)]
    if ended:
        return _lacking(Lack.EXPIRED, _last(ended), ENDED, EXTEND_IT, day=_last(ended).last_day)
    return _missing(powers, product_id, need, at)


def _out_of_scope(powers: Sequence[PowerFacts], product_id: UUID, need: Need) -> Lacking:
    covering = [power for power in powers if power.covers(product_id)]
    if not covering:
        return _lacking(Lack.OUT_OF_SCOPE, _last(powers), OTHER_PRODUCTS, GIVE_FOR_PRODUCT)
    return _lacking(Lack.OUT_OF_SCOPE, _last(covering), NOT_GIVEN[need], GIVE_WHAT_IS_NEEDED)


def _missing(powers: Sequence[PowerFacts], product_id: UUID, need: Need, at: datetime) -> Lacking:
    if not powers:
        return Lacking(Lack.MISSING, NO_POWER, GIVE_ONE)
    fitting = [power for power in powers if power.covers(product_id) and power.gives(need)]
    coming = [power for power in _in_state(fitting, CONFIRMED, UNCONFIRMED) if power.starts_at > at]
    if coming:
        first = min(coming, key=lambda power: (power.starts_at, power.number, power.id))
        return _lacking(Lack.MISSING, first, NOT_BEGUN, WAIT_OR_GIVE_ONE, day=first.first_day)
    closed = [power for power in _in_state(fitting, REVOKED, DECLINED) if power.closed_at is not None]
    if not closed:
        return Lacking(Lack.MISSING, NONE_FOR_PRODUCT, GIVE_ONE)
    latest = max(closed, key=lambda power: (power.closed_at, power.number, power.id))
    day = latest.closed_at.astimezone(ZoneInfo(latest.time_zone)).date() if latest.closed_at else None
    clause, remedy = (WAS_REVOKED, GIVE_ONE) if latest.state == REVOKED else (WAS_DECLINED, GIVE_A_MENDED_ONE)
    return _lacking(Lack.MISSING, latest, clause, remedy, day=day, reason=latest.closed_because)


def _in_state(powers: Sequence[PowerFacts], *states: str) -> list[PowerFacts]:
    return [power for power in powers if power.state in states]


def _last(powers: Sequence[PowerFacts]) -> PowerFacts:
    # The order in which rows come is nobody's: of two that end together the same one speaks, always.
    return max(powers, key=lambda power: (power.ends_at, power.number, power.id))


def _lacking(code: Lack, power: PowerFacts, clause: str, remedy: str, **facts: object) -> Lacking:
    told = {"number": power.number, "zone": power.time_zone, **{name: str(value) for name, value in facts.items()}}
    return Lacking(code, clause, remedy, power.id, told)


class Standing(StrEnum):
    """Where a person's authority stands at a glance, whatever the product."""

    IN_FORCE = "in-force"
    ENDS_SOON = "ends-soon"
    WAITS = "waits"
    COMING = "coming"
    ENDED = "ended"
    REVOKED = "revoked"
    DECLINED = "declined"
    NONE = "none"


SOON = timedelta(days=30)


@dataclass(frozen=True)
class Glance:
    """`power` is the one that says so; None where there is none at all."""

    standing: Standing
    power: PowerFacts | None = None

    def days_left(self, at: datetime) -> int:
        """Until the last day of the power, in its own zone: 0 on that day itself."""
        if self.power is None:
            return 0
        return (self.power.last_day - at.astimezone(ZoneInfo(self.power.time_zone)).date()).days


def glance(powers: Sequence[PowerFacts], at: datetime) -> Glance:
    """The best that can be said: in force before waiting, coming before ended, and the latest of several."""
    confirmed, waiting = _in_state(powers, CONFIRMED), _in_state(powers, UNCONFIRMED)
    running = [power for power in confirmed if power.is_in_force(at)]
    if running:
        last = _last(running)
        is_soon = last.ends_at - at <= SOON and not any(power.ends_at > last.ends_at for power in confirmed)
        return Glance(Standing.ENDS_SOON if is_soon else Standing.IN_FORCE, last)
    for standing, some in (
        (Standing.WAITS, [power for power in waiting if power.ends_at > at]),
        (Standing.COMING, [power for power in confirmed if power.starts_at > at]),
        (Standing.ENDED, [*confirmed, *waiting]),
        (Standing.REVOKED, _in_state(powers, REVOKED)),
        (Standing.DECLINED, _in_state(powers, DECLINED)),
    ):
        if some:
            return Glance(standing, _last(some))
    return Glance(Standing.NONE)
