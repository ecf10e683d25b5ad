"""What remote access leaves in a ticket's thread, in the customer's language and time. It holds no secret."""

from portal.documents.wording import Wording
from portal.errors import mark
from portal.tickets.models import Ticket
from portal.updates.attachments import fenced
from portal.updates.event_words import BECAUSE
from portal.updates.models import AccessConsent, RemoteSession

GIVEN = mark("%(name)s consents to remote access until %(until)s.")
TAKEN_BACK = mark("The consent to remote access is ended.")
BEGAN = mark("%(engineer)s began a remote session on %(serial)s, on the consent of %(consent)s.")
ENDED = mark("Remote session on %(serial)s: %(because)s")
LETTER = mark(
    "%(engineer)s began a remote session on %(serial)s at %(time)s, on the consent of %(consent)s. The ticket's page"
    " shows what is done there. You can end the consent there at any moment: the session then stops at once."
)


def given(ticket: Ticket, consent: AccessConsent) -> str:
    wording, zone = _wording(ticket)
    facts = {"name": consent.given_name, "until": wording.instant(consent.until, zone)}
    return plain(wording.translate(GIVEN) % facts)


def taken_back(ticket: Ticket) -> str:
    wording, _zone = _wording(ticket)
    return wording.translate(TAKEN_BACK)


def began(ticket: Ticket, remote: RemoteSession) -> str:
    wording, _zone = _wording(ticket)
    facts = {
        "engineer": remote.engineer_name, "serial": remote.device.serial, "consent": remote.consent.given_name,
    }  # fmt: skip
    return plain(wording.translate(BEGAN) % facts)


def ended(ticket: Ticket, remote: RemoteSession) -> str:
    """Markdown: the whole record of the session. Needs its device and consent."""
    wording, zone = _wording(ticket)
    _ = wording.translate
    facts = {"serial": remote.device.serial, "because": _(BECAUSE[remote.ended_because])}
    parts = [
        f"**{plain(_(ENDED) % facts)}**",
        "\n".join(
            f"- {_(label)}: {plain(value)}"
            for label, value in (
                (mark("Who"), remote.engineer_name),
                (mark("On whose consent"), remote.consent.given_name),
                (mark("Began"), wording.instant(remote.started_at, zone)),
                (mark("Ended"), wording.instant(remote.ended_at or remote.started_at, zone)),
            )
        ),
        *(fenced(entry["text"]) for entry in remote.notes),
    ]
    if remote.files:
        parts.append(_("Files taken from the device"))
        parts.append(fenced("\n".join(f"{file['sha256']}  {file['name']}" for file in remote.files)))
    if remote.result:
        parts += [_("Result"), fenced(remote.result)]
    return "\n\n".join(parts)


def letter(ticket: Ticket, remote: RemoteSession, language: str) -> str:
    wording, zone = Wording(language), ticket.organisation.time_zone
    return wording.translate(LETTER) % {
        "engineer": remote.engineer_name, "serial": remote.device.serial, "consent": remote.consent.given_name,
        "time": wording.instant(remote.started_at, zone),
    }  # fmt: skip


def plain(text: str) -> str:
    """In one line, and without a meaning in Markdown."""
    kept = " ".join(text.split())
    return "".join(f"\\{character}" if character in "\\`*[]<>#!|" else character for character in kept)


def _wording(ticket: Ticket) -> tuple[Wording, str]:
    return Wording(ticket.organisation.language), ticket.organisation.time_zone
