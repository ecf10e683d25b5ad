"""Where a medium may be, what may go wrong with a parcel, and their names."""

from enum import StrEnum

from portal.errors import mark


class MediumKind(StrEnum):
    USB = "usb"
    SSD = "ssd"
    SD = "sd"
    DISC = "disc"
    OTHER = "other"


class MediumOwner(StrEnum):
    VENDOR = "vendor"
    CUSTOMER = "customer"


class MediumState(StrEnum):
    IN_STOCK = "in-stock"
    WRITTEN = "written"
    IN_TRANSIT = "in-transit"
    AT_CUSTOMER = "at-customer"
    RETURNED = "returned"
    LOST = "lost"
    DESTROYED = "destroyed"


class WritingOutcome(StrEnum):
    """What reading back said; a writing that was broken off has `failed`."""

    RIGHT = "right"
    DIFFERS = "differs"
    FAILED = "failed"


class IncidentKind(StrEnum):
    BROKEN_SEAL = "broken-seal"
    OTHER_SERIAL = "other-serial"
    WRONG_DIGEST = "wrong-digest"
    OTHER = "other"


class IncidentOutcome(StrEnum):
    """`unfounded`: all is right after all, and the delivery goes on; `stands`: what arrived must not be used."""

    UNFOUNDED = "unfounded"
    STANDS = "stands"


MEDIUM_KIND_TITLES = {
    MediumKind.USB: mark("USB flash drive"),
    MediumKind.SSD: mark("Portable SSD"),
    MediumKind.SD: mark("SD card"),
    MediumKind.DISC: mark("Optical disc"),
    MediumKind.OTHER: mark("Another medium"),
}
MEDIUM_OWNER_TITLES = {MediumOwner.VENDOR: mark("Vendor’s own"), MediumOwner.CUSTOMER: mark("Customer’s own")}
MEDIUM_STATE_TITLES = {
    MediumState.IN_STOCK: mark("In stock"),
    MediumState.WRITTEN: mark("Written"),
    MediumState.IN_TRANSIT: mark("In transit"),
    MediumState.AT_CUSTOMER: mark("With the customer"),
    MediumState.RETURNED: mark("Come back"),
    MediumState.LOST: mark("Medium lost"),
    MediumState.DESTROYED: mark("Destroyed"),
}
WRITING_OUTCOME_TITLES = {
    WritingOutcome.RIGHT: mark("Read back and right"),
    WritingOutcome.DIFFERS: mark("Read back and different"),
    WritingOutcome.FAILED: mark("Broken off"),
}
INCIDENT_TITLES = {
    IncidentKind.BROKEN_SEAL: mark("The seal is broken"),
    IncidentKind.OTHER_SERIAL: mark("The medium has another serial number"),
    IncidentKind.WRONG_DIGEST: mark("The digest is not the right one"),
    IncidentKind.OTHER: mark("Something else is wrong"),
}
INCIDENT_OUTCOME_TITLES = {
    IncidentOutcome.UNFOUNDED: mark("All is right after all: the delivery goes on"),
    IncidentOutcome.STANDS: mark("The difference stands: what arrived must not be used"),
}

_M = MediumState
MEDIUM_MOVES: dict[MediumState, frozenset[MediumState]] = {
    _M.IN_STOCK: frozenset({_M.WRITTEN, _M.LOST, _M.DESTROYED}),
    _M.WRITTEN: frozenset({_M.IN_TRANSIT, _M.IN_STOCK, _M.LOST, _M.DESTROYED}),
    _M.IN_TRANSIT: frozenset({_M.AT_CUSTOMER, _M.RETURNED, _M.LOST, _M.DESTROYED}),
    _M.AT_CUSTOMER: frozenset({_M.RETURNED, _M.LOST, _M.DESTROYED}),
    _M.RETURNED: frozenset({_M.IN_STOCK, _M.LOST, _M.DESTROYED}),
    _M.LOST: frozenset({_M.AT_CUSTOMER, _M.RETURNED, _M.IN_STOCK}),  # what was lost may turn up
    _M.DESTROYED: frozenset(),
}
"""Which state of a medium may follow which."""

NEEDS_PROOF = frozenset({_M.LOST, _M.DESTROYED, _M.RETURNED})
"""States of a medium that somebody has to show: a file or words."""
