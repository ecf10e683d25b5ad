"""The ledger's facts in the reader's words."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.deliveries.states import DeliveryState
from portal.entitlements.decision import BASIS_TITLES, Basis, Words, in_words
from portal.errors import mark

STATE_BADGES = {
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
    "size_bytes": mark("Size in bytes"),
    "range": mark("Bytes asked for"),
    "way": mark("Sent by"),
    "basis": mark("Basis"),
    "bytes": mark("Bytes sent"),
    "requests": mark("Requests"),
    "statement": mark("Statement"),
    "sha256": mark("SHA-256"),
    "expected": mark("SHA-256 expected"),
    "told": mark("SHA-256 reported"),
    "user_agent": mark("Program"),
}
EVIDENCE_WORDS = {
    ("way", "portal"): mark("the portal"),
    ("way", "accel"): mark("the web server beside the portal"),
    ("way", "presigned"): mark("the object store"),
    ("statement", "verified"): mark("“I have verified this file”"),
    **{("basis", basis.value): title for basis, title in BASIS_TITLES.items()},
}


def evidence_in(evidence: Mapping[str, Any], translate: Callable[[str], str]) -> list[tuple[str, str]]:
    """What an event has to show, as (label, value), in the order of EVIDENCE_TITLES."""
    shown = []
    for name, title in EVIDENCE_TITLES.items():
        value = evidence.get(name)
        if value is None or value == "":
            continue
        words = f"{value[0]}-{value[1] - 1}" if name == "range" and value[1] > value[0] else str(value)
        known = EVIDENCE_WORDS.get((name, words))
        shown.append((translate(title), translate(known) if known else words))
    return shown


def basis_in(decision: Mapping[str, Any], translate: Callable[[str], str]) -> tuple[str, str]:
    """Why the delivery was allowed: the basis in a word or two, and the rule as a sentence.

    The ledger keeps the sentence in English; with the template kept beside it, it reads in any language.
    """
    title = translate(BASIS_TITLES[Basis(decision["basis"])])
    facts = {name: Words(value) if isinstance(value, list) else value for name, value in decision["facts"].items()}
    template = decision.get("template")
    return title, in_words(template, facts, translate) if template else decision["clause"]
