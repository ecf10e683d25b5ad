"""What can't be done with tickets, and why."""

from collections.abc import Callable

from portal.errors import Conflict, InvalidInput, WrongState, mark


class TicketClosed(WrongState):
    code = "ticket-closed"
    sentence = mark("Ticket %(number)s is closed. Reopen it first.")


class StepNotPossible(WrongState):
    """`state` is the marked title of the present state."""

    code = "ticket-state"
    sentence = mark("This can't be done with ticket %(number)s in its present state: %(state)s.")

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return translate(self.sentence) % {**self.facts, "state": translate(str(self.facts["state"]))}


class TicketTaken(Conflict):
    """`name`: who has it."""

    code = "ticket-taken"
    sentence = mark("Ticket %(number)s is with %(name)s already.")


class FixUnconfirmed(WrongState):
    """A release was to cure the ticket, and whether it does is the customer's to say."""

    code = "fix-unconfirmed"
    sentence = mark("Ticket %(number)s is closed by its customer, who was told of the fix and has not confirmed it.")


class UnknownProduct(InvalidInput):
    """There is none of this code, or the customer may not know of it: the two look alike."""

    code = "unknown-product"
    sentence = mark("There is no product %(product)s that a ticket of this customer could be about.")


class UnknownCustomer(InvalidInput):
    code = "unknown-customer"
    sentence = mark("There is no customer %(customer)s.")


class CustomerMissing(InvalidInput):
    code = "customer-missing"
    sentence = mark("Say which customer the ticket is for.")


class UnknownIssue(InvalidInput):
    code = "unknown-issue"
    sentence = mark("There is no issue %(issue)s.")


class UnknownRelease(InvalidInput):
    code = "unknown-release"
    sentence = mark("There is no release %(version)s of this product.")


class SubmissionReused(InvalidInput):
    """The same submission (page) or Idempotency-Key (API) came with other content."""

    code = "submission-reused"
    sentence = mark("This was sent before with another text, and is kept as it was. Send it again as a new one.")


class BadSubmission(InvalidInput):
    code = "bad-submission"
    sentence = mark("An idempotency key has 1 to %(limit)s printable ASCII characters.")


class BadJson(InvalidInput):
    """`reason` is a marked sentence of payloads.py; `name` the field it is about."""

    code = "bad-json"
    sentence = mark("The JSON can't be used: %(reason)s")

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        reason = translate(str(self.facts["reason"])) % self.facts
        return translate(self.sentence) % {"reason": reason}


class MalformedProgramme(InvalidInput):
    """`reason` is a marked sentence, or what the parser of kept terms says; `field` and `text` where it stands."""

    code = "programme-malformed"
    sentence = mark("The service programme is malformed: %(reason)s")

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        reason = translate(str(self.facts["reason"]))
        return translate(self.sentence) % {"reason": reason % self.facts if "%(" in reason else reason}


class ProgrammeNameTaken(Conflict):
    code = "programme-name-taken"
    sentence = mark("There is a service programme %(name)s already.")


class BadShift(InvalidInput):
    code = "bad-shift"
    sentence = mark("A shift ends after it starts, and lasts 31 days at most.")


class NotAnEngineer(InvalidInput):
    code = "not-an-engineer"
    sentence = mark("Only people of the support centre can be on duty.")


class NoteIsYours(WrongState):
    code = "shift-note-own"
    sentence = mark("You wrote this note yourself: somebody of the next shift takes it over.")


class TicketMerged(WrongState):
    code = "ticket-merged"
    sentence = mark("Ticket %(number)s goes on in another one, into which it was merged.")


class NotSameCustomer(InvalidInput):
    code = "tickets-of-two-customers"
    sentence = mark("Only tickets of the same customer can be merged.")


class MergedWithItself(InvalidInput):
    code = "ticket-same"
    sentence = mark("A ticket can't be merged into itself.")


class NothingToSplit(InvalidInput):
    code = "nothing-to-split"
    sentence = mark("Only a message that the customer reads can begin a ticket of its own.")


class AlreadyRated(WrongState):
    code = "ticket-rated"
    sentence = mark("You have said already what you think of ticket %(number)s.")


class NotClosedYet(WrongState):
    code = "ticket-not-closed"
    sentence = mark("Ticket %(number)s is not closed yet.")


class BadScore(InvalidInput):
    code = "bad-score"
    sentence = mark("The score is a number from 1 to 5.")


class BadTelephone(InvalidInput):
    code = "bad-telephone"
    sentence = mark("Each telephone number has 5 to 20 digits; put each on a line of its own.")


class UnknownContact(InvalidInput):
    code = "unknown-contact"
    sentence = mark("This customer has no such contact.")


class FileTooLarge(InvalidInput):
    status = 413
    code = "attachment-too-large"
    sentence = mark("The file is larger than %(limit)s bytes.")


class NoFile(InvalidInput):
    code = "attachment-missing"
    sentence = mark("Choose a file first.")


class TooManyFiles(InvalidInput):
    code = "attachments-too-many"
    sentence = mark("A ticket has at most %(limit)s files.")


class ReasonForSeverity(InvalidInput):
    code = "severity-reason-missing"
    sentence = mark("Say why it is another severity than impact and urgency give.")


class MailDecided(WrongState):
    code = "mail-decided"
    sentence = mark("Somebody has decided about this message already.")
