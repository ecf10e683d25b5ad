"""What a delivery still lacks, in words (DESIGN 3.3: issued and received are different events). Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel, DeliveryState
from portal.errors import mark


@dataclass(frozen=True)
class Missing:
    """One thing that is missing: a stable code, and a marked sentence with `%(name)s` for its facts."""

    code: str
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        """The sentence in the reader's language, with its facts."""
        shown = {n: v.sentence_in(translate) if isinstance(v, Missing) else v for n, v in self.facts.items()}
        return translate(self.sentence) % shown


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


_S, _C = DeliveryState, Channel
_NEXT: dict[DeliveryState, dict[Channel | None, tuple[str, str]]] = {
    _S.REQUESTED: {None: ("approval", mark("The dispatcher checks contract and power of attorney, and approves."))},
    _S.APPROVED: {
        _C.EMAIL: ("letter", mark("The dispatcher sends the letter with the link to %(recipient)s.")),
        _C.COURIER: ("medium", mark("The dispatcher writes the medium, reads it back and seals it.")),
        _C.HAND_OVER: ("meeting", mark("The dispatcher makes the files ready to be handed to %(recipient)s.")),
        None: ("preparation", mark("The support centre makes it ready.")),
    },
    _S.PREPARED: {
        _C.EMAIL: ("letter", mark("The dispatcher sends the letter with the link to %(recipient)s.")),
        _C.COURIER: ("dispatch", mark("The dispatcher gives the sealed bag to the courier.")),
        _C.HAND_OVER: ("act", mark("%(recipient)s shows a document, reads the act and signs it with a one-time code.")),
        None: ("work", mark("The support centre carries it out.")),
    },
    _S.DISPATCHED: {
        _C.DOWNLOAD: ("download", mark("The download runs, or waits to be resumed.")),
        _C.EMAIL: ("fetch", mark("%(recipient)s opens the link, enters the one-time code and downloads.")),
        _C.COURIER: ("transit", mark("The courier is on the way to %(place)s.")),
        None: ("transit", mark("It is on the way to %(recipient)s.")),
    },
    _S.DELIVERED: {
        _C.DOWNLOAD: ("confirm", mark("Whoever downloaded confirms that the digest is right.")),
        _C.COURIER: ("receipt", mark("%(recipient)s checks medium, seal and digest, and signs the receipt.")),
        _C.HAND_OVER: ("copies", mark("Both sides receive the signed act.")),
        None: ("confirm", mark("%(recipient)s confirms that the digest is right.")),
    },
    _S.FAILED: {None: ("again", mark("The dispatcher makes it ready again or cancels it."))},
    _S.LOST: {None: ("search", mark("The dispatcher looks for it with the carrier, and sends a replacement."))},
    _S.REFUSED: {
        _C.COURIER: ("return", mark("The medium comes back; the dispatcher finds out why it was refused.")),
        None: ("talk", mark("The dispatcher finds out why it was refused.")),
    },
}
"""Who does what next, by state and channel (None: every other)."""


def next_step(delivery: Delivery) -> Missing | None:
    """What happens next with the delivery, as a sentence saying who does it; None when nothing will."""
    if delivery.is_closed:
        return None
    facts = {
        "recipient": (delivery.recipient or {}).get("name") or delivery.person_name,
        "place": (delivery.destination or {}).get("label") or (delivery.recipient or {}).get("name", ""),
    }
    if delivery.stopped_at is not None:
        return Missing("incident", mark("It is stopped: the dispatcher clears up the incident first."), facts)
    by_channel = _NEXT.get(delivery.state, {})
    found = by_channel.get(delivery.channel) or by_channel.get(None)
    return Missing(*found, facts) if found else None
