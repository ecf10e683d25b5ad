"""What stands in the way of sending a delivery by e-mail, or of opening a link."""

from collections.abc import Callable

from portal.errors import InvalidInput, NotFound, PortalError, Refused, WrongState, mark

GONE = 410


class NotByMail(WrongState):
    code = "not-by-mail"
    sentence = mark("Delivery %(number)s does not go by e-mail.")


class NothingToRenew(WrongState):
    """Only a delivery that was sent and is not closed gets another link."""

    code = "link-not-renewable"
    sentence = mark("Delivery %(number)s gets no new link in its present state.")


class NoOpenLink(WrongState):
    code = "link-not-open"
    sentence = mark("Delivery %(number)s has no link that could be withdrawn.")


class NotSigned(WrongState):
    """Only a published release has signed checksums, and only with them can it be sent."""

    code = "release-not-signed"
    sentence = mark("The release of delivery %(number)s has no signed checksums.")


class LinkExpired(PortalError):
    code = "link-expired"
    status = GONE
    sentence = mark("This link has expired. Ask whoever sent it for a new one.")


class LinkWithdrawn(PortalError):
    code = "link-withdrawn"
    status = GONE
    sentence = mark("This link was withdrawn. If you have a newer message, use the link in it.")


class LinkStopped(WrongState):
    """The delivery itself is not open: cancelled, stopped by an incident, or just being sent."""

    code = "link-stopped"
    sentence = mark("Nothing can be taken by this link now. Ask whoever sent it.")


class LinkSessionOver(NotFound):
    """The page after the code, without its cookie."""

    code = "link-session-over"
    sentence = mark("This page closes two hours after the code. Open the link in the message and ask for a new code.")


class CodeNotRight(InvalidInput):
    """`reason` is a word of CheckReason."""

    code = "code-not-right"

    def __init__(self, reason: str, sentence: str, tries_left: int) -> None:
        super().__init__(reason=reason, tries_left=tries_left)
        self.code = f"code-{reason}"
        self.sentence = sentence


class LinkRefused(Refused):
    """What a link leads to can't be taken now; the refusal's own code and words, without ways into the portal."""

    code = "link-refused"

    def __init__(self, refusal: Refused) -> None:
        super().__init__(**refusal.facts)
        self.code = refusal.code
        self._refusal = refusal

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return self._refusal.sentence_in(translate)

    def __str__(self) -> str:
        return str(self._refusal)


class AgreementNeeded(Refused):
    code = "agreement-required"
    sentence = mark("Accept the agreement first; it stands on the page of the delivery.")


class DigestOfNone(InvalidInput):
    """What was computed is the digest of none of the files; `told` is SHA-256, hex."""

    code = "digest-differs"
    sentence = mark(
        "None of these files has this digest. The file you have is damaged or another one; download it again, and do "
        "not install it."
    )


class NotAllTaken(WrongState):
    code = "delivery-not-taken"
    sentence = mark("Not all files have been downloaded yet. Take them first, or give the digest of each.")
