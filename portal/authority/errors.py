"""What stands in the way of naming an authorized person or of deciding on a power of attorney."""

from portal.errors import WrongState, mark


class PowerNotOpen(WrongState):
    """`state` is a word of PowerState."""

    code = "power-not-open"
    sentence = mark("Power of attorney %(number)s has been decided on already.")
