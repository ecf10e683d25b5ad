"""Carriers, and the addresses where their parcels can be followed."""

from datetime import datetime
from string import Formatter
from urllib.parse import quote, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.couriers.errors import BadTracking, CarrierTaken
from portal.couriers.models import Carrier
from portal.texts import folded, one_line

MAX_NAME_CHARS = 100
MAX_ADDRESS_CHARS = 500
MAX_PHONE_CHARS = 40
PLACE = "tracking"
_SAMPLE = "A1"


def tracking_template(text: str) -> str:
    """An https address with {tracking} once or more in its path or query, or nothing. Raises BadTracking."""
    text = one_line(text, limit=MAX_ADDRESS_CHARS, required=False)
    if not text:
        return ""
    try:
        places = {name for _, name, spec, conversion in Formatter().parse(text) if name is not None
                  and not spec and not conversion}  # fmt: skip
        named = urlsplit(text.replace("{" + PLACE + "}", _SAMPLE))
        parts, port = urlsplit(text), named.port
    except ValueError as error:
        raise BadTracking from error
    is_there = "{" + PLACE + "}" in parts.path + "?" + parts.query
    is_plain = text.isascii() and not any(sign.isspace() or sign in "\"'<>\\`" for sign in text)
    is_host = bool(named.hostname) and "{" not in parts.netloc and "@" not in parts.netloc and port != 0
    if parts.scheme != "https" or places != {PLACE} or not (is_there and is_plain and is_host):
        raise BadTracking
    return text


def tracking_link(carrier: Carrier | None, tracking: str) -> str | None:
    """Where the parcel can be followed, or None."""
    if carrier is None or not carrier.tracking_url or not tracking:
        return None
    return carrier.tracking_url.replace("{" + PLACE + "}", quote(tracking, safe=""))


def save(session: Session, carrier: Carrier | None, facts: dict[str, str], *, by: Actor, at: datetime) -> Carrier:
    """A new carrier, or the facts of one changed: {name, tracking_url, phone}.

    Raises CarrierTaken, BadTracking, and the errors of portal.texts.
    """
    name = one_line(facts["name"], limit=MAX_NAME_CHARS)
    key = folded(name)
    known = session.scalar(select(Carrier).where(Carrier.name_key == key))
    if known is not None and (carrier is None or known.id != carrier.id):
        raise CarrierTaken(name=name)
    carrier = carrier or Carrier(created_at=at)
    carrier.name, carrier.name_key = name, key
    carrier.tracking_url = tracking_template(facts["tracking_url"])
    carrier.phone = one_line(facts["phone"], limit=MAX_PHONE_CHARS, required=False)
    session.add(carrier)
    session.flush()  # what is audited has an id
    audit.record(session, Tag.CARRIER_SAVE, by=by, at=at, subject=carrier, named=carrier.name,
                 tracking_url=carrier.tracking_url, phone=carrier.phone)  # fmt: skip
    return carrier
