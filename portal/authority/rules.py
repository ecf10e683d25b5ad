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
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Need(StrEnum):
    RECEIVE = "receive"
    SIGN = "sign"


class Lack(StrEnum):
    """Why not; the words go to clients and never change."""

    MISSING = "authority-missing"
    UNCONFIRMED = "authority-unconfirmed"
    EXPIRED = "authority-expired"
    OUT_OF_SCOPE = "authority-out-of-scope"


@dataclass(frozen=True)
class PowerFacts:
    """One power of attorney, frozen. `product_ids` None: all products; [starts_at, ends_at)."""

    id: UUID
    number: str
    state: str
    starts_at: datetime
    ends_at: datetime
    product_ids: frozenset[UUID] | None
    may_receive: bool
    may_sign: bool


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
    raise NotImplementedError
