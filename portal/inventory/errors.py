"""What can't be done with the installed base, and why."""

from collections.abc import Callable

from portal.errors import Conflict, InvalidInput, WrongState, mark


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


class UnknownSite(InvalidInput):
    code = "unknown-site"
    sentence = mark("There is no site %(site)s of this customer.")


class SiteCodeTaken(Conflict):
    code = "site-code-taken"
    sentence = mark("This customer has a site %(site)s already.")


class SiteInUse(WrongState):
    code = "site-in-use"
    sentence = mark("Devices stand at %(site)s: %(count)s. Move or remove them first.")


class SiteRemoved(WrongState):
    code = "site-removed"
    sentence = mark("The site %(site)s was removed.")


class DeviceRemoved(WrongState):
    code = "device-removed"
    sentence = mark("The device %(serial)s was removed from the record.")


class NotATimeZone(InvalidInput):
    code = "not-a-time-zone"
    sentence = mark("“%(text)s” is no time zone: write Europe/Moscow, for example.")


class LineRepeated(InvalidInput):
    code = "line-repeated"
    sentence = mark("The device stands in line %(line)s already.")


class TooManyCells(InvalidInput):
    code = "too-many-cells"
    sentence = mark("The line has %(cells)s cells, and there are %(columns)s columns.")


class StalePreview(Conflict):
    """The file is another one, or what it would change is no longer what was shown."""

    code = "stale-preview"
    sentence = mark("What the table would change is no longer what was shown. Look at it again; nothing was taken in.")


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
