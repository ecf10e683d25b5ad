"""What the API of tickets takes in and says. JSON is read here and never goes through a form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from portal.entitlements.decision import Decision
from portal.errors import mark
from portal.releases.models import Release
from portal.tickets.clock import Reading
from portal.tickets.clock_words import clock_payload
from portal.tickets.errors import BadJson
from portal.tickets.fixes import Fix
from portal.tickets.models import Step, Ticket, TicketEvent, TicketEventKind, TicketKind, TicketSeverity, severities
from portal.tickets.programmes import Measure

NO_OBJECT = mark("it is not an object of names and values.")
NO_TEXT = mark("%(name)s is not a text.")
MISSING = mark("%(name)s is missing.")
UNKNOWN = mark("it has a field %(name)s that means nothing here.")
NO_CHOICE = mark("%(name)s is none of: %(choices)s.")

Choice = TypeVar("Choice", bound=StrEnum)


def read_object(body: bytes) -> dict[str, Any]:
    """The request's body as a JSON object (RFC 8259). Raises BadJson, for a million open brackets too."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadJson(reason=NO_OBJECT) from error
    if not isinstance(found, dict):
        raise BadJson(reason=NO_OBJECT)
    return found


@dataclass(frozen=True)
class NewTicket:
    """`product` is a product's code; `customer` a customer's code, from staff only."""

    title: str
    body: str
    kind: TicketKind
    severity: TicketSeverity
    product: str
    installed_version: str
    customer: str

    @classmethod
    def read(cls, body: bytes) -> "NewTicket":
        """Raises BadJson naming the first field that is wrong."""
        found = read_object(body)
        _only(found, ("title", "body", "kind", "severity", "product", "installed_version", "customer"))
        return cls(
            title=_text(found, "title"),
            body=_text(found, "body"),
            kind=_choice(found, "kind", TicketKind, TicketKind.INCIDENT),
            severity=_choice(found, "severity", TicketSeverity, TicketSeverity.MINOR),
            product=_text(found, "product", ""),
            installed_version=_text(found, "installed_version", ""),
            customer=_text(found, "customer", ""),
        )


def read_message(body: bytes) -> str:
    """The `body` of a message. Raises BadJson."""
    found = read_object(body)
    _only(found, ("body",))
    return _text(found, "body")


def row_payload(ticket: Ticket) -> dict[str, Any]:
    """A ticket in a list; instants are UTC, RFC 3339."""
    return {
        "number": str(ticket),
        "title": ticket.title,
        "kind": ticket.kind.value,
        "severity": ticket.severity.value,
        "state": ticket.state.value,
        "channel": ticket.channel.value,
        "customer": ticket.organisation.code,
        "product": ticket.product.code if ticket.product else None,
        "installed_version": ticket.installed_version,
        "opened_at": ticket.created_at.isoformat(),
    }


def ticket_payload(
    ticket: Ticket,
    events: Sequence[TicketEvent],
    *,
    fixes: Sequence[Fix],
    answers: Sequence[tuple[Release, Decision]],
    steps: Sequence[Step],
    clock: Mapping[Measure, Reading],
) -> dict[str, Any]:
    """A ticket whole. Events are numbered as they are shown: what is left out leaves no gap."""
    return {
        **row_payload(ticket),
        "steps": [step.value for step in steps],
        "promises": clock_payload(clock),
        "events": [event_payload(event, place) for place, event in enumerate(events, 1)],
        "fixes": [_fix(fix) for fix in fixes],
        "answered_by": [_release(release, decision) for release, decision in answers],
    }


def event_payload(event: TicketEvent, place: int) -> dict[str, Any]:
    assessed = event.kind is TicketEventKind.ASSESSED
    return {
        "place": place,
        "kind": event.kind.value,
        "at": event.at.isoformat(),
        "by": event.person_name,
        "by_support": event.by_staff,
        "body": event.body,
        "state": None if assessed else event.detail or None,
        "severity": severities(event.detail)[1].value if assessed else None,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    release = _release(fix.release, fix.decision) if fix.release and fix.decision else None
    return {"issue": fix.issue.public_id, "fixed_in": release}


def _release(release: Release, decision: Decision) -> dict[str, Any]:
    return {"product": release.product.code, "version": release.version, "decision": decision.to_json()}


def _only(found: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in found:
        if name not in names:
            raise BadJson(reason=UNKNOWN, name=ascii(name[:40]))


def _text(found: dict[str, Any], name: str, default: str | None = None) -> str:
    value = found.get(name, default)
    if value is None and name not in found:
        raise BadJson(reason=MISSING, name=name)
    if not isinstance(value, str):
        raise BadJson(reason=NO_TEXT, name=name)
    return value


def _choice(found: dict[str, Any], name: str, among: type[Choice], default: Choice) -> Choice:
    try:
        return among(_text(found, name, default.value))
    except ValueError as error:
        raise BadJson(reason=NO_CHOICE, name=name, choices=", ".join(among)) from error
