"""A ticket to take away: as the customer reads it, whoever asks. Nothing that is internal has a way in here."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.config import MIB
from portal.documents.report import Report, ReportTable
from portal.mail.words import translator
from portal.permissions import OrganisationKind
from portal.tickets import attachments, queries
from portal.tickets.desk_models import TicketFile
from portal.tickets.models import (
    TICKET_KIND_TITLES,
    TICKET_SEVERITY_TITLES,
    TICKET_STATE_TITLES_FOR_CUSTOMER,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
    severities,
)
from portal.tickets.payloads import event_payload, row_payload
from storage import ObjectStore

IN_MEMORY_BYTES = 4 * MIB
BLOCK_BYTES = MIB // 4
UNKNOWN_DATE = (1980, 1, 1, 0, 0, 0)
"""Where ZIP's own time begins."""


@dataclass(frozen=True)
class Shared:
    """What the ticket's customer may have of it. The ticket has its customer and product loaded."""

    ticket: Ticket
    events: Sequence[TicketEvent]
    files: Sequence[TicketFile]


def shared(session: Session, ticket: Ticket, *, by: Actor) -> Shared:
    """The ticket as its customer reads it."""
    reader = replace(by, kind=OrganisationKind.CUSTOMER, organisation_id=ticket.organisation_id)
    return Shared(
        ticket,
        queries.thread(session, ticket, visible_to=reader),
        attachments.files(session, ticket, visible_to=reader),
    )


def payload(one: Shared) -> dict[str, Any]:
    """The ticket with its thread and its files by name and digest; instants are UTC, RFC 3339."""
    return {
        **row_payload(one.ticket),
        "events": [event_payload(event, place) for place, event in enumerate(one.events, 1)],
        "files": [
            {"name": path, "size_bytes": file.size_bytes, "sha256": file.sha256, "by": file.person_name,
             "at": file.created_at.isoformat()}
            for file, path in zip(one.files, paths(one.files), strict=True)
        ],
    }  # fmt: skip


def report(one: Shared, *, language: str, time_zone: str, at: datetime) -> Report:
    """The ticket as a paper."""
    _ = translator(language)
    ticket, zone = one.ticket, ZoneInfo(time_zone)

    def when(instant: datetime) -> str:
        return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")

    def words(event: TicketEvent) -> str:
        if event.kind is TicketEventKind.STATE:
            said = _("State:") + " " + _(TICKET_STATE_TITLES_FOR_CUSTOMER[TicketState(event.detail)])
        elif event.kind is TicketEventKind.ASSESSED:
            said = _("Severity:") + " " + _(TICKET_SEVERITY_TITLES[severities(event.detail)[1]])
        else:
            return event.body
        return f"{said}. {event.body}" if event.body else said

    facts = (
        (_("Customer"), ticket.organisation.name),
        (_("Kind"), _(TICKET_KIND_TITLES[ticket.kind])),
        (_("Severity"), _(TICKET_SEVERITY_TITLES[ticket.severity])),
        (_("State"), _(TICKET_STATE_TITLES_FOR_CUSTOMER[ticket.state])),
        (_("Product"), ticket.product.name if ticket.product else "—"),
        (_("Installed version"), ticket.installed_version or "—"),
        (_("Opened"), when(ticket.created_at)),
    )
    said = tuple((when(event.at), event.person_name, words(event)) for event in one.events)
    files = tuple((file.name, str(file.size_bytes), file.sha256) for file in one.files)
    return Report(
        title=f"{ticket} · {ticket.title}",
        subtitle=_("Ticket"),
        facts=facts,
        tables=(
            ReportTable(_("What was said and done"), (_("When"), _("Who"), _("What")), said, (2, 2, 6)),
            ReportTable(_("Files"), (_("File"), _("Bytes"), "SHA-256"), files, (3, 1, 5), right=(1,)),
        ),
        language=language,
        at=at,
    )


def archive(one: Shared, store: ObjectStore, *, pdf: bytes) -> IO[bytes]:
    """A ZIP of `ticket.json`, `ticket.pdf` and the files, on disk when it is large; the reader closes it."""
    made: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - whoever sends it closes it
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        text = json.dumps(payload(one), ensure_ascii=False, indent=2)
        packed.writestr(zipfile.ZipInfo("ticket.json", UNKNOWN_DATE), text)
        packed.writestr(zipfile.ZipInfo("ticket.pdf", UNKNOWN_DATE), pdf)
        for file, path in zip(one.files, paths(one.files), strict=True):
            with store.open_range(file.key) as source, packed.open(zipfile.ZipInfo(path, UNKNOWN_DATE), "w") as target:
                while block := source.read(BLOCK_BYTES):
                    target.write(block)
    made.seek(0)
    return made


def paths(files: Sequence[TicketFile]) -> list[str]:
    """Where each file lies in the archive: two of one name do not cover each other."""
    return [f"files/{place:03}-{file.name.replace('/', '_')}" for place, file in enumerate(files, 1)]
