"""What can't be done with a release, and why."""

from collections.abc import Callable

from portal.errors import Conflict, InvalidInput, Refused, Unavailable, WrongState, mark


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


class Reasoned(InvalidInput):
    """Input refused for one of several reasons: `field` and `reason` are facts that are translated themselves."""

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        words = dict(self.facts)
        for name in words.keys() & {"field", "reason"}:
            words[name] = translate(str(words[name])) % self.facts
        return translate(self.sentence) % words

    def __str__(self) -> str:
        return self.sentence_in(str)


class BadFileName(Reasoned):
    code = "bad-file-name"
    sentence = mark("%(name)s can't be the name of a file: %(reason)s.")


class BadText(Reasoned):
    """A text with NUL or half a character in it, blank where something must stand, or longer than `limit`."""

    code = "bad-text"
    sentence = mark("%(field)s: %(reason)s.")


class BadCode(InvalidInput):
    code = "bad-code"
    sentence = mark("%(text)s can't be a code: use lower-case Latin letters, digits, dots and hyphens, 60 at most.")


class CodeTaken(Conflict):
    code = "code-taken"
    sentence = mark("There is a product %(code)s already.")


class SchemeFixed(WrongState):
    """Versions are ordered and signed under the product's scheme and code: they stay once there is a release."""

    code = "scheme-fixed"
    sentence = mark("%(code)s has releases, so its code and version scheme can't change any more.")


class BadTrainDates(InvalidInput):
    code = "bad-train-dates"
    sentence = mark("The dates of a train follow one another: availability, end of sale, of support, of security.")


class TrainTaken(Conflict):
    code = "train-taken"
    sentence = mark("There is a train %(name)s already.")


class BadExportRule(InvalidInput):
    code = "bad-export-rule"
    sentence = mark("An export rule names a country of two letters, an end use, or both, and its clause.")


class VersionTaken(Conflict):
    code = "version-taken"
    sentence = mark("%(product)s has the version %(version)s already, perhaps written otherwise.")


class WrongTrain(InvalidInput):
    code = "wrong-train"
    sentence = mark("This train belongs to another product.")


class UnknownSection(InvalidInput):
    code = "unknown-section"
    sentence = mark("Release notes have no section %(section)s in %(language)s.")


class ReasonMissing(InvalidInput):
    code = "reason-missing"
    sentence = mark("A reason is needed.")


class NotWaivable(WrongState):
    code = "not-waivable"
    sentence = mark("%(problem)s is no problem of this release that can be waived.")


class BadReplacement(InvalidInput):
    code = "bad-replacement"
    sentence = mark("The replacement must be another published release of the same product.")


class BadAudience(InvalidInput):
    code = "bad-audience"
    sentence = mark("Only customers can be named in an audience, each once.")


class BadIssueId(InvalidInput):
    code = "bad-issue-id"
    sentence = mark("%(text)s can't be an issue's id: use Latin letters, digits, dots and hyphens, 40 at most.")


class IssueTaken(Conflict):
    code = "issue-taken"
    sentence = mark("There is an issue %(public_id)s already.")


class OtherProduct(InvalidInput):
    code = "other-product"
    sentence = mark("The issue %(public_id)s belongs to another product.")


class SigningFailed(Unavailable):
    """The release key can't be opened or does not sign; nothing was published."""

    code = "signing-failed"
    sentence = mark("The release key can't sign now, so nothing was published: %(reason)s")


class UploadTooLarge(InvalidInput):
    code = "too-large"
    status = 413
    sentence = mark("The file is larger than %(limit_bytes)s bytes, the most that the portal takes.")


class UploadCut(InvalidInput):
    """The connection ended before the file did; nothing was kept."""

    code = "upload-cut"
    status = 400
    sentence = mark("The upload was cut off: %(expected)s bytes were announced, %(received)s came. Nothing was kept.")


class LengthRequired(InvalidInput):
    """Without its length or digest, a file cut on the way can't be told from a whole one (RFC 9110 §8.6)."""

    code = "length-required"
    status = 411
    sentence = mark("Send the file with Content-Length, or chunked with its SHA-256 declared.")


class DeclaredDigestWrong(InvalidInput):
    code = "digest-mismatch"
    sentence = mark("The bytes received have the SHA-256 %(received)s, not %(expected)s. Nothing was kept.")


class MalformedDigest(InvalidInput):
    code = "malformed-digest"
    sentence = mark("%(header)s does not hold a SHA-256.")


NOT_MINUTES = mark("a whole number of minutes is expected, 10000 at most")
NOT_INSTANT = mark("an instant with its time zone is expected, such as 2026-03-10T12:00:00Z")


class BadField(Reasoned):
    """A field of a JSON document: missing, unknown, or not what it must be."""

    code = "bad-field"
    sentence = mark("%(field)s: %(reason)s.")


class BadJson(InvalidInput):
    code = "bad-json"
    status = 400
    sentence = mark("The body must be one JSON object in UTF-8.")
