"""What stands in the way of taking a file or of recording how it was received."""

from collections.abc import Callable
from uuid import UUID

from portal.authority.mending import Way, way_to_mend
from portal.authority.rules import Lacking, Need
from portal.entitlements.decision import RefusalCode, in_words
from portal.entitlements.decision import Refused as RefusedDecision
from portal.errors import InvalidInput, Refused, WrongState, mark


class NotEntitled(Refused):
    """The decision's own words and code: `contract-expired`, `withdrawn`, `agreement-required`… (DESIGN 3.2)."""

    code = "not-entitled"

    def __init__(self, decision: RefusedDecision, release_id: UUID) -> None:
        until = {"until": decision.until.isoformat()} if decision.until else {}
        super().__init__(release_id=release_id, remedy=decision.remedy_in(str), **until)
        self.decision = decision
        self.code = decision.code.value
        needs_consent = decision.code is RefusalCode.AGREEMENT_REQUIRED
        label = mark("To the agreement") if needs_consent else mark("Why, and what would change it")
        self.ways = ((label, "entitlements.why", {"release_id": release_id}),)

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return self.decision.sentence_in(translate)

    def __str__(self) -> str:
        return self.decision.sentence_in(str)


class StepOutOfOrder(WrongState):
    """`state` and `wanted` are words of DeliveryState."""

    code = "delivery-step-out-of-order"
    sentence = mark("This step does not follow from where the delivery stands now.")


class DigestDiffers(InvalidInput):
    """What the recipient computed is not the file's digest; `expected` and `told` are SHA-256, hex."""

    code = "digest-differs"
    sentence = mark(
        "The digest is not that of this file: it must be %(expected)s. The file you have is damaged or another one; "
        "download it again, and do not install it."
    )


class DeliveryStopped(WrongState):
    code = "delivery-stopped"
    sentence = mark("Delivery %(number)s is stopped by an open incident; close the incident first.")


class ProofMissing(InvalidInput):
    """`missing` are the names of the evidence that the step needs and has not."""

    code = "delivery-proof-missing"
    sentence = mark("This step needs its proof: %(missing)s.")


class TimeBeforeLastStep(InvalidInput):
    code = "delivery-time-before-last-step"
    sentence = mark("This can't have happened before the step before it, which was at %(last)s.")


class TimeInFuture(InvalidInput):
    code = "delivery-time-in-future"
    sentence = mark("This can't have happened yet.")


class NotAuthorized(Refused):
    """The recipient's authority does not hold: `authority-missing`, `authority-expired`… (DESIGN 3.2, point 4).

    `ways` leads the customer's manager to the page that mends exactly this.
    """

    code = "authority-missing"

    def __init__(
        self, lacking: Lacking, recipient_id: UUID | None, product_id: UUID | None = None, need: Need = Need.RECEIVE
    ) -> None:
        super().__init__(recipient_id=recipient_id)
        self.lacking = lacking
        self.code = lacking.code.value
        self.ways: tuple[Way, ...] = ()
        if recipient_id is not None and product_id is not None:
            self.ways = (way_to_mend(lacking, recipient_id, product_id, need),)

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        clause = in_words(self.lacking.clause, self.lacking.facts, translate)
        return f"{clause} {in_words(self.lacking.remedy, self.lacking.facts, translate)}".strip()

    def __str__(self) -> str:
        return self.sentence_in(str)


class NothingWanted(InvalidInput):
    code = "nothing-wanted"
    sentence = mark("Choose at least one release, and at least one file of each.")


class TooManyReleases(InvalidInput):
    code = "too-many-releases"
    sentence = mark("One request is for %(limit)s releases at most.")


class FileNotInRelease(InvalidInput):
    code = "file-not-in-release"
    sentence = mark("A file that you chose is not one of release %(version)s.")


class ChannelNotOffered(InvalidInput):
    """`channel` is a word of Channel."""

    code = "channel-not-offered"
    sentence = mark("A delivery is asked for by e-mail, by courier or as a hand-over in person.")


class AddressMissing(InvalidInput):
    code = "address-missing"
    sentence = mark("A courier needs an address: choose one of the address book.")


class WantedDayPast(InvalidInput):
    code = "wanted-day-past"
    sentence = mark("The day by which you want it has passed.")


class RequestRepeated(InvalidInput):
    """The same submission (page) or Idempotency-Key (API) came with other content."""

    code = "submission-reused"
    sentence = mark("This request was sent before with other content, and is kept as it was. Send it as a new one.")


class RecipientMoved(Refused):
    """The recipient is reached elsewhere than when the delivery was asked for: the former mailbox may be another's."""

    code = "recipient-moved"
    sentence = mark(
        "The recipient of delivery %(number)s has another e-mail address now. Choose the recipient anew on its page:"
        " no link and no code goes to a former address."
    )


class OwnRequest(Refused):
    """Who asked for a delivery is not who lets it go."""

    code = "own-request"
    sentence = mark("You asked for delivery %(number)s yourself: a second person has to approve it.")


class RecipientFixed(WrongState):
    code = "recipient-fixed"
    sentence = mark(
        "The kit of delivery %(number)s has been made out to its recipient. Cancel the delivery and ask for another."
    )


class TooLateToCancel(WrongState):
    code = "too-late-to-cancel"
    sentence = mark("Delivery %(number)s has left already; the dispatcher has to act.")


class MovesWithUpdate(WrongState):
    code = "delivery-of-an-update"
    sentence = mark("Delivery %(number)s is a remote installation: it moves with its update.")


class SameRecipient(InvalidInput):
    code = "same-recipient"
    sentence = mark("This is the recipient already.")


class NotStopped(WrongState):
    code = "delivery-not-stopped"
    sentence = mark("Delivery %(number)s is not stopped.")


class ReportStands(WrongState):
    """What a recipient reported is closed where it was reported, with what was found."""

    code = "delivery-report-stands"
    sentence = mark(
        "Delivery %(number)s stays stopped: what was reported of it has not been closed as unfounded. Close it on the"
        " page of the parcel."
    )


class AddressTooLong(InvalidInput):
    """`limit` lines of `width` characters at most."""

    code = "address-too-long"
    sentence = mark("An address has %(limit)s lines of %(width)s characters at most.")


class TooManyAddresses(InvalidInput):
    code = "too-many-addresses"
    sentence = mark("An address book holds %(limit)s addresses; remove one first.")


class CountryUnknown(InvalidInput):
    code = "country-unknown"
    sentence = mark("A country is two letters, as DE or RU (ISO 3166-1).")


class BadJson(InvalidInput):
    """`reason` is a marked sentence; `name` the field it is about."""

    code = "bad-json"
    sentence = mark("The JSON can't be used: %(reason)s")

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        reason = translate(str(self.facts["reason"])) % self.facts
        return translate(self.sentence) % {"reason": reason}

    def __str__(self) -> str:
        return self.sentence_in(str)


class UnknownCustomer(InvalidInput):
    code = "unknown-customer"
    sentence = mark("There is no customer %(customer)s.")
