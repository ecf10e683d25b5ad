"""What stands in the way of handing something over in person, or of taking it back."""

from collections.abc import Mapping
from typing import ClassVar

from portal.authority.codes import Checked
from portal.errors import InvalidInput, WrongState, mark


class SeveralRecipients(InvalidInput):
    code = "several-recipients"
    sentence = mark("One act is signed by one person: choose deliveries to the same recipient.")


class NothingChosen(InvalidInput):
    code = "nothing-chosen"
    sentence = mark("Choose at least one delivery.")


class NotForHandOver(WrongState):
    code = "not-for-hand-over"
    sentence = mark("Delivery %(number)s does not go by hand-over in person.")


class NotPrepared(WrongState):
    """`state` is a word of DeliveryState."""

    code = "hand-over-not-prepared"
    sentence = mark("Delivery %(number)s can't be handed over as it stands now; it has to be prepared first.")


class NotReturnable(WrongState):
    code = "medium-not-returnable"
    sentence = mark("Delivery %(number)s has no medium that could come back: nothing of it was handed over.")


class InAnotherAct(WrongState):
    """Somebody hands the same delivery over already; `who`, and `since` as an instant in words."""

    code = "delivery-in-another-act"
    sentence = mark("Delivery %(number)s stands in the open act %(act)s, which %(who)s opened at %(since)s.")
    ways: ClassVar[tuple[tuple[str, str, Mapping[str, object]], ...]]

    def __init__(self, *, act_id: object, **facts: object) -> None:
        super().__init__(act_id=act_id, **facts)
        self.ways = ((mark("To that act"), "handovers.act", {"act_id": act_id}),)  # type: ignore[misc]


class AlreadyHandedOver(WrongState):
    code = "already-handed-over"
    sentence = mark("Delivery %(number)s was handed over already: act %(act)s, by %(who)s at %(since)s.")


class ActNotOpen(WrongState):
    """`state` is a word of ActState."""

    code = "act-not-open"
    sentence = mark("Act %(act)s is closed already, by %(who)s at %(since)s. Nothing was recorded twice.")


class ActTextChanged(WrongState):
    code = "act-text-changed"
    sentence = mark("The text that was shown is not the text of this act. Show the act again, and sign that.")


class EndingTooLong(InvalidInput):
    """Data minimisation: the whole number of a document is never kept."""

    code = "document-ending"
    sentence = mark("Exactly the last four letters or digits of the document's number; the rest is not kept.")


class IdentityNotChecked(InvalidInput):
    code = "identity-not-checked"
    sentence = mark("Compare the name in the document with the power of attorney first.")


class TypedNameDiffers(InvalidInput):
    code = "typed-name-differs"
    sentence = mark("What was typed is not the signer's name as it stands in the act: %(name)s.")


class WitnessMissing(InvalidInput):
    code = "witness-missing"
    sentence = mark("This customer wants a second witness: a name and a signature.")


class SerialMissing(InvalidInput):
    code = "medium-serial-missing"
    sentence = mark("Write the serial number of each medium that comes back.")


class MediumBackAlready(WrongState):
    code = "medium-back-already"
    sentence = mark("Medium %(serial)s of delivery %(number)s came back already: act %(act)s.")


class CodeRefused(InvalidInput):
    """The one-time code was not taken: `code-wrong`, `code-expired`, `code-used-up`, `code-none`; the try is counted.

    The signature that came with it is not lost: whoever sent it keeps it, and asks for a new code.
    """

    code = "code-wrong"

    def __init__(self, checked: Checked) -> None:
        super().__init__(tries_left=checked.tries_left)
        self.code = f"code-{checked.reason.value}"
        self.sentence = checked.sentence


class NoWayToReach(WrongState):
    """`channel` is a word of CodeChannel."""

    code = "no-way-to-reach"
    sentence = mark("No telephone number of this person is known; send the code to the e-mail address.")
