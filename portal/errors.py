"""Errors everyone knows: facts in, one sentence out, and a code that never changes.

The kernel speaks no language: a sentence is marked here for translation and put into words at the edge, by
`error.sentence_in(gettext)` on a page and by `str(error)` (English) on the command line and in the log.
"""

from collections.abc import Callable


def mark(text: str) -> str:
    """Mark `text` for extraction into the message catalogs without translating it yet."""
    return text


class PortalError(Exception):
    """Something that can't be done, with the facts that say why.

    `code` is stable and goes to clients; `sentence` is a `%(name)s` template for the facts.
    """

    code = "error"
    sentence = mark("Something went wrong.")

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return translate(self.sentence) % self.facts

    def __str__(self) -> str:
        return self.sentence % self.facts


class NotFound(PortalError):
    """It does not exist, or the actor may not know that it exists: the two look alike."""

    code = "not-found"
    sentence = mark("There is nothing here, or nothing that you may see.")


class Forbidden(PortalError):
    """The actor's roles never allow this, whatever the state of the thing."""

    code = "forbidden"
    sentence = mark("Your role does not allow this.")


class SignInRequired(PortalError):
    code = "sign-in-required"
    sentence = mark("Sign in first.")


class Conflict(PortalError):
    """Someone else was first, or a name is already taken."""

    code = "conflict"
    sentence = mark("Someone else changed this meanwhile, or the name is already taken. Look again and repeat.")


class WrongState(PortalError):
    """The thing is not in a state for it."""

    code = "wrong-state"
    sentence = mark("This can't be done in the present state.")


class InvalidInput(PortalError):
    """Input that no state of the world would make right."""

    code = "invalid-input"
    sentence = mark("The input is not valid: %(reason)s")


class Refused(PortalError):
    """The person's own rights or the contract do not allow it; recorded even though the request is rolled back."""

    code = "refused"
    sentence = mark("This is refused.")


class Unavailable(PortalError):
    """Something that the portal leans on does not answer; the same request may work later."""

    code = "unavailable"
    sentence = mark("A service that the portal needs does not answer. Try again in a few minutes.")


class ValueUnkeepable(InvalidInput):
    """The database refuses a value that no parser caught: a NUL, a number or text beyond its column."""

    code = "value-unkeepable"
    sentence = mark("Something that you sent can't be kept. Nothing was changed.")
