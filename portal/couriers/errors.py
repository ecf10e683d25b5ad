"""What stands in the way of sending a medium and of confirming that it arrived."""

from portal.errors import Conflict, InvalidInput, NotFound, PortalError, Unavailable, WrongState, mark


class SerialTaken(Conflict):
    code = "medium-serial-taken"
    sentence = mark("A medium with the serial number %(serial)s is on record already.")


class OwnerMissing(InvalidInput):
    code = "medium-owner-missing"
    sentence = mark("Say whose the medium is: the code or the full name of one customer.")


class UnknownMedium(NotFound):
    """`serial` is nobody's."""

    code = "medium-unknown"
    sentence = mark("No medium with the serial number %(serial)s is on record. Add it to the register first.")


class MediumNotFree(WrongState):
    """`state` is a word of MediumState; another delivery has it, or it is not in stock."""

    code = "medium-not-free"
    sentence = mark("The medium %(serial)s is not free: it is not in stock, or another delivery has it.")


class MediumOfAnother(InvalidInput):
    code = "medium-of-another-customer"
    sentence = mark("The medium %(serial)s belongs to another customer.")


class MediumMoveOutOfOrder(WrongState):
    """`state` and `wanted` are words of MediumState."""

    code = "medium-move-out-of-order"
    sentence = mark("This does not follow from where the medium is now.")


class MediumTooSmall(InvalidInput):
    """Bytes: what the kit `needs`, what there `is`; told before anything is written."""

    code = "medium-too-small"
    sentence = mark("The kit needs %(needs)s bytes, and there is room for %(room)s bytes. Nothing was written.")


class MediumDiffers(PortalError):
    """SHA-256, hex: what was written, what was read back."""

    code = "medium-differs"
    status = 409
    sentence = mark(
        "What was read back from the medium differs from what was written (%(read_back)s instead of %(written)s). "
        "Do not send this medium."
    )


class PathNotEmpty(InvalidInput):
    code = "medium-path-taken"
    sentence = mark("There is something else at %(path)s already: choose an empty place or another name.")


class MediumNotEmpty(InvalidInput):
    """`names` are the first of what lies there, each as a quoted string."""

    code = "medium-not-empty"
    sentence = mark("The medium holds something else already: %(names)s. Only the kit travels on it: empty it first.")


class MediumUnwritable(Unavailable):
    code = "medium-unwritable"
    sentence = mark("The medium can't be written or read at %(path)s: %(reason)s")


class NotACourierDelivery(WrongState):
    code = "not-a-courier-delivery"
    sentence = mark("Delivery %(number)s does not go by courier.")


class UnknownDelivery(NotFound):
    code = "delivery-unknown"
    sentence = mark("There is no delivery %(number)s.")


class NotPacked(WrongState):
    code = "consignment-not-packed"
    sentence = mark("Say first which bag or seal and which carrier it goes with.")


class NothingConsigned(WrongState):
    code = "nothing-consigned"
    sentence = mark("No medium was written for this delivery yet.")


class BadTracking(InvalidInput):
    code = "carrier-tracking-malformed"
    sentence = mark("The address must begin with https:// and have {tracking} in its path or query.")


class CarrierTaken(Conflict):
    code = "carrier-taken"
    sentence = mark("A carrier of this name is on record already.")


class NoProof(InvalidInput):
    code = "proof-missing"
    sentence = mark("Say what proves it, or attach a file.")


class ReceiptUnknown(NotFound):
    """A wrong code, a wrong number, a code of another delivery: they look alike."""

    code = "receipt-unknown"
    sentence = mark("There is no receipt with this number and code. Compare both with the slip.")


class TooManyCodes(PortalError):
    code = "too-many-attempts"
    status = 429
    sentence = mark("Too many wrong codes were entered. Wait %(minutes)s minutes, or call support.")


class ReceiptNotOpen(WrongState):
    code = "receipt-not-open"
    sentence = mark("This receipt can't be confirmed now. Call support.")


class SeenDiffers(InvalidInput):
    """`field` is what differs from the record: serial, seal or digest."""

    code = "receipt-differs"
    sentence = mark(
        "This is not what was sent. Look at it once more; if it is really so, choose “Something is wrong” and send it."
    )


class SignatureMissing(InvalidInput):
    code = "signature-missing"
    sentence = mark("Draw your signature, or type your name in its place.")


class NotTheRecipient(InvalidInput):
    code = "not-the-recipient"
    sentence = mark("The receipt is signed by the authorized person, by the name under which the parcel was sent.")


class IncidentClosed(WrongState):
    code = "incident-closed-already"
    sentence = mark("The incident was closed already.")


class PapersGone(WrongState):
    code = "papers-gone"
    sentence = mark("The codes of this parcel can't be printed again: the portal's secret key was changed since.")


class SealUsed(Conflict):
    code = "seal-used"
    sentence = mark("The bag or seal %(seal)s was used for another parcel: each number goes out once.")


class TooManyIncidents(WrongState):
    code = "incidents-too-many"
    sentence = mark("Enough was reported about this parcel already. Call support.")


class AlreadyReplaced(Conflict):
    code = "delivery-replaced-already"
    sentence = mark("Delivery %(number)s is replaced already, by %(by)s.")


class NotReplaceable(WrongState):
    code = "delivery-not-replaceable"
    sentence = mark("Only what was lost, refused, returned or stopped by an incident is sent once more.")
