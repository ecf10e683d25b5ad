"""The ledger's facts in the reader's words."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from portal.deliveries.models import Delivery
from portal.deliveries.states import DELIVERY_STATE_TITLES, Channel, DeliveryState
from portal.entitlements.decision import BASIS_TITLES, Basis, Words, in_words, minute
from portal.errors import mark

_OWN_TITLES = {
    (Channel.EMAIL, DeliveryState.DISPATCHED): mark("Letter sent"),
    (Channel.EMAIL, DeliveryState.DELIVERED): mark("Downloaded in full"),
    (Channel.COURIER, DeliveryState.PREPARED): mark("Medium written"),
    (Channel.COURIER, DeliveryState.DISPATCHED): mark("On the way"),
    (Channel.COURIER, DeliveryState.DELIVERED): mark("Arrived"),
    (Channel.COURIER, DeliveryState.ACKNOWLEDGED): mark("Receipt signed"),
    (Channel.HAND_OVER, DeliveryState.PREPARED): mark("Ready to be handed over"),
    (Channel.HAND_OVER, DeliveryState.DELIVERED): mark("Handed over, act signed"),
    (Channel.HAND_OVER, DeliveryState.ACKNOWLEDGED): mark("Both sides have the act"),
    (Channel.REMOTE_INSTALLATION, DeliveryState.DELIVERED): mark("Installed"),
}
STATE_BADGES = {
    DeliveryState.REQUESTED: "warn",
    DeliveryState.APPROVED: "info",
    DeliveryState.PREPARED: "info",
    DeliveryState.DISPATCHED: "info",
    DeliveryState.DELIVERED: "good",
    DeliveryState.ACKNOWLEDGED: "good",
    DeliveryState.CANCELLED: "calm",
    DeliveryState.FAILED: "bad",
    DeliveryState.LOST: "bad",
    DeliveryState.REFUSED: "bad",
    DeliveryState.RETURNED: "warn",
}

EVIDENCE_TITLES = {
    "file": mark("File"),
    "files": mark("Files"),
    "size_bytes": mark("Size in bytes"),
    "range": mark("Bytes asked for"),
    "way": mark("Sent by"),
    "basis": mark("Basis"),
    "reason": mark("Reason"),
    "happened_at": mark("Took place"),
    "recipient": mark("Recipient"),
    "recipient_before": mark("Recipient before"),
    "destination": mark("Destination"),
    "by": mark("Wanted by"),
    "note": mark("Note"),
    "replaces": mark("Stands for"),
    "replaced_by": mark("Replaced by"),
    "authority": mark("Power of attorney"),
    "consent": mark("Consent to remote access"),
    "device": mark("Device"),
    "identity": mark("Document"),
    "medium_serial": mark("Serial number of the medium"),
    "seal": mark("Seal"),
    "carrier": mark("Carrier"),
    "tracking": mark("Tracking number"),
    "message_id": mark("Message"),
    "code_confirmed_at": mark("One-time code confirmed"),
    "act_number": mark("Act"),
    "witness": mark("Witness"),
    "session": mark("Session"),
    "proof": mark("Proof"),
    "told": mark("SHA-256 reported"),
    "told_to": mark("Told to"),
    "due_at": mark("Was due"),
    "answer": mark("What was answered"),
    "status": mark("Status"),
    "bytes": mark("Bytes sent"),
    "requests": mark("Requests"),
    "statement": mark("Statement"),
    "sha256": mark("SHA-256"),
    "read_back_sha256": mark("SHA-256 read back"),
    "text_sha256": mark("SHA-256 of the text signed"),
    "signature_sha256": mark("SHA-256 of the signature"),
    "expected": mark("SHA-256 expected"),
    "user_agent": mark("Program"),
}
"""What an event's evidence is called, in the order in which it is shown; what is not here is kept but not shown."""
EVIDENCE_WORDS = {
    ("way", "portal"): mark("the portal"),
    ("way", "accel"): mark("the web server beside the portal"),
    ("way", "presigned"): mark("the object store"),
    ("way", "link"): mark("a letter with a link"),
    ("way", "attachment"): mark("a letter with the files"),
    ("statement", "verified"): mark("“I have verified this file”"),
    ("statement", "installed"): mark("“We confirm what was installed”"),
    **{("basis", basis.value): title for basis, title in BASIS_TITLES.items()},
}
_UNSAID = frozenset({"language", "key"})
_INSTANTS = frozenset({"happened_at", "code_confirmed_at", "due_at"})
Translate = Callable[[str], str]


def state_title(delivery: Delivery, state: DeliveryState | None = None) -> str:
    """What the delivery's state (or another one of its way) is called in its channel; marked."""
    state = state or delivery.state
    return _OWN_TITLES.get((delivery.channel, state)) or DELIVERY_STATE_TITLES[state]


def evidence_in(evidence: Mapping[str, Any], translate: Translate) -> list[tuple[str, str]]:
    """What an event has to show, as (label, value), in the order of EVIDENCE_TITLES."""
    known = {**(evidence.get("wanted") or {}), **evidence}
    decision = evidence.get("decision")
    if isinstance(decision, Mapping) and "basis" in decision:
        known["basis"] = decision["basis"]
    shown = []
    for name, title in EVIDENCE_TITLES.items():
        words = _words_of(name, known.get(name), translate)
        if words:
            shown.append((translate(title), words))
    return shown


def _words_of(name: str, value: object, translate: Translate) -> str:
    if value is None or value == "":
        return ""
    if name == "range" and isinstance(value, list) and value[1] > value[0]:
        return f"{value[0]}-{value[1] - 1}"
    if name in _INSTANTS:
        return _minute_of(str(value))
    if name == "authority" and isinstance(value, Mapping):
        until = value.get("until")
        return f"{value.get('number', '')} ({translate(UNTIL) % {'until': _minute_of(str(until))}})"
    if isinstance(value, Mapping):
        value = {member: said for member, said in value.items() if member not in _UNSAID}
    words = _flat(value)
    known = EVIDENCE_WORDS.get((name, words))
    return translate(known) if known else words


UNTIL = mark("until %(until)s")


def _flat(value: object) -> str:
    """Whatever JSON holds, in one line: the values of an object, the members of a list."""
    if isinstance(value, Mapping):
        return " · ".join(filter(None, (_flat(member) for member in value.values())))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, (_flat(member) for member in value)))
    return "" if value is None else str(value)


def _minute_of(text: str) -> str:
    try:
        return minute(datetime.fromisoformat(text))
    except ValueError:
        return text


def basis_in(decision: Mapping[str, Any], translate: Callable[[str], str]) -> tuple[str, str]:
    """Why the delivery was allowed: the basis in a word or two, and the rule as a sentence.

    The ledger keeps the sentence in English; with the template kept beside it, it reads in any language.
    """
    title = translate(BASIS_TITLES[Basis(decision["basis"])])
    facts = {name: Words(value) if isinstance(value, list) else value for name, value in decision["facts"].items()}
    template = decision.get("template")
    return title, in_words(template, facts, translate) if template else decision["clause"]
