"""What can't be done with a kit, and why."""

from portal.errors import Conflict, NotFound, PortalError, WrongState, mark


class KitTaken(Conflict):
    """A kit of this delivery, release and medium exists, made for something else; a new medium needs a new number."""

    code = "kit-taken"
    sentence = mark("Delivery %(delivery)s already has a kit of %(version)s for this medium, made otherwise.")


class KitArtifactUnknown(NotFound):
    code = "kit-artifact-unknown"
    sentence = mark("A file that was chosen for the kit is not a file of %(version)s.")


class KitNameTaken(WrongState):
    """A file of the release bears the name of one of the kit's own papers."""

    code = "kit-name-taken"
    sentence = mark("%(name)s can't go into a kit: the kit has a paper of its own under that name.")


class KitKeyRevoked(WrongState):
    """Nobody would believe the kit: the key that signed the release was revoked since."""

    code = "kit-key-revoked"
    sentence = mark("The key that signed %(version)s is no longer believed; the release has to be signed anew.")


class KitTooLongForDisc(WrongState):
    code = "kit-name-too-long-for-disc"
    sentence = mark("The name %(name)s is too long for a disc. Send the kit as .tar.")


class KitDamaged(PortalError):
    """What lies in the object store is not what was signed; `path` is the file in the kit."""

    code = "kit-damaged"
    sentence = mark("The kit can't be built: %(path)s in the object store is damaged.")


class KitDiffers(PortalError):
    """Made anew from its record, or read back from a medium, it has other bytes than it had."""

    code = "kit-differs"
    sentence = mark("The kit does not have the bytes that it had when it was prepared (SHA-256 %(sha256)s).")
