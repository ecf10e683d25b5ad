"""A holding's facts in the reader's words."""

from collections.abc import Callable

from portal.couriers.states import MEDIUM_KIND_TITLES


def medium_in(kept: str, translate: Callable[[str], str]) -> str:
    """`usb USB-0007`, as a holding keeps kind and serial number, in words; what names no known kind stays as it is."""
    kind, _, serial = kept.partition(" ")
    titles = {known.value: title for known, title in MEDIUM_KIND_TITLES.items()}
    return f"{translate(titles[kind])} {serial}".strip() if kind in titles else kept
