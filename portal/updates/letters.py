"""What is written to both sides about an update, each in their own language. Pure words."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from portal.errors import mark
from portal.mail.words import translator
from portal.updates.models import UpdateDevice, UpdateRequest
from portal.updates.states import STEP_STATE_TITLES, UPDATE_STATE_TITLES, WAY_TITLES, UpdateState, Way

MAX_SUBJECT_CHARS = 300
MOST_SERIALS = 20


@dataclass(frozen=True)
class Letter:
    """Marked subject and first sentences; `name` stands in the key that keeps it from being sent twice."""

    name: str
    subject: str
    opening: str


PROPOSED = Letter(
    "proposed",
    mark("%(number)s: %(product)s %(version)s is proposed, please consent"),
    mark("%(author)s proposes this update. It is done when both sides consent to it."),
)
MOVED = Letter(
    "moved",
    mark("%(number)s: the window has changed, please consent anew"),
    mark(
        "%(author)s has changed the window of this update. The consents of both sides are taken away with that: nothing"
        " is agreed until both consent anew."
    ),
)
AGREED = Letter(
    "agreed",
    mark("%(number)s is agreed: %(begins)s"),
    mark("Both sides have consented to this update and its window."),
)
REMINDER = Letter(
    "reminder",
    mark("%(number)s begins soon: %(begins)s"),
    mark("This agreed update begins soon."),
)
ACCESS_MISSING = Letter(
    "access-missing",
    mark("%(number)s: something is missing for remote access"),
    mark("This agreed update begins soon, and without you it can't: %(missing)s"),
)
BEGUN = Letter(
    "begun",
    mark("%(number)s: the work has begun"),
    mark("%(author)s has begun the work."),
)
DEVICE_FAILED = Letter(
    "device-failed",
    mark("%(number)s: unsuccessful on %(serial)s, ticket %(ticket)s"),
    mark("The update was unsuccessful on %(serial)s. Ticket %(ticket)s is opened with all that is known."),
)
FINISHED = Letter(
    "finished",
    mark("%(number)s: %(state)s"),
    mark("The work is over. What became of the devices:"),
)
CANCELLED = Letter(
    "cancelled",
    mark("%(number)s is cancelled"),
    mark("%(author)s has cancelled this update; nothing will be done."),
)
LETTERS = {
    letter.name: letter
    for letter in (
        PROPOSED, MOVED, AGREED, REMINDER, ACCESS_MISSING, BEGUN, DEVICE_FAILED, FINISHED, CANCELLED,
    )
}  # fmt: skip

WATCHED = mark(
    "Remote sessions are shown on the update's page while they run, with what is done in them. You can end your"
    " consent there at any moment: every session then stops at once."
)
NO_CONSENT = mark("your consent to remote access until the end of the window")
NO_INFORMATION = mark("the access information (VPN address, jump host, user and password)")
_FACTS = mark(
    """Customer: %(customer)s
Update: %(product)s %(version)s
Who does it: %(way)s
Window: %(window)s
Devices: %(devices)s"""
)
_REASON = mark("Reason:")
_PAGE = mark("The update: %(address)s")


@dataclass(frozen=True)
class Told:
    """What a letter tells besides the update itself. `missing`: marked, what the customer has yet to give."""

    author: str = ""
    detail: str = ""
    device: UpdateDevice | None = None
    missing: tuple[str, ...] = ()


def letter(kind: Letter, update: UpdateRequest, told: Told, *, language: str, address: str) -> tuple[str, str]:
    """Subject and text; times are the site's. Needs the request with all that its page shows."""
    _ = translator(language)
    facts = _facts(update, told, language)
    parts = [_(kind.opening) % facts]
    if kind is FINISHED:
        parts[-1] += "\n" + "\n".join(_outcome(device, language) for device in update.devices)
    parts.append(_(_FACTS) % facts)
    if kind is CANCELLED and told.detail:
        parts.append(f"{_(_REASON)}\n{told.detail}")
    if kind in (AGREED, BEGUN) and update.way is Way.REMOTE:
        parts.append(_(WATCHED))
    parts.append(_(_PAGE) % {"address": address})
    return (_(kind.subject) % facts)[:MAX_SUBJECT_CHARS], "\n\n".join(parts) + "\n"


def missing_access(update: UpdateRequest, at: datetime) -> tuple[str, ...]:
    """What the customer has yet to give so that its devices can be reached during the window; marked."""
    if update.way is not Way.REMOTE or update.ends_at is None:
        return ()
    ends = update.ends_at
    found = []
    if not any(one.is_open(at) and one.until >= ends for one in update.access):
        found.append(NO_CONSENT)
    if not any(one.destroyed_at is None for one in update.secrets):
        found.append(NO_INFORMATION)
    return tuple(found)


def _facts(update: UpdateRequest, told: Told, language: str) -> dict[str, str]:
    _ = translator(language)
    zone = ZoneInfo(update.time_zone)
    window = (update.begins_at, update.ends_at)
    begins, ends = (f"{instant.astimezone(zone):%Y-%m-%d %H:%M}" if instant else "—" for instant in window)
    serials = [device.device.serial for device in update.devices]
    more = "…" if len(serials) > MOST_SERIALS else ""
    return {
        "number": update.number,
        "product": _plain(update.release.product.name),
        "version": update.release.version,
        "customer": _plain(update.organisation.name),
        "state": _(UPDATE_STATE_TITLES[update.state]),
        "way": _(WAY_TITLES[update.way]),
        "begins": f"{begins} ({update.time_zone})",
        "window": f"{begins} – {ends} ({update.time_zone})",
        "devices": ", ".join(serials[:MOST_SERIALS]) + more,
        "author": _plain(told.author),
        "serial": told.device.device.serial if told.device else "",
        "ticket": str(told.device.ticket or "") if told.device else "",
        "missing": "; ".join(_(words) for words in told.missing),
    }


def _outcome(device: UpdateDevice, language: str) -> str:
    _ = translator(language)
    ticket = f", {device.ticket}" if device.ticket else ""
    return f"- {device.device.serial}: {_(STEP_STATE_TITLES[device.state])} ({_runs(device)}){ticket}"


def _runs(device: UpdateDevice) -> str:
    return f"{device.from_version} → {device.device.installed_version or '—'}"


def _plain(name: str) -> str:
    """In one line, as it also stands in a subject."""
    return " ".join(name.split())


TOLD_STATES = (UpdateState.AGREED, UpdateState.PREPARING)
"""While these last, the window's begin is worth a reminder."""
