"""What can't be done with contracts, grants and agreements."""

from portal.errors import InvalidInput, mark


class EndsBeforeItStarts(InvalidInput):
    code = "ends-before-it-starts"
    sentence = mark("The contract would end on %(ends_on)s, before it starts on %(starts_on)s.")
