"""What can't be done with an update, and why."""

from collections.abc import Callable

from portal.errors import Conflict, InvalidInput, Refused, WrongState, mark
from portal.plans.rules import Obstacle


class UpdateStepNotPossible(WrongState):
    code = "update-step-not-possible"
    sentence = mark("%(number)s can't go from %(state)s to %(wanted)s.")


class NoDevices(InvalidInput):
    code = "update-no-devices"
    sentence = mark("Choose at least one device.")


class TooManyDevices(InvalidInput):
    code = "update-too-many-devices"
    sentence = mark("At most %(limit)s devices fit one update.")


class UnknownDevice(InvalidInput):
    """Another customer's, removed, or none at all: the three look alike."""

    code = "update-unknown-device"
    sentence = mark("One of the devices is not among this customer's.")
    status = 404


class DeviceOfOtherProduct(InvalidInput):
    code = "update-device-of-other-product"
    sentence = mark("%(serial)s runs another product than the release is for.")


class VersionUnknown(InvalidInput):
    code = "update-version-unknown"
    sentence = mark("Nobody has said which version runs on %(serial)s: enter it first.")


class AlreadyThere(InvalidInput):
    code = "update-already-there"
    sentence = mark("%(serial)s runs %(version)s already, or a newer version.")


class DeviceInOtherUpdate(Conflict):
    code = "update-device-in-other-update"
    sentence = mark("%(serial)s is part of %(number)s, which is not finished.")


class NoWay(Refused):
    """`reason` is "contract" or "vendor"; the sentence says which release is missing."""

    code = "update-no-way"
    sentence = mark("%(serial)s: %(obstacle)s")

    def __init__(self, serial: str, obstacle: Obstacle) -> None:
        super().__init__(serial=serial, reason=obstacle.reason, obstacle=obstacle.sentence_in(str))
        self.code = f"update-no-way-{obstacle.reason}"
        self.obstacle = obstacle

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        return translate(self.sentence) % {**self.facts, "obstacle": self.obstacle.sentence_in(translate)}


class WindowPast(InvalidInput):
    code = "window-past"
    sentence = mark("The window lies in the past.")


class WindowBackwards(InvalidInput):
    code = "window-backwards"
    sentence = mark("The window ends before it begins.")


class WindowTooLong(InvalidInput):
    code = "window-too-long"
    sentence = mark("A window of more than %(days)s days is no window.")


class NoSuchHour(InvalidInput):
    """The clocks are put forward over it."""

    code = "window-no-such-hour"
    sentence = mark("On that day the clock in %(zone)s never shows %(time)s.")


class NoWindow(WrongState):
    code = "update-no-window"
    sentence = mark("Say first when it is to be done.")


class OutsideWindow(WrongState):
    code = "update-outside-window"
    sentence = mark("Now is not within the agreed window.")


class NotPrepared(WrongState):
    code = "update-not-prepared"
    sentence = mark("The checklist is not finished: %(missing)s points are open.")


class AlreadyConsented(WrongState):
    code = "update-already-consented"
    sentence = mark("Your side has consented already.")


class WrongWay(WrongState):
    code = "update-wrong-way"
    sentence = mark("This belongs to the other way of updating.")


class NotYourUpdate(Refused):
    code = "update-not-yours"
    sentence = mark("Only the engineer who runs the update may do this.")


class StepOrder(WrongState):
    code = "update-step-order"
    sentence = mark("This step of %(serial)s is not the one that is due.")


class StepWithdrawn(WrongState):
    code = "update-step-withdrawn"
    sentence = mark("%(version)s was withdrawn: %(reason)s")


class DowntimeTooLong(InvalidInput):
    code = "downtime-too-long"
    sentence = mark("%(minutes)s minutes of interruption are more than have passed since the step began.")


class DevicesOpen(WrongState):
    code = "update-devices-open"
    sentence = mark("A step is under way: say first how it ended.")


class NothingDone(WrongState):
    code = "update-nothing-done"
    sentence = mark("Nothing has been done on any device yet.")


class ConsentMissing(Refused):
    """The customer has not consented to remote access, has ended its consent, or it has run out."""

    code = "access-consent-missing"
    sentence = mark("The customer's consent to remote access is not given, or has ended.")


class ConsentPast(InvalidInput):
    code = "access-consent-past"
    sentence = mark("The consent would end before it begins.")


class SessionEnded(WrongState):
    code = "remote-session-ended"
    sentence = mark("The remote session has ended.")


class SessionRunning(Conflict):
    code = "remote-session-running"
    sentence = mark("A remote session to this device is running already.")


class SecretShown(Refused):
    code = "access-secret-shown"
    sentence = mark("This was shown once in this session already. For another look begin another session.")


class SecretDestroyed(WrongState):
    code = "access-secret-destroyed"
    sentence = mark("The access information has been destroyed.")


class SecretUnreadable(WrongState):
    """The portal's secret key was changed since it was entered, or the row was altered."""

    code = "access-secret-unreadable"
    sentence = mark("The access information can't be read any more: the customer has to enter it again.")


class TooManySecrets(InvalidInput):
    code = "access-too-many-secrets"
    sentence = mark("At most %(limit)s pieces of access information fit one update.")


class NotADigest(InvalidInput):
    code = "not-a-digest"
    sentence = mark("A SHA-256 digest has 64 hexadecimal digits.")


class NothingInstalled(WrongState):
    code = "update-nothing-installed"
    sentence = mark("%(number)s: there is no installation to confirm.")


class AlreadyAskedFor(Conflict):
    code = "update-delivery-asked-for"
    sentence = mark("The delivery for this update is asked for already.")
