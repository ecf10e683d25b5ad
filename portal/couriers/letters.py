"""Letters about parcels: a difference to the dispatchers, a reminder to both sides."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.couriers import queries
from portal.couriers.carriers import tracking_link
from portal.couriers.models import Consignment, Incident
from portal.couriers.states import INCIDENT_TITLES
from portal.deliveries.models import Delivery
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


def remind(session: Session, consignment: Consignment, delivery: Delivery, *, base_url: str, at: datetime) -> None:
    """To the recipient and to every dispatcher, each in their language. Needs customer, product, medium, carrier."""
    facts = {
        "number": delivery.number,
        "customer": delivery.organisation.name,
        "product": delivery.release.product.name,
        "version": delivery.release.version,
        "day": f"{consignment.handed_over_at:%Y-%m-%d}",
        "carrier": consignment.carrier.name if consignment.carrier else NOTHING,
        "tracking": consignment.tracking,
        "link": tracking_link(consignment.carrier, consignment.tracking) or "",
    }
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
