"""All that is known of a failing update as the text of a ticket, in the customer's language. It holds no secret."""

from datetime import datetime

from portal.documents.wording import Wording
from portal.errors import mark
from portal.updates.event_words import detail_in
from portal.updates.models import RemoteSession, UpdateDevice, UpdateRequest, UpdateStep
from portal.updates.states import STEP_STATE_TITLES, UPDATE_EVENT_TITLES, WAY_TITLES

TITLE = mark("%(number)s: the update of %(serial)s to %(version)s failed")
MOST_CHARS, MOST_TITLE_CHARS = 19_000, 200


def title(update: UpdateRequest, device: UpdateDevice) -> str:
    translate = Wording(update.organisation.language).translate
    facts = {"number": update.number, "serial": device.device.serial, "version": update.release.version}
    return (translate(TITLE) % facts)[:MOST_TITLE_CHARS]


def body(update: UpdateRequest, device: UpdateDevice, *, language: str, at: datetime) -> str:
    """Markdown: the plan, the steps, the remote sessions with commands and files, what happened before."""
    wording = Wording(language)
    _ = wording.translate
    parts = [
        f"**{device.device.product.name} {device.device.serial}** {device.from_version} → {update.release.version}",
        f"{_('Way')}: {_(WAY_TITLES[update.way])}",
        f"### {_('Steps')}",
        *(_step(step, wording, update.time_zone) for step in device.steps),
    ]
    sessions = [one for one in update.sessions if one.device_id == device.device_id]
    if sessions:
        parts += [f"### {_('Remote sessions')}", *(_session(one, wording, update.time_zone, at) for one in sessions)]
    parts.append(f"### {_('What happened before')}")
    parts += [
        f"- {wording.instant(event.at, update.time_zone)} {_(UPDATE_EVENT_TITLES[event.kind])}: "
        f"{_quoted(detail_in(event, _))} ({event.person_name})"
        for event in update.events
    ]
    return _cut(parts)


def _cut(parts: list[str]) -> str:
    """What matters most stands first; a ticket's text has an end, and the whole report lies beside it."""
    text = "\n\n".join(parts)
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


def _step(step: UpdateStep, wording: Wording, zone: str) -> str:
    _ = wording.translate
    began = wording.instant(step.started_at, zone) if step.started_at else "—"
    state = _(STEP_STATE_TITLES[step.state])
    line = f"- {step.version}: {state}, {began}"
    return f"{line}\n{fenced(step.note)}" if step.note else line


def _session(one: RemoteSession, wording: Wording, zone: str, at: datetime) -> str:
    began, ended = wording.instant(one.started_at, zone), wording.instant(one.ended_at or at, zone)
    lines = [f"- {one.engineer_name}, {began} – {ended}"]
    lines += [fenced(entry["text"]) for entry in one.notes]
    lines += [f"  - `{file['name']}` {file['sha256']}" for file in one.files]
    return "\n".join(lines)


def fenced(text: str) -> str:
    """As it was written, whatever it holds."""
    fence = "`" * 3
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _quoted(text: str) -> str:
    return " ".join(text.split())
