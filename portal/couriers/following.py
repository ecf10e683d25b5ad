"""What has to be done next with a parcel, and by whom, in plain words. Pure."""

from dataclasses import dataclass

from portal.couriers.models import Consignment
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from portal.errors import mark

_S = DeliveryState


@dataclass(frozen=True)
class Following:
    """The next step: `word` for the page to choose its form by, `title` and `text` marked for translation."""

    word: str
    title: str
    text: str = ""


STOPPED = Following(
    "stopped",
    mark("Stopped: look into what was reported"),
    mark("Nothing goes on until every incident is closed. If the difference stands, send the parcel once more."),
)
FOR_DISPATCHER = {
    _S.REQUESTED: Following("wait", mark("Approve the request first"), mark("It is approved on the delivery’s page.")),
    _S.APPROVED: Following(
        "write",
        mark("Write the medium"),
        mark("Plug it in and run this command on the machine that has the portal. It reads back what it wrote."),
    ),
    _S.FAILED: Following(
        "write",
        mark("Write a medium anew"),
        mark("The last attempt failed. Run this command once more."),
    ),
    _S.DISPATCHED: Following(
        "wait",
        mark("Wait for the receipt"),
        mark("The recipient confirms it with the code of the packing list. Note what the carrier tells meanwhile."),
    ),
    _S.DELIVERED: Following(
        "wait",
        mark("Wait for the receipt"),
        mark("The carrier has brought it; the recipient has not confirmed yet that all is right."),
    ),
    _S.ACKNOWLEDGED: Following("done", mark("Done: the receipt is confirmed and signed")),
    _S.LOST: Following(
        "trouble",
        mark("Lost: send it once more"),
        mark("It goes under a new number. Should the parcel turn up after all, note it here."),
    ),
    _S.REFUSED: Following(
        "trouble", mark("Refused: wait for the medium to come back"), mark("Note it here when it is back.")
    ),
    _S.RETURNED: Following("done", mark("The medium is back; this delivery is over")),
    _S.CANCELLED: Following("done", mark("Cancelled; nothing more to do")),
}
PACK = Following(
    "pack", mark("Pack it: say which seal and which carrier"), mark("The packing list and the labels name them.")
)
HAND = Following(
    "dispatch",
    mark("Print the papers, seal the bag, hand it over to the carrier"),
    mark("Put the packing list into the bag. Then say here when the carrier took it, and its tracking number."),
)
FOR_CUSTOMER = {
    _S.REQUESTED: Following("wait", mark("The vendor looks at your request")),
    _S.APPROVED: Following("wait", mark("The vendor writes the medium")),
    _S.FAILED: Following("wait", mark("The vendor writes the medium")),
    _S.PREPARED: Following("wait", mark("The parcel is made ready for the carrier")),
    _S.DISPATCHED: Following(
        "receive",
        mark("The parcel is on its way to you"),
        mark("When it comes: compare seal and serial number, then confirm with the code of the packing list."),
    ),
    _S.DELIVERED: Following(
        "receive",
        mark("The parcel has arrived: confirm the receipt"),
        mark("Scan the code on the packing list, or type the receipt code."),
    ),
    _S.ACKNOWLEDGED: Following("done", mark("You have confirmed the receipt")),
    _S.LOST: Following("wait", mark("The parcel was lost"), mark("The vendor sends another under a new number.")),
    _S.REFUSED: Following("wait", mark("The parcel goes back to the vendor")),
    _S.RETURNED: Following("done", mark("The parcel is back with the vendor")),
    _S.CANCELLED: Following("done", mark("Cancelled; nothing more to do")),
}
STOPPED_FOR_CUSTOMER = Following(
    "wait",
    mark("Stopped: a difference was reported"),
    mark("Do not use what arrived. The vendor looks into it and tells you."),
)


def following(delivery: Delivery, consignment: Consignment | None, *, is_staff: bool) -> Following:
    """The one next step."""
    if delivery.stopped_at is not None and not delivery.is_closed:
        return STOPPED if is_staff else STOPPED_FOR_CUSTOMER
    if not is_staff:
        return FOR_CUSTOMER[delivery.state]
    if delivery.state is _S.PREPARED:
        return HAND if consignment is not None and consignment.is_packed else PACK
    return FOR_DISPATCHER[delivery.state]
