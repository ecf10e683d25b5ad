"""What people are written when a promise is about to break, and after it broke. In the reader's language and zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from portal.accounts.models import Person
from portal.errors import mark
from portal.mail.words import translator
from portal.tickets.models import TICKET_SEVERITY_TITLES, Ticket
from portal.tickets.programmes import MEASURE_TITLES
from portal.tickets.standing import WARNING, Call

WARNING_SUBJECT = mark("%(ticket)s: %(measure)s due at %(due)s")
BROKEN_SUBJECT = mark("%(ticket)s: %(measure)s is late, was due at %(due)s")
TEXT = mark(
    """%(ticket)s · %(title)s

Customer: %(customer)s
Severity: %(severity)s
%(measure)s, due: %(due)s (%(zone)s)
Works on it: %(assignee)s

%(address)s
"""
)
NOBODY = mark("nobody yet")


def alarm(ticket: Ticket, call: Call, person: Person, *, address: str) -> tuple[str, str, str]:
    """Subject, text, and the few words of a text message; needs the ticket's organisation and assignee loaded, and
    the person's organisation."""
    translate = translator(person.language)
    zone = person.organisation.time_zone
    facts = {
        "ticket": str(ticket),
        "title": ticket.title,
        "customer": ticket.organisation.name,
        "severity": translate(TICKET_SEVERITY_TITLES[ticket.severity]),
        "measure": translate(MEASURE_TITLES[call.measure]),
        "due": _minute(call.due_at, zone),
        "zone": zone,
        "assignee": ticket.assignee.name if ticket.assignee else translate(NOBODY),
        "address": address,
    }
    subject = translate(WARNING_SUBJECT if call.rung == WARNING else BROKEN_SUBJECT) % facts
    return subject, translate(TEXT) % facts, f"{subject}\n{address}"


def _minute(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
