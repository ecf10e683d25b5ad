"""What an update's event tells, in the reader's language: kept as codes, which no reader should meet."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.errors import mark
from portal.updates.models import UpdateEvent
from portal.updates.states import CHECK_TITLES, STEP_STATE_TITLES, UPDATE_STATE_TITLES, UpdateEventKind

BECAUSE = {
    "finished": mark("finished"),
    "consent-ended": mark("stopped: the customer ended its consent"),
    "consent-expired": mark("stopped: the consent ran out"),
}
"""Why a remote session ended."""
Translate = Callable[[str], str]


def detail_in(event: UpdateEvent, translate: Translate) -> str:
    """The event's detail with titles for its codes; what is no code stays as it was written."""
    words = _WORDS.get(event.kind)
    return words(event.detail, translate) if words else event.detail


def _check(detail: str, translate: Translate) -> str:
    """`backup SN-1: because`, or `files: because`, or `notes`."""
    point, colon, reason = detail.partition(": ")
    name, _space, serial = point.partition(" ")
    said = _title(CHECK_TITLES, name, translate) + (f" ({serial})" if serial else "")
    return f"{said}{colon}{reason}"


def _state(detail: str, translate: Translate) -> str:
    """`done`, or `cancelled: because`."""
    state, colon, reason = detail.partition(": ")
    return f"{_title(UPDATE_STATE_TITLES, state, translate)}{colon}{reason}"


def _step(detail: str, translate: Translate) -> str:
    """`SN-1 → 3: done`, and what was seen in the next lines."""
    first, newline, seen = detail.partition("\n")
    what, colon, state = first.rpartition(": ")
    return f"{what}{colon}{_title(STEP_STATE_TITLES, state, translate)}{newline}{seen}"


def _ended(detail: str, translate: Translate) -> str:
    """`SN-1: finished`."""
    serial, colon, because = detail.rpartition(": ")
    return f"{serial}{colon}{translate(BECAUSE.get(because, because))}"


def _title(titles: Mapping[Any, str], code: str, translate: Translate) -> str:
    return translate(titles[code]) if code in titles else code


_WORDS: dict[UpdateEventKind, Callable[[str, Translate], str]] = {
    UpdateEventKind.CHECK: _check,
    UpdateEventKind.STATE: _state,
    UpdateEventKind.STEP: _step,
    UpdateEventKind.SESSION_ENDED: _ended,
}
