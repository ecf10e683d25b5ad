"""What a delivery still lacks, in words (DESIGN 3.3: issued and received are different events). Pure."""

from dataclasses import dataclass, field
from typing import Any

from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from portal.errors import mark


@dataclass(frozen=True)
class Missing:
    """One thing that is missing: a stable code, and a marked sentence with `%(name)s` for its facts."""

    code: str
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)


def missing(delivery: Delivery) -> list[Missing]:
    """What stands between the delivery and a confirmed receipt; needs its items. Empty when nothing does."""
    if delivery.state is DeliveryState.ACKNOWLEDGED:
        return []
    lacks = []
    if delivery.state is DeliveryState.DISPATCHED:
        if any(item.is_unseen for item in delivery.items):
            lacks.append(
                Missing(
                    "transfer-unseen", mark("The bytes were sent by another server; whether they arrived is not known.")
                )
            )
        else:
            left = sum(item.size_bytes - item.sent_bytes for item in delivery.items)
            lacks.append(Missing("bytes-left", mark("%(left)s bytes have not left the portal yet."), {"left": left}))
    lacks.append(Missing("not-confirmed", mark("The recipient has not confirmed that the digest is right.")))
    return lacks


def share_sent(delivery: Delivery) -> float:
    """How much of the files has left, from 0 to 1; needs the items."""
    size = sum(item.size_bytes for item in delivery.items)
    return sum(item.sent_bytes for item in delivery.items) / size if size else 1.0
