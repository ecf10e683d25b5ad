"""What stands in the way of answering a recall."""

from portal.errors import InvalidInput, WrongState, mark


class ReasonNeeded(InvalidInput):
    code = "recall-reason-needed"
    sentence = mark("Say why the release is kept.")


class AnsweredTooOften(WrongState):
    code = "recall-answered-too-often"
    sentence = mark("This was answered %(times)s times. The last answer stands; tell the support centre of a change.")


class ToldByMail(WrongState):
    code = "recall-told-by-mail"
    sentence = mark("Holders of this channel are told by e-mail; there is nothing to note.")


class ToldBefore(InvalidInput):
    code = "recall-told-before-withdrawal"
    sentence = mark("The holder can't have been told before the release was withdrawn, nor later than now.")
