"""Letters about parcels: what is on its way, a difference to the dispatchers, a reminder to both sides."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.couriers import queries
from portal.couriers.carriers import tracking_link
from portal.couriers.models import Consignment, Incident
from portal.couriers.states import INCIDENT_TITLES, MEDIUM_KIND_TITLES
from portal.deliveries.models import Delivery
from portal.documents.codes import digest_words
from portal.errors import mark
from portal.mail.service import post
from portal.mail.words import translator

INCIDENT_SUBJECT = mark("Delivery %(number)s is stopped: %(what)s")
INCIDENT_TEXT = mark(
    """%(name)s,

%(reporter)s reported about delivery %(number)s to %(customer)s: %(what)s.

Serial number seen: %(serial)s
Bag or seal seen: %(seal)s
Digest seen: %(digest)s

%(text)s

The delivery is stopped until the incident is closed: %(address)s
"""
)
LEFT_SUBJECT = mark("On its way to you: delivery %(number)s")
LEFT_TEXT = mark(
    """%(name)s,

a parcel for you was handed over to %(carrier)s on %(day)s: delivery %(number)s, %(product)s %(version)s.
Tracking number: %(tracking)s
%(link)s

It holds one medium: %(medium)s
in a bag or under a seal with the number: %(seal)s
The digest of what is on it begins with the words: %(words)s

Before you open it, compare the seal. Then scan the code on the packing list, or open %(address)s, and confirm the
receipt or report a difference.
"""
)
REMINDER_SUBJECT = mark("Please confirm the receipt of delivery %(number)s")
REMINDER_TEXT = mark(
    """%(name)s,

on %(day)s we handed over a parcel for you to %(carrier)s: delivery %(number)s, %(product)s %(version)s.
Tracking number: %(tracking)s
%(link)s

If it has arrived, scan the code on the packing list, or open %(address)s and type the number of the delivery and the
receipt code from the packing list. If something is wrong with the parcel, report it there. If it has not arrived, tell
us.
"""
)
NO_RECEIPT_SUBJECT = mark("No receipt yet for delivery %(number)s")
NO_RECEIPT_TEXT = mark(
    """%(name)s,

the parcel of delivery %(number)s to %(customer)s was handed over to %(carrier)s on %(day)s, and its receipt is not
confirmed. Tracking number: %(tracking)s
%(link)s

The recipient was reminded too. What can be done: %(address)s
"""
)
NOTHING = "—"


def tell_of_incident(session: Session, incident: Incident, delivery: Delivery, *, base_url: str,
                     at: datetime) -> None:  # fmt: skip
    """To every dispatcher in their language, once. Needs the delivery's customer."""
    for person in queries.dispatchers(session):
        say = translator(person.language)
        facts = {
            "name": person.name,
            "reporter": incident.opened_by,
            "number": delivery.number,
            "customer": delivery.organisation.name,
            "what": say(INCIDENT_TITLES[incident.kind]),
            "text": incident.text,
            "address": f"{base_url}/couriers/{delivery.id}",
            **{name: value or NOTHING for name, value in incident.seen.items()},
        }
        post(session, key=f"couriers.incident:{incident.id}:{person.id}", recipient=person.email,
             subject=say(INCIDENT_SUBJECT) % facts, text=say(INCIDENT_TEXT) % facts, at=at)  # fmt: skip


def left(session: Session, consignment: Consignment, delivery: Delivery, *, base_url: str, at: datetime) -> None:
    """To the recipient, in their language, once. Needs product, medium, carrier and what was written."""
    recipient = delivery.recipient or {}
    if not recipient.get("email"):
        return
    say = translator(recipient.get("language", "en"))
    facts = _facts(consignment, delivery) | {
        "name": recipient.get("name", ""),
        "medium": f"{say(MEDIUM_KIND_TITLES[consignment.medium.kind])}, {consignment.medium.serial}",
        "seal": consignment.seal,
        "words": " ".join(digest_words(consignment.writing.kit_sha256, recipient.get("language", "en"))),
        "address": f"{base_url}/r",
    }
    post(session, key=f"couriers.left:{consignment.id}", recipient=recipient["email"],
         subject=say(LEFT_SUBJECT) % facts, text=say(LEFT_TEXT) % facts, at=at)  # fmt: skip


def remind(session: Session, consignment: Consignment, delivery: Delivery, *, base_url: str, at: datetime) -> None:
    """To the recipient and to every dispatcher, each in their language. Needs customer, product, medium, carrier."""
    facts = _facts(consignment, delivery)
    key = f"couriers.remind:{consignment.id}:{consignment.reminders + 1}"
    recipient = delivery.recipient or {}
    say = translator(recipient.get("language", "en"))
    to_recipient = facts | {"name": recipient.get("name", ""), "address": f"{base_url}/r"}
    if recipient.get("email"):
        post(session, key=f"{key}:recipient", recipient=recipient["email"],
             subject=say(REMINDER_SUBJECT) % to_recipient, text=say(REMINDER_TEXT) % to_recipient, at=at)  # fmt: skip
    for person in queries.dispatchers(session):
        say = translator(person.language)
        own = facts | {"name": person.name, "address": f"{base_url}/couriers/{delivery.id}"}
        post(session, key=f"{key}:{person.id}", recipient=person.email,
             subject=say(NO_RECEIPT_SUBJECT) % own, text=say(NO_RECEIPT_TEXT) % own, at=at)  # fmt: skip


def _facts(consignment: Consignment, delivery: Delivery) -> dict[str, str | None]:
    return {
        "number": delivery.number,
        "customer": delivery.organisation.name,
        "product": delivery.release.product.name,
        "version": delivery.release.version,
        "day": f"{consignment.handed_over_at:%Y-%m-%d}",
        "carrier": consignment.carrier.name if consignment.carrier else NOTHING,
        "tracking": consignment.tracking,
        "link": tracking_link(consignment.carrier, consignment.tracking) or "",
    }
