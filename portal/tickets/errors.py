"""What can't be done with tickets, and why."""

from collections.abc import Callable

from portal.errors import InvalidInput, WrongState, mark


class TicketClosed(WrongState):
    code = "ticket-closed"
    sentence = mark("Ticket %(number)s is closed. Reopen it first.")


class StepNotPossible(WrongState):
    """`state` is the marked title of the present state."""

    code = "ticket-state"
    sentence = mark("This can't be done with ticket %(number)s in its present state: %(state)s.")

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return translate(self.sentence) % {**self.facts, "state": translate(str(self.facts["state"]))}


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
    code = "programme-malformed"
    sentence = mark("The service programme is malformed: %(reason)s")
