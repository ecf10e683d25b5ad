"""What stands in the way of naming an authorized person or of deciding on a power of attorney."""

from portal.errors import PortalError, WrongState, mark

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
