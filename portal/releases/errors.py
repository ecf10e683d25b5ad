"""What can't be done with a release, and why."""

from portal.errors import InvalidInput, Refused, WrongState, mark


class NotDraft(WrongState):
    code = "not-draft"
    sentence = mark("%(version)s is no longer a draft and can't be changed.")


class NotInReview(WrongState):
    code = "not-in-review"
    sentence = mark("%(version)s is not in review.")


class NotApproved(WrongState):
    code = "not-approved"
    sentence = mark("%(version)s is not approved yet.")


class AlreadyPublished(WrongState):
    code = "already-published"
    sentence = mark("%(version)s is published already.")


class NotPublished(WrongState):
    code = "not-published"
    sentence = mark("%(version)s is not published.")


class UnderEmbargo(WrongState):
    code = "under-embargo"
    sentence = mark("%(version)s is under embargo until %(until)s.")


class ProblemsRemain(WrongState):
    """`problems` is the list of codes that still stand in the way."""

    code = "problems-remain"
    sentence = mark("%(version)s has open problems: %(problems)s.")


class SamePerson(Refused):
    code = "same-person"
    sentence = mark("Who uploaded or submitted %(version)s can't approve it: a second person must.")


class NameTaken(WrongState):
    """The name stands for other bytes, for ever (DESIGN 3.1)."""

    code = "name-taken"
    sentence = mark("%(name)s already stands for other bytes in this release and always will. Choose another name.")


class BadFileName(InvalidInput):
    code = "bad-file-name"
    sentence = mark("%(name)s can't be the name of a file: %(reason)s.")
