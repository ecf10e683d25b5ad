"""What can't be done with the installed base, and why."""

from collections.abc import Callable

from portal.errors import Conflict, InvalidInput, mark


class SerialTaken(Conflict):
    """A device of this product and serial is on record, here or at another customer: the sentence is the same.

    Who has it is never said. That somebody has it can't be hidden from one who registers it, unless the same device
    were kept for two; so the sentence sends both to the support centre, who sees the whole.
    """

    code = "serial-taken"
    sentence = mark(
        "The serial number %(serial)s can't be added for this product. If the device is yours and not in your list, "
        "ask the support centre."
    )


class UnknownDeviceProduct(InvalidInput):
    code = "unknown-product"
    sentence = mark("There is no product %(product)s of which this customer could add devices.")


class NotACustomer(InvalidInput):
    code = "unknown-customer"
    sentence = mark("There is no customer %(customer)s.")


class BadSheet(InvalidInput):
    """The whole file can't be read. `reason` is marked."""

    code = "bad-sheet"
    sentence = mark("The file can't be read as a table: %(reason)s")

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return translate(self.sentence) % {"reason": translate(str(self.facts["reason"])) % self.facts}


class BadLines(InvalidInput):
    """`problems` are (line number, the error of that line); nothing of the file was taken in."""

    code = "bad-lines"
    sentence = mark("Lines with something wrong: %(count)s. Nothing was taken in.")
