"""What an update may go through; one table each. The property test walks them."""

from enum import StrEnum

from portal.errors import mark


class Origin(StrEnum):
    AGREED = "agreed"
    DEMANDED = "demanded"


class Way(StrEnum):
    REMOTE = "remote"
    OWN = "own"


class UpdateState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    AGREED = "agreed"
    PREPARING = "preparing"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"


class Check(StrEnum):
    BACKUP = "backup"
    FILES = "files"
    NOTES = "notes"
    KIT = "kit"
    SPARE_CONTACT = "spare-contact"
    WAY_BACK = "way-back"


class UpdateEventKind(StrEnum):
    CREATED = "created"
    STATE = "state"
    WINDOW = "window"
    CONSENT = "consent"
    CHECK = "check"
    STEP = "step"
    TICKET = "ticket"
    SECRET = "secret"  # noqa: S105 - a word, not a secret
    SECRET_SHOWN = "secret-shown"  # noqa: S105 - a word, not a secret
    SECRETS_DESTROYED = "secrets-destroyed"
    ACCESS = "access"
    ACCESS_ENDED = "access-ended"
    SESSION = "session"
    SESSION_ENDED = "session-ended"
    DELIVERY = "delivery"
    INSTALLED = "installed"


_S = UpdateState
TRANSITIONS: dict[UpdateState, frozenset[UpdateState]] = {
    _S.DRAFT: frozenset({_S.PROPOSED, _S.CANCELLED}),
    _S.PROPOSED: frozenset({_S.AGREED, _S.CANCELLED}),
    # A changed window has to be agreed anew.
    _S.AGREED: frozenset({_S.PROPOSED, _S.PREPARING, _S.CANCELLED}),
    _S.PREPARING: frozenset({_S.PROPOSED, _S.RUNNING, _S.CANCELLED}),
    # What has begun is not cancelled: it ends with what became of the devices.
    _S.RUNNING: frozenset({_S.DONE, _S.FAILED, _S.ROLLED_BACK}),
    _S.DONE: frozenset(),
    _S.FAILED: frozenset(),
    _S.ROLLED_BACK: frozenset(),
    _S.CANCELLED: frozenset(),
}
CLOSED = frozenset(state for state, after in TRANSITIONS.items() if not after)
WINDOW_OPEN = frozenset({_S.DRAFT, _S.PROPOSED, _S.AGREED, _S.PREPARING})
"""While these last, the window may be changed."""

_T = StepState
STEP_TRANSITIONS: dict[StepState, frozenset[StepState]] = {
    _T.PLANNED: frozenset({_T.STARTED}),
    _T.STARTED: frozenset({_T.DONE, _T.FAILED, _T.ROLLED_BACK}),
    _T.FAILED: frozenset({_T.STARTED, _T.ROLLED_BACK}),
    # What was done shows its faults later: the device goes back as long as the update runs.
    _T.DONE: frozenset({_T.ROLLED_BACK}),
    _T.ROLLED_BACK: frozenset(),
}

CHECKS_PER_DEVICE = (Check.BACKUP,)
CHECKS_ONCE = (Check.NOTES, Check.KIT, Check.SPARE_CONTACT, Check.WAY_BACK)
CHECKS_ON_RECORD = (Check.BACKUP, Check.FILES)
"""What the portal sees for itself; whoever does without it says why."""


def checks_once(way: Way) -> tuple[Check, ...]:
    """What is asked once of an update: the customer's own specialists need the files, too."""
    return (Check.FILES, *CHECKS_ONCE) if way is Way.OWN else CHECKS_ONCE


ORIGIN_TITLES = {Origin.AGREED: mark("Mutual agreement"), Origin.DEMANDED: mark("The customer's demand")}
WAY_TITLES = {
    Way.REMOTE: mark("The support centre, by remote access"),
    Way.OWN: mark("The customer's own specialists"),
}
UPDATE_STATE_TITLES = {
    _S.DRAFT: mark("Draft"),
    _S.PROPOSED: mark("Proposed"),
    _S.AGREED: mark("Agreed"),
    _S.PREPARING: mark("In preparation"),
    _S.RUNNING: mark("Under way"),
    _S.DONE: mark("Done"),
    _S.FAILED: mark("Unsuccessful"),
    _S.ROLLED_BACK: mark("Rolled back"),
    _S.CANCELLED: mark("Called off"),
}
STEP_STATE_TITLES = {
    _T.PLANNED: mark("Planned"),
    _T.STARTED: mark("Under way"),
    _T.DONE: mark("Done"),
    _T.FAILED: mark("Unsuccessful"),
    _T.ROLLED_BACK: mark("Rolled back"),
}
CHECK_TITLES = {
    Check.BACKUP: mark("The device's configuration and software are backed up, and the copy can be read"),
    Check.FILES: mark("The files of every step are delivered"),
    Check.NOTES: mark("The release notes of every step are read"),
    Check.KIT: mark("The files are verified against their digests"),
    Check.SPARE_CONTACT: mark("Somebody on site can be reached during the window"),
    Check.WAY_BACK: mark("The way back is understood, and its files are at hand"),
}
UPDATE_EVENT_TITLES = {
    UpdateEventKind.CREATED: mark("Drawn up"),
    UpdateEventKind.STATE: mark("State"),
    UpdateEventKind.WINDOW: mark("Window; consents have to be given anew"),
    UpdateEventKind.CONSENT: mark("Consent"),
    UpdateEventKind.CHECK: mark("Checklist"),
    UpdateEventKind.STEP: mark("Step"),
    UpdateEventKind.TICKET: mark("Ticket opened"),
    UpdateEventKind.SECRET: mark("Access information entered"),
    UpdateEventKind.SECRET_SHOWN: mark("Access information looked at"),
    UpdateEventKind.SECRETS_DESTROYED: mark("Access information destroyed"),
    UpdateEventKind.ACCESS: mark("Consent to remote access"),
    UpdateEventKind.ACCESS_ENDED: mark("Consent to remote access ended"),
    UpdateEventKind.SESSION: mark("Remote session began"),
    UpdateEventKind.SESSION_ENDED: mark("Remote session ended"),
    UpdateEventKind.DELIVERY: mark("Delivery asked for"),
    UpdateEventKind.INSTALLED: mark("The customer confirms the installation"),
}
