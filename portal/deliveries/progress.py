"""What a delivery still lacks, in words (DESIGN 3.3: issued and received are different events). Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel, DeliveryState, EventKind
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


_LACKS: dict[Channel | None, dict[DeliveryState, tuple[str, str]]] = {
    None: {
        DeliveryState.APPROVED: ("not-approved", mark("The dispatcher has not approved it.")),
        DeliveryState.PREPARED: ("not-prepared", mark("Nothing has been made ready.")),
        DeliveryState.DISPATCHED: ("not-dispatched", mark("Nothing has left.")),
        DeliveryState.DELIVERED: ("not-delivered", mark("Nothing shows that it arrived.")),
        DeliveryState.ACKNOWLEDGED: (
            "not-confirmed",
            mark("The recipient has not confirmed that the digest is right."),
        ),
    },
    Channel.EMAIL: {
        DeliveryState.DISPATCHED: ("not-dispatched", mark("No letter has left.")),
        DeliveryState.DELIVERED: (
            "not-delivered",
            mark("The recipient has not downloaded it: a letter that was sent is no receipt."),
        ),
    },
    Channel.COURIER: {
        DeliveryState.PREPARED: ("not-prepared", mark("No medium has been written and read back.")),
        DeliveryState.DISPATCHED: ("not-dispatched", mark("No carrier has taken it.")),
        DeliveryState.DELIVERED: ("not-delivered", mark("The carrier has not handed it in.")),
        DeliveryState.ACKNOWLEDGED: ("not-confirmed", mark("The signed receipt has not come back.")),
    },
    Channel.HAND_OVER: {
        DeliveryState.DELIVERED: ("not-delivered", mark("The act of acceptance is not signed.")),
        DeliveryState.ACKNOWLEDGED: ("not-confirmed", mark("The signed act has not reached both sides.")),
    },
    Channel.REMOTE_INSTALLATION: {
        DeliveryState.DELIVERED: ("not-delivered", mark("It is installed on no device.")),
        DeliveryState.ACKNOWLEDGED: ("not-confirmed", mark("The customer has not confirmed the installation.")),
    },
}
_WAY = (
    DeliveryState.REQUESTED,
    DeliveryState.APPROVED,
    DeliveryState.PREPARED,
    DeliveryState.DISPATCHED,
    DeliveryState.DELIVERED,
    DeliveryState.ACKNOWLEDGED,
)
_STANDS_AT = {
    DeliveryState.FAILED: DeliveryState.APPROVED,
    DeliveryState.LOST: DeliveryState.DISPATCHED,
    DeliveryState.REFUSED: DeliveryState.DISPATCHED,
}
"""How far along the way a delivery is that left it."""


def way_of(channel: Channel) -> tuple[DeliveryState, ...]:
    """The states that a delivery of this channel goes through when all goes well."""
    if channel is Channel.DOWNLOAD:
        return _WAY[3:]
    has_no_way = channel in (Channel.HAND_OVER, Channel.REMOTE_INSTALLATION)
    return tuple(state for state in _WAY if not (has_no_way and state is DeliveryState.DISPATCHED))


def missing(delivery: Delivery) -> list[Missing]:
    """What stands between the delivery and a confirmed receipt; needs its items. Empty when nothing is awaited."""
    if delivery.channel is Channel.DOWNLOAD:
        return _missing_of_download(delivery)
    if delivery.is_closed:
        return []
    way = way_of(delivery.channel)
    stands_at = _STANDS_AT.get(delivery.state, delivery.state)
    ahead = way[way.index(stands_at) + 1 :] if stands_at in way else way[-1:]
    lacks = [Missing(*(_LACKS.get(delivery.channel, {}).get(state) or _LACKS[None][state])) for state in ahead]
    if delivery.stopped_at is not None:
        lacks.insert(0, Missing("incident-open", mark("An incident is open.")))
    return lacks


def _missing_of_download(delivery: Delivery) -> list[Missing]:
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


_STATE_KINDS = frozenset(kind for kind in EventKind if kind.value in set(DeliveryState))
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
        _C.REMOTE_INSTALLATION: ("confirm", mark("%(recipient)s confirms the installation on the update's page.")),
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


@dataclass(frozen=True)
class Stage:
    """One stage of the way: when it was reached (None: not yet), and whether the delivery stands there now."""

    state: DeliveryState
    at: datetime | None
    is_here: bool


def track(delivery: Delivery) -> list[Stage]:
    """The way of the delivery, stage by stage, with the state that it left the way for; needs its events."""
    reached = {DeliveryState(event.kind.value): event.at for event in delivery.events if event.kind in _STATE_KINDS}
    way = list(way_of(delivery.channel))
    stages = [Stage(state, reached.get(state), state is delivery.state) for state in way]
    if delivery.state in way:
        return stages
    done = [stage for stage in stages if stage.at is not None]
    return [*done, Stage(delivery.state, reached.get(delivery.state), is_here=True)]
