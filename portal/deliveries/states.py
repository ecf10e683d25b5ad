"""What a delivery may go through, channel by channel, and what proves each step (DESIGN 3.3). One table each."""

from enum import StrEnum

from portal.errors import mark


class Channel(StrEnum):
    DOWNLOAD = "download"
    EMAIL = "email"
    COURIER = "courier"
    HAND_OVER = "hand-over"
    REMOTE_INSTALLATION = "remote-installation"


class DeliveryState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    PREPARED = "prepared"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"
    REFUSED = "refused"
    RETURNED = "returned"


DELIVERY_STATE_TITLES = {
    DeliveryState.REQUESTED: mark("Requested"),
    DeliveryState.APPROVED: mark("Delivery approved"),
    DeliveryState.PREPARED: mark("Prepared"),
    DeliveryState.DISPATCHED: mark("Issued"),
    DeliveryState.DELIVERED: mark("Transferred in full"),
    DeliveryState.ACKNOWLEDGED: mark("Receipt confirmed"),
    DeliveryState.CANCELLED: mark("Cancelled"),
    DeliveryState.FAILED: mark("Failed"),
    DeliveryState.LOST: mark("Lost"),
    DeliveryState.REFUSED: mark("Refused by the recipient"),
    DeliveryState.RETURNED: mark("Returned"),
}

CHANNEL_TITLES = {
    Channel.DOWNLOAD: mark("By download"),
    Channel.EMAIL: mark("E-mail"),
    Channel.COURIER: mark("Courier"),
    Channel.HAND_OVER: mark("Hand-over in person"),
    Channel.REMOTE_INSTALLATION: mark("Remote installation"),
}

_S = DeliveryState
_PREPARING = {
    _S.REQUESTED: {_S.APPROVED, _S.CANCELLED},
    _S.APPROVED: {_S.PREPARED, _S.CANCELLED},
    _S.FAILED: {_S.PREPARED, _S.CANCELLED},
}
TRANSITIONS: dict[Channel, dict[DeliveryState, set[DeliveryState]]] = {
    # The decision approves and the link prepares: a download begins issued. Who shows the right digest has received
    # the bytes, even where another server sent them and the portal could not see it.
    Channel.DOWNLOAD: {_S.DISPATCHED: {_S.DELIVERED, _S.ACKNOWLEDGED}, _S.DELIVERED: {_S.ACKNOWLEDGED}},
    Channel.EMAIL: _PREPARING
    | {
        _S.PREPARED: {_S.DISPATCHED, _S.CANCELLED},
        _S.DISPATCHED: {_S.DELIVERED, _S.ACKNOWLEDGED, _S.FAILED, _S.CANCELLED},
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.REFUSED},
    },
    Channel.COURIER: _PREPARING
    | {
        _S.PREPARED: {_S.DISPATCHED, _S.CANCELLED, _S.FAILED},
        _S.DISPATCHED: {_S.DELIVERED, _S.LOST, _S.REFUSED, _S.RETURNED},
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.REFUSED, _S.RETURNED},
        _S.LOST: {_S.DELIVERED, _S.RETURNED},  # what was lost may turn up
        _S.REFUSED: {_S.RETURNED},
    },
    Channel.HAND_OVER: _PREPARING
    | {
        _S.PREPARED: {_S.DELIVERED, _S.REFUSED, _S.FAILED, _S.CANCELLED},  # failed: nobody came
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.RETURNED},
    },
    Channel.REMOTE_INSTALLATION: _PREPARING
    | {
        _S.PREPARED: {_S.DELIVERED, _S.FAILED, _S.CANCELLED},
        _S.DELIVERED: {_S.ACKNOWLEDGED, _S.FAILED},
    },
}
"""Which state may follow which, channel by channel (DESIGN 3.3)."""

_REASON = frozenset({"reason"})
_ANY_CHANNEL: dict[DeliveryState, frozenset[str]] = {
    _S.REQUESTED: frozenset({"wanted"}),
    _S.APPROVED: frozenset({"decision", "authority"}),
    _S.PREPARED: frozenset({"sha256"}),
    _S.CANCELLED: _REASON,
    _S.FAILED: _REASON,
    _S.LOST: frozenset({"reason", "proof"}),
    _S.REFUSED: _REASON,
    _S.RETURNED: frozenset({"reason", "proof"}),
}
PROOFS: dict[Channel, dict[DeliveryState, frozenset[str]]] = {
    Channel.DOWNLOAD: {
        _S.DISPATCHED: frozenset({"decision"}),
        _S.DELIVERED: frozenset({"bytes"}),
        _S.ACKNOWLEDGED: frozenset(),  # a digest or a statement; `service.confirm` asks for one of them
    },
    Channel.EMAIL: _ANY_CHANNEL
    | {
        _S.DISPATCHED: frozenset({"message_id", "recipient", "decision", "authority"}),
        _S.DELIVERED: frozenset({"bytes", "code_confirmed_at"}),
        _S.ACKNOWLEDGED: frozenset({"statement"}),
    },
    Channel.COURIER: _ANY_CHANNEL
    | {
        _S.PREPARED: frozenset({"sha256", "medium_serial", "read_back_sha256"}),
        _S.DISPATCHED: frozenset({"seal", "carrier", "tracking", "happened_at", "decision", "authority"}),
        _S.DELIVERED: frozenset({"happened_at", "proof"}),
        _S.ACKNOWLEDGED: frozenset({"medium_serial", "seal", "sha256", "signature_sha256"}),
    },
    Channel.HAND_OVER: _ANY_CHANNEL
    | {
        _S.DELIVERED: frozenset(
            {"act_number", "text_sha256", "signature_sha256", "code_confirmed_at", "identity", "decision", "authority"}
        ),
        _S.ACKNOWLEDGED: frozenset({"act_number", "text_sha256"}),
    },
    Channel.REMOTE_INSTALLATION: _ANY_CHANNEL
    | {
        _S.APPROVED: frozenset({"decision", "consent"}),
        _S.DELIVERED: frozenset({"session", "decision"}),
        _S.ACKNOWLEDGED: frozenset({"statement"}),
    },
}
"""What must stand in the evidence of the event that leads to a state; none of it may be empty."""

FIRST_STATES = dict.fromkeys(Channel, _S.REQUESTED) | {Channel.DOWNLOAD: _S.DISPATCHED}
HELD_STATES = (_S.DELIVERED, _S.ACKNOWLEDGED)
"""The customer has the bytes."""
CLOSED_STATES = (_S.ACKNOWLEDGED, _S.CANCELLED, _S.RETURNED)
"""Nobody has anything left to do."""
BY_ATTACHMENT = "attachment"
"""The `way` of a letter that carries the files themselves, in the evidence of its entry."""
WHILE_STOPPED = (_S.CANCELLED, _S.REFUSED, _S.RETURNED, _S.LOST)
"""The only steps of a delivery that an open incident has stopped."""


class EventKind(StrEnum):
    """Every kind of entry in the ledger. Those named like a state lead to it; the others note what happened."""

    REQUESTED = "requested"
    APPROVED = "approved"
    PREPARED = "prepared"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"
    REFUSED = "refused"
    RETURNED = "returned"
    GRANTED = "granted"
    RESUMED = "resumed"
    TRANSFERRED = "transferred"
    DIGEST_DIFFERS = "digest-differs"
    CONFIRMED = "confirmed"
    LINK_OPENED = "link-opened"
    LINK_WITHDRAWN = "link-withdrawn"
    LINK_RENEWED = "link-renewed"
    MESSAGE_ARRIVED = "message-arrived"
    CODE_SENT = "code-sent"
    CODE_WRONG = "code-wrong"
    CODE_RIGHT = "code-right"
    AGREEMENT_ACCEPTED = "agreement-accepted"
    BOUNCED = "bounced"
    DELAYED = "delayed"
    MEDIUM_WRITTEN = "medium-written"
    MEDIUM_DIFFERS = "medium-differs"
    MEDIUM_RETURNED = "medium-returned"
    MEDIUM_DESTROYED = "medium-destroyed"
    RECEIPT_OPENED = "receipt-opened"
    INCIDENT_OPENED = "incident-opened"
    INCIDENT_CLOSED = "incident-closed"
    REMINDED = "reminded"
    REPLACED = "replaced"
    IDENTITY_CHECKED = "identity-checked"
    RECALL_TOLD = "recall-told"
    RECALL_ANSWERED = "recall-answered"
    INSTALLED = "installed"
    CORRECTED = "corrected"


EVENT_TITLES = {
    EventKind.REQUESTED: mark("Delivery requested"),
    EventKind.APPROVED: mark("Approved by the dispatcher"),
    EventKind.PREPARED: mark("Prepared"),
    EventKind.DISPATCHED: mark("Dispatched"),
    EventKind.DELIVERED: mark("Delivered"),
    EventKind.ACKNOWLEDGED: mark("Receipt acknowledged"),
    EventKind.CANCELLED: mark("Cancelled"),
    EventKind.FAILED: mark("Failed"),
    EventKind.LOST: mark("Lost"),
    EventKind.REFUSED: mark("Refused by the recipient"),
    EventKind.RETURNED: mark("Returned"),
    EventKind.GRANTED: mark("Issued"),
    EventKind.RESUMED: mark("Connected again"),
    EventKind.TRANSFERRED: mark("All bytes have left the portal"),
    EventKind.DIGEST_DIFFERS: mark("The recipient reported another digest"),
    EventKind.CONFIRMED: mark("The recipient confirmed the digest"),
    EventKind.LINK_OPENED: mark("The link was opened"),
    EventKind.LINK_WITHDRAWN: mark("The link was withdrawn"),
    EventKind.LINK_RENEWED: mark("A new link was sent"),
    EventKind.MESSAGE_ARRIVED: mark("The message reached the recipient's mail server"),
    EventKind.CODE_SENT: mark("A one-time code was sent"),
    EventKind.CODE_WRONG: mark("A wrong code was entered"),
    EventKind.CODE_RIGHT: mark("The one-time code was right"),
    EventKind.AGREEMENT_ACCEPTED: mark("The agreement was accepted"),
    EventKind.BOUNCED: mark("The message came back"),
    EventKind.DELAYED: mark("The message is delayed"),
    EventKind.MEDIUM_WRITTEN: mark("The medium was written and read back"),
    EventKind.MEDIUM_DIFFERS: mark("What was read back differs from what was written"),
    EventKind.MEDIUM_RETURNED: mark("The medium came back; the receipt stands"),
    EventKind.MEDIUM_DESTROYED: mark("The medium was destroyed"),
    EventKind.RECEIPT_OPENED: mark("The recipient opened the receipt"),
    EventKind.INCIDENT_OPENED: mark("An incident was opened"),
    EventKind.INCIDENT_CLOSED: mark("The incident was closed"),
    EventKind.REMINDED: mark("A reminder was sent"),
    EventKind.REPLACED: mark("Replaced by another delivery"),
    EventKind.IDENTITY_CHECKED: mark("The identity was checked"),
    EventKind.RECALL_TOLD: mark("The holder was told of the withdrawal"),
    EventKind.RECALL_ANSWERED: mark("The holder answered the withdrawal"),
    EventKind.INSTALLED: mark("Installed on one more device"),
    EventKind.CORRECTED: mark("A correction was noted"),
}
