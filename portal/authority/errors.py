"""What stands in the way of naming an authorized person or of deciding on a power of attorney."""

from portal.errors import Conflict, InvalidInput, PortalError, Refused, WrongState, mark

TOO_MANY_REQUESTS = 429


class PowerNotOpen(WrongState):
    """`state` is a word of PowerState."""

    code = "power-not-open"
    sentence = mark("Power of attorney %(number)s has been decided on already.")


class TooManyCodes(PortalError):
    """`retry_after` is in seconds (RFC 9110 §10.2.3)."""

    code = "too-many-codes"
    status = TOO_MANY_REQUESTS
    sentence = mark("Too many codes were sent. Ask for the next in %(minutes)s min.")


class NotACustomer(InvalidInput):
    code = "not-a-customer"
    sentence = mark("%(name)s is no customer; only a customer names authorized persons.")


class RecipientEmailTaken(Conflict):
    code = "recipient-email-taken"
    sentence = mark("An authorized person of this customer has the address %(email)s already: %(name)s.")


class BadPhone(InvalidInput):
    code = "bad-phone"
    sentence = mark("A telephone number begins with + and the country's code, such as +7 916 123-45-67.")


class DatesReversed(InvalidInput):
    code = "power-dates-reversed"
    sentence = mark("The last day (%(last)s) is before the first one (%(first)s).")


class PowerOver(InvalidInput):
    code = "power-over"
    sentence = mark("A power of attorney whose last day was %(last)s gives nothing any more.")


class IssuedLater(InvalidInput):
    code = "power-issued-later"
    sentence = mark("The power of attorney can't be dated after today, nor after its last day.")


class NothingGiven(InvalidInput):
    code = "power-gives-nothing"
    sentence = mark("A power of attorney lets the person receive files, sign acts, or both.")


class NoProduct(InvalidInput):
    code = "power-without-product"
    sentence = mark("Choose the products, or all of them.")


class SecondPersonNeeded(Refused):
    code = "second-person-needed"
    sentence = mark("Somebody else has to confirm power of attorney %(number)s: you entered it.")


class NotYourCustomer(Refused):
    code = "not-your-customer"
    sentence = mark("Only the customer's manager or the dispatcher may do this.")


class AskedAlready(PortalError):
    """`retry_after` is in seconds."""

    code = "asked-already"
    status = TOO_MANY_REQUESTS
    sentence = mark("The dispatchers were asked within the last day. They have it on their list.")


class ScanTooLarge(InvalidInput):
    code = "scan-too-large"
    status = 413
    sentence = mark("A scan has 20 MB at most.")


class NotAScan(InvalidInput):
    code = "not-a-scan"
    sentence = mark("A scan is a PDF, PNG or JPEG file; this one is none of them.")
