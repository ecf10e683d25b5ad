"""What can't be done with a backup, and why."""

from portal.errors import InvalidInput, PortalError, Refused, WrongState, mark


class BackupNotYours(Refused):
    code = "backup-not-yours"
    sentence = mark("The content of a backup is for its customer, and for the engineer of the device's running update.")


class TooManyBackups(WrongState):
    code = "too-many-backups"
    sentence = mark("This device has %(limit)s backups of the last %(days)s days; no more are taken in.")


class BadKind(InvalidInput):
    code = "bad-backup-kind"
    sentence = mark("A backup is of one of these kinds: %(kinds)s.")


class BackupUnreadable(PortalError):
    """Base of all that can be wrong with what is kept: nothing of such a backup is given out as if it were good."""

    code = "backup-unreadable"
    status = 500
    sentence = mark("This backup can't be read.")


class BackupMissing(BackupUnreadable):
    code = "backup-missing"
    sentence = mark("The object store has lost this backup.")


class BackupCut(BackupUnreadable):
    """The stored object is shorter or longer than what was stored."""

    code = "backup-cut"
    sentence = mark("This backup is no longer whole: the object store has another number of bytes than were stored.")


class BackupDamaged(BackupUnreadable):
    """A block is altered, in another's place, of another backup, or under another key: the cipher does not tell which.

    `block` counts from 0.
    """

    code = "backup-damaged"
    sentence = mark("Block %(block)s of this backup is not what was stored, or not under this customer's key.")


class BackupDiffers(BackupUnreadable):
    code = "backup-differs"
    sentence = mark("This backup opens, but its digest is not the one that was told when it was stored.")


class BackupKeyUnreadable(BackupUnreadable):
    code = "backup-key-unreadable"
    sentence = mark("The key of this customer's backups does not open: PORTAL_SECRET_KEY is not the one it is under.")
