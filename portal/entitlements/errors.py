"""What can't be done with contracts, grants and agreements."""

from portal.errors import Conflict, InvalidInput, WrongState, mark


class EndsBeforeItStarts(InvalidInput):
    code = "ends-before-it-starts"
    sentence = mark("The contract would end on %(ends_on)s, before it starts on %(starts_on)s.")


class NotATimeZone(InvalidInput):
    code = "not-a-time-zone"
    sentence = mark("“%(text)s” is not a time zone of the IANA database, such as Europe/Moscow.")


class NotLevels(InvalidInput):
    code = "not-levels"
    sentence = mark("“%(text)s” names no levels: write all, or some of major, minor, maintenance, patch, hotfix.")


class NotADeviceCount(InvalidInput):
    code = "not-a-device-count"
    sentence = mark("“%(text)s” is not a number of devices: a whole number from 1 to 1000000, or nothing.")


class NotYesOrNo(InvalidInput):
    code = "not-yes-or-no"
    sentence = mark("“%(text)s” is neither yes nor no.")


class UnknownCustomer(InvalidInput):
    code = "unknown-customer"
    sentence = mark("There is no customer “%(text)s”.")


class UnknownProduct(InvalidInput):
    code = "unknown-product"
    sentence = mark("There is no product or product family “%(text)s”.")


class NumberTaken(Conflict):
    code = "contract-number-taken"
    sentence = mark("There is a contract %(number)s already.")


class LineTwice(Conflict):
    code = "contract-line-twice"
    sentence = mark("The contract has a line for %(product)s already.")


class AlreadyOnHold(WrongState):
    code = "contract-already-on-hold"
    sentence = mark("Contract %(number)s is on hold already.")


class NotOnHold(WrongState):
    code = "contract-not-on-hold"
    sentence = mark("Contract %(number)s is not on hold.")


class GrantOver(InvalidInput):
    code = "grant-over"
    sentence = mark("The exception would be over before it begins: choose a later end.")


class CannotBeGranted(WrongState):
    code = "cannot-be-granted"
    sentence = mark("Version %(version)s is not published, or was withdrawn: nobody can take it.")


class AlreadyRevoked(WrongState):
    code = "grant-already-revoked"
    sentence = mark("The exception was revoked before.")


class NoTextInLanguage(InvalidInput):
    code = "agreement-text-missing"
    sentence = mark("The agreement needs a title and a text in every language; %(language)s is missing.")


class AgreementSuperseded(WrongState):
    code = "agreement-superseded"
    sentence = mark("This version of the agreement is not the current one; read and accept the current one.")


class CodeTaken(Conflict):
    code = "agreement-code-taken"
    sentence = mark("There is an agreement %(code)s already.")
