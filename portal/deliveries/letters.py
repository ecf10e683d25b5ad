"""What is written to dispatchers, requesters and recipients of a delivery, each in their own language. Pure words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.deliveries.models import Delivery
from portal.deliveries.progress import next_step
from portal.deliveries.states import CHANNEL_TITLES
from portal.entitlements.decision import minute
from portal.errors import mark
from portal.mail.words import translator


@dataclass(frozen=True)
class Reader:
    """Somebody with an address. `has_pages`: they sign in, so that a link to a page helps them."""

    name: str
    email: str
    language: str
    has_pages: bool


@dataclass(frozen=True)
class Letter:
    """Marked subject and first sentence; `name` stands in the key that keeps it from being sent twice."""

    name: str
    subject: str
    opening: str


MAX_SUBJECT_CHARS = 300

REQUESTED = Letter(
    "requested",
    mark("Delivery asked for: %(number)s, %(customer)s"),
    mark("%(customer)s asks for a delivery. It waits for a dispatcher to approve it."),
)
APPROVED = Letter(
    "approved",
    mark("Delivery approved: %(number)s, %(release)s"),
    mark("Delivery %(number)s is approved and will now be made ready."),
)
APPROVED_FOR_RECIPIENT = Letter(
    "approved-for-recipient",
    mark("You will receive %(release)s (delivery %(number)s)"),
    mark("%(customer)s named you as the person who receives this delivery. It will now be made ready."),
)
CANCELLED = Letter(
    "cancelled",
    mark("Delivery cancelled: %(number)s, %(release)s"),
    mark("Delivery %(number)s is cancelled; nothing more will come of it."),
)
OVERDUE = Letter(
    "overdue",
    mark("Overdue: delivery %(number)s, %(release)s"),
    mark("Delivery %(number)s is overdue since %(due)s."),
)
_FACTS = mark(
    """Customer: %(customer)s
Release: %(release)s
Channel: %(channel)s
Recipient: %(recipient)s"""
)
_WANTED_BY = mark("Wanted by: %(day)s")
_REASON = mark("Reason:")
_NEXT = mark("What happens next: %(next)s")
_PAGE = mark("The delivery: %(address)s")


def letter(
    kind: Letter, deliveries: Sequence[Delivery], reader: Reader, base_url: str, *, reason: str = ""
) -> tuple[str, str]:
    """Subject and text about the deliveries of one request; what they share is said once.

    Needs the deliveries' customer, release, product and files.
    """
    translate, delivery = translator(reader.language), deliveries[0]
    facts = facts_of(delivery, translate) | {
        "number": ", ".join(one.number or "" for one in deliveries),
        "release": ", ".join(_release_of(one) for one in deliveries),
    }
    parts = [f"{reader.name},", translate(kind.opening) % facts, translate(_FACTS) % facts]
    if delivery.wanted_by:
        parts[-1] += "\n" + translate(_WANTED_BY) % {"day": f"{delivery.wanted_by:%Y-%m-%d}"}
    if reason:
        parts.append(f"{translate(_REASON)}\n{reason}")
    following = next_step(delivery)
    if following and not delivery.is_closed:
        parts.append(translate(_NEXT) % {"next": following.sentence_in(translate)})
    if reader.has_pages:
        parts += [translate(_PAGE) % {"address": address_of(base_url, one.id)} for one in deliveries]
    return (translate(kind.subject) % facts)[:MAX_SUBJECT_CHARS], "\n\n".join(parts) + "\n"


def facts_of(delivery: Delivery, translate: Callable[[str], str]) -> dict[str, str]:
    """What the sentences are filled with; names in one line, as they also stand in a subject."""
    recipient = delivery.recipient or {}
    due: datetime | None = delivery.due_at
    return {
        "customer": " ".join(delivery.organisation.name.split()),
        "channel": translate(CHANNEL_TITLES[delivery.channel]),
        "recipient": f"{recipient.get('name', '')} <{recipient.get('email', '')}>",
        "due": minute(due) if due else "",
    }


def _release_of(delivery: Delivery) -> str:
    return " ".join(f"{delivery.release.product.name} {delivery.release.version}".split())


def address_of(base_url: str, delivery_id: UUID) -> str:
    return f"{base_url}/deliveries/{delivery_id}"
