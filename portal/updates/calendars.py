"""The calendar of planned work: iCalendar (RFC 5545) under an address that only its person knows, and can revoke."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from icalendar import Calendar, Event
from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.accounts.service import actor_of
from portal.actors import Actor, Via
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.errors import Forbidden, NotFound, mark
from portal.permissions import Permission
from portal.updates import queries
from portal.updates.models import CalendarFeed, UpdateRequest
from portal.updates.states import UPDATE_STATE_TITLES, WAY_TITLES, UpdateState

KEPT = timedelta(days=90)
"""How long what is over stays in the calendar."""
NAME = mark("Planned updates")
_STATUS = {UpdateState.PROPOSED: "TENTATIVE"}
PRODUCT_ID = "-//Release portal//Planned updates//EN"


def new_feed(session: Session, *, by: Actor, at: datetime) -> str:
    """A secret for the person's address; the one before no longer opens. Raises Forbidden."""
    if by.person_id is None or not by.may(Permission.UPDATES_READ):
        raise Forbidden(permission=Permission.UPDATES_READ)
    revoke_feed(session, by=by, at=at)
    secret = secrets.token_urlsafe(24)
    session.add(CalendarFeed(person_id=by.person_id, secret_hash=hash_of(secret), created_at=at))
    audit.record(session, Tag.CALENDAR_FEED, by=by, at=at, named=by.name, made=True)
    return secret


def revoke_feed(session: Session, *, by: Actor, at: datetime) -> None:
    """The person's address opens no longer; of none nothing is said."""
    found = queries.feed_of(session, by.person_id) if by.person_id else None
    if found is None:
        return
    session.execute(delete(CalendarFeed).where(CalendarFeed.id == found.id))
    session.flush()  # another may follow for the same person
    audit.record(session, Tag.CALENDAR_FEED, by=by, at=at, named=by.name, made=False)


def reader_of(session: Session, secret: str) -> Actor:
    """Whose address it is, with what they may see today. Raises NotFound."""
    found = queries.feed_by_hash(session, hash_of(secret))
    if found is None or not found.person.is_active:
        raise NotFound
    reader = actor_of(found.person, address="", via=Via.TOKEN)
    if not reader.may(Permission.UPDATES_READ):
        raise NotFound
    return reader


def calendar(
    planned: Iterable[UpdateRequest], translate: Callable[[str], str], *, address: Callable[[UpdateRequest], str],
    at: datetime,
) -> bytes:  # fmt: skip
    """A VCALENDAR; instants in UTC, so that no reader's zone rules move them. `address` is of the update's page."""
    made = Calendar()
    made.add("prodid", PRODUCT_ID)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", translate(NAME))
    for update in planned:
        made.add_component(_event(update, translate, address(update), at))
    return bytes(made.to_ical())


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _event(update: UpdateRequest, translate: Callable[[str], str], address: str, at: datetime) -> Event:
    made = Event()
    product = update.release.product.name
    made.add("uid", f"{update.id}@updates")
    made.add("dtstamp", at)
    made.add("sequence", update.revision)
    made.add("dtstart", update.begins_at)
    made.add("dtend", update.ends_at)
    made.add("summary", f"{update.number} {product} {update.release.version} – {update.organisation.name}")
    made.add("status", _STATUS.get(update.state, "CONFIRMED"))
    serials = ", ".join(device.device.serial for device in update.devices)
    state = translate(UPDATE_STATE_TITLES[update.state])
    made.add("description", f"{state}. {translate(WAY_TITLES[update.way])}\n{serials}")
    sites = {device.device.site.name for device in update.devices if device.device.site}
    if sites:
        made.add("location", ", ".join(sorted(sites)))
    made.add("url", address)
    return made
