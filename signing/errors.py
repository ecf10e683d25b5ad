"""Everything that signing and verifying can refuse: facts in, one English sentence out, a code that never changes.

The shape is that of the portal's own errors (`code`, `sentence`, `facts`, `sentence_in`), so that a page can put the
sentence into the reader's language; the classes stand alone because a verifier must run without the portal.
"""

from collections.abc import Callable


class SigningError(Exception):
    """Base of all. `code` is stable and goes to clients; `sentence` is a `%(name)s` template for the facts."""

    code = "signing-error"
    sentence = "Signing or verifying failed."

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return translate(self.sentence) % self.facts

    def __str__(self) -> str:
        return self.sentence % self.facts


# What a verifier says


class BadSignature(SigningError):
    code = "bad-signature"
    sentence = "The signature of %(what)s is not by any of the keys given, or the bytes are not the ones signed."


class UnknownKey(SigningError):
    code = "unknown-key"
    sentence = "%(what)s is signed by no key that is known here."


class RetiredKey(SigningError):
    """A retired key speaks only for statements dated before its retirement; an undated one can't show that."""

    code = "retired-key"
    sentence = "The key %(key_id)s was retired on %(until)s; it can't speak for a statement dated %(dated)s."


class RevokedKey(SigningError):
    """A stolen key can back-date: nothing that it signed is believed any more, whatever its date."""

    code = "revoked-key"
    sentence = "The key %(key_id)s was revoked on %(revoked)s; nothing that it signed is believed."


class MalformedSums(SigningError):
    code = "malformed-sums"
    sentence = "SHA256SUMS is malformed in line %(line)s: %(reason)s"


class MalformedManifest(SigningError):
    code = "malformed-manifest"
    sentence = "The release manifest is malformed: %(reason)s"


class UnsafeName(SigningError):
    """A file name that could lead out of its folder, or that can't stand beside the signed documents."""

    code = "unsafe-name"
    sentence = "%(name)s can't be the name of a file in a release: %(reason)s"


class DocumentsDisagree(SigningError):
    code = "documents-disagree"
    sentence = "SHA256SUMS and the release manifest do not name the same files with the same digests."


class OlderRelease(SigningError):
    code = "counter-rollback"
    sentence = "Release counter %(counter)s is older than the installed %(installed)s."


class MalformedSlip(SigningError):
    code = "malformed-slip"
    sentence = "The slip is malformed: %(reason)s"


class SlipDisagrees(SigningError):
    code = "slip-disagrees"
    sentence = "The slip belongs to another release: %(what)s in it is not what stands in the manifest."


class MalformedSeal(SigningError):
    code = "malformed-seal"
    sentence = "The seal of the evidence pack is malformed: %(reason)s"


class OtherCustomer(SigningError):
    code = "other-customer"
    sentence = "The slip is made out to %(found)s, not to %(customer)s."


class CustomerUnknown(SigningError):
    code = "customer-unknown"
    sentence = "There is no slip that holds, so it can't be shown that this was made for %(customer)s."


class KeysWithin(SigningError):
    """A key that travels with what it is to vouch for: whoever forged the one has forged the other."""

    code = "key-within"
    sentence = (
        "The keys used lie in the kit itself. That proves nothing until the fingerprint is compared with the one known "
        "from elsewhere: by telephone from the support centre, or from an earlier delivery."
    )


# What a key says


class MalformedKey(SigningError):
    code = "malformed-key"
    sentence = "This is not a usable key: %(reason)s"


class WrongPassphrase(SigningError):
    code = "wrong-passphrase"
    sentence = "The passphrase does not open the key %(address)s, or the file is damaged."


class WeakPassphrase(SigningError):
    code = "weak-passphrase"
    sentence = "The passphrase of a key must have at least %(least)s characters."


class KeyExists(SigningError):
    code = "key-exists"
    sentence = "There is a key at %(address)s already, and it is never overwritten."


class KeyMissing(SigningError):
    code = "key-missing"
    sentence = "There is no key at %(address)s."


class KeyMismatch(SigningError):
    code = "key-mismatch"
    sentence = "The key at %(address)s is not the one expected (%(expected)s)."


class KeyAddressUnsupported(SigningError):
    code = "key-address-unsupported"
    sentence = "%(address)s is not a key address known here: file:, awskms: or hsm:."


class KeyServiceUnavailable(SigningError):
    """The key service can't be used: not installed, not configured, not answering, or refusing."""

    code = "key-service-unavailable"
    sentence = "The key service behind %(address)s can't be used: %(reason)s"


class KeyFolderDamaged(SigningError):
    code = "key-folder-damaged"
    sentence = "The key folder %(folder)s is damaged: %(reason)s"


class KeyChangedMeanwhile(SigningError):
    code = "key-changed-meanwhile"
    sentence = "The active key is no longer %(expected)s; someone else rotated it."


class KeyDatesRefused(SigningError):
    code = "key-dates"
    sentence = "The date %(at)s does not suit the key: %(reason)s"


class KeyInUse(SigningError):
    code = "key-in-use"
    sentence = "The key %(key_id)s is the active one; rotate it first."
