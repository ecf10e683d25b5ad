"""What can't be done with accounts, and why."""

from portal.errors import Conflict, InvalidInput, PortalError, Refused, SignInRequired, WrongState, mark

TOO_MANY_REQUESTS = 429


class SignInFailed(InvalidInput):
    """One sentence for a wrong address, a wrong password and a disabled person: a guesser learns nothing."""

    code = "sign-in-failed"
    sentence = mark("The e-mail address or the password is wrong.")


class TooManyAttempts(PortalError):
    """`retry_after` is in seconds (RFC 9110 §10.2.3)."""

    code = "too-many-attempts"
    status = TOO_MANY_REQUESTS
    sentence = mark("Too many attempts. Try again in %(minutes)s min.")


class TokenInvalid(SignInRequired):
    code = "token-invalid"
    sentence = mark("This token is not valid: it is mistyped, was revoked, or its person may no longer sign in.")


class TokenExpired(SignInRequired):
    code = "token-expired"
    sentence = mark("This token has expired. Make another on your account's page.")


class BadEmail(InvalidInput):
    code = "bad-email"
    sentence = mark("%(email)s is not an e-mail address.")


class WeakPassword(InvalidInput):
    code = "weak-password"
    sentence = mark("This password can't be used.")


class PasswordTooShort(WeakPassword):
    sentence = mark("This password is too short: it needs %(least)s characters at least.")


class PasswordTooLong(WeakPassword):
    sentence = mark("This password is too long: %(most)s characters are the most.")


class PasswordLikeOwner(WeakPassword):
    sentence = mark("This password is your own address or name. Choose another.")


class PasswordTooCommon(WeakPassword):
    sentence = mark("This password is among the first that anybody would try. Choose another.")


class WrongPassword(InvalidInput):
    code = "wrong-password"
    sentence = mark("The present password is wrong.")


class LinkNotOpen(WrongState):
    """Used, expired, replaced or never given out: told apart by nobody."""

    code = "link-not-open"
    sentence = mark("This link is not valid: it was used already, has expired, or a newer one was sent.")


class AlreadyJoined(WrongState):
    code = "already-joined"
    sentence = mark("%(name)s has joined already and needs no invitation.")


class PersonDisabled(WrongState):
    code = "person-disabled"
    sentence = mark("%(name)s is disabled.")


class LastAdministrator(WrongState):
    code = "last-administrator"
    sentence = mark("%(name)s is the last administrator. Give the role to someone else first.")


class EmailTaken(Conflict):
    code = "email-taken"
    sentence = mark("%(email)s belongs to a person already.")


class OrganisationTaken(Conflict):
    code = "organisation-taken"
    sentence = mark("An organisation with this code or name exists already.")


class RoleOfOtherKind(InvalidInput):
    code = "role-of-other-kind"
    sentence = mark("The role %(role)s can't be held in this organisation.")


class NoRole(InvalidInput):
    code = "no-role"
    sentence = mark("A person needs one role at least.")


class NotYoursToManage(Refused):
    code = "not-yours-to-manage"
    sentence = mark("You may see this, but managing it is somebody else's.")


class OnlyCustomersWait(WrongState):
    code = "only-customers-wait"
    sentence = mark("Only a customer can be put on hold.")


class AlreadyOnHold(WrongState):
    code = "already-on-hold"
    sentence = mark("%(name)s is on hold already.")


class NotOnHold(WrongState):
    code = "not-on-hold"
    sentence = mark("%(name)s is not on hold.")


class BadOrganisation(InvalidInput):
    code = "bad-organisation"
    sentence = mark("The organisation can't be saved.")


class BadOrganisationCode(BadOrganisation):
    sentence = mark("A code is 2 to 40 letters A-Z, digits, hyphens and dots, and begins with a letter or digit.")


class BadCountry(BadOrganisation):
    sentence = mark("A country is two letters as in ISO 3166, such as DE or KZ.")


class BadTimeZone(BadOrganisation):
    sentence = mark("%(zone)s is not a time zone of the IANA database, such as Europe/Moscow.")


class BadLanguage(InvalidInput):
    code = "bad-language"
    sentence = mark("The portal does not speak %(language)s.")


class BadName(InvalidInput):
    code = "bad-name"
    sentence = mark("A name is 1 to 200 characters without line breaks or control characters.")


class BadToken(InvalidInput):
    code = "bad-token"
    sentence = mark("The token can't be made.")


class BadTokenDays(BadToken):
    sentence = mark("A token lives for 1 to 366 days.")


class ScopeNotHeld(BadToken):
    code = "scope-not-held"
    sentence = mark("A token can hold only what your roles allow; they don't allow %(scope)s.")


class NoScope(BadToken):
    sentence = mark("A token needs one scope at least.")
