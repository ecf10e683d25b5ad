"""The verbs of a customer's address book and of its policy for deliveries."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.deliveries.errors import AddressTooLong, CountryUnknown, TooManyAddresses
from portal.deliveries.models import DeliveryAddress, DeliveryPolicy
from portal.errors import Forbidden, NotFound
from portal.permissions import OrganisationKind, Permission
from portal.texts import TextMissing, TextTooLong, lines, one_line

MAX_LABEL_CHARS = 100
MAX_LINES = 5
MAX_LINE_CHARS = 60
MAX_PHONE_CHARS = 40
MAX_ADDRESSES = 200
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class AddressFacts:
    """An address as it is written: `text` has a line of the address in each of its lines."""

    label: str
    text: str
    country: str
    phone: str = ""


def save_address(
    session: Session, organisation: Organisation, facts: AddressFacts, *, by: Actor, at: datetime
) -> DeliveryAddress:
    """A new address of the customer's book: by its own people, or by the support centre for it.

    Raises Forbidden, NotFound, AddressTooLong, CountryUnknown, TooManyAddresses, and the errors of portal.texts.
    """
    _require_book(organisation, by)
    address = DeliveryAddress(
        organisation_id=organisation.id,
        label=one_line(facts.label, limit=MAX_LABEL_CHARS),
        lines=address_lines(facts.text),
        country=country(facts.country),
        phone=one_line(facts.phone, limit=MAX_PHONE_CHARS, required=False),
        created_at=at,
    )
    count = select(func.count()).where(
        DeliveryAddress.organisation_id == organisation.id, DeliveryAddress.removed_at.is_(None)
    )
    if (session.scalar(count) or 0) >= MAX_ADDRESSES:
        raise TooManyAddresses(limit=MAX_ADDRESSES)
    session.add(address)
    session.flush()  # whoever asks for it next chooses it by its id
    audit.record(session, Tag.ADDRESS_SAVE, by=by, at=at, subject=address, named=address.label,
                 customer=organisation.id, lines=address.lines, country=address.country)  # fmt: skip
    return address


def remove_address(session: Session, address: DeliveryAddress, *, by: Actor, at: datetime) -> None:
    """It is offered no longer; deliveries keep what they copied. Removing twice is removing once. Raises Forbidden."""
    if not by.may(Permission.DELIVERIES_REQUEST):
        raise Forbidden(permission=Permission.DELIVERIES_REQUEST)
    session.refresh(address, ["removed_at"], with_for_update=True)
    if address.removed_at is not None:
        return
    address.removed_at = at
    audit.record(session, Tag.ADDRESS_REMOVE, by=by, at=at, subject=address, named=address.label,
                 customer=address.organisation_id)  # fmt: skip


def save_policy(session: Session, organisation_id: object, *, may_attach: bool, wants_witness: bool, by: Actor,
                at: datetime) -> DeliveryPolicy:  # fmt: skip
    """What the customer lets the portal do and asks of it, said by its manager. Raises Forbidden, NotFound."""
    if not by.may(Permission.AUTHORITY_MANAGE):
        raise Forbidden(permission=Permission.AUTHORITY_MANAGE)
    if by.organisation_id != organisation_id:
        raise NotFound
    policy = session.get(DeliveryPolicy, organisation_id, with_for_update=True)
    if policy is None:
        policy = DeliveryPolicy(organisation_id=organisation_id, may_attach=False, wants_witness=False)
        session.add(policy)
    if (policy.may_attach, policy.wants_witness) != (may_attach, wants_witness):
        policy.may_attach, policy.wants_witness = may_attach, wants_witness
        audit.record(session, Tag.DELIVERY_POLICY, by=by, at=at, subject=policy, named=by.name,
                     customer=organisation_id, may_attach=may_attach, wants_witness=wants_witness)  # fmt: skip
    return policy


def address_lines(text: str) -> list[str]:
    """The lines of an address; empty ones are left out. Raises AddressTooLong and the errors of portal.texts."""
    try:
        kept = lines(text, limit=2 * MAX_LINES * MAX_LINE_CHARS)
    except TextTooLong as error:
        raise AddressTooLong(limit=MAX_LINES, width=MAX_LINE_CHARS) from error
    found = [" ".join(line.split()) for line in kept.split("\n") if line.strip()]
    if not found:
        raise TextMissing
    if len(found) > MAX_LINES or any(len(line) > MAX_LINE_CHARS for line in found):
        raise AddressTooLong(limit=MAX_LINES, width=MAX_LINE_CHARS)
    return found


def country(text: str) -> str:
    """Two letters, ISO 3166-1. Raises CountryUnknown."""
    code = text.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise CountryUnknown
    return code


def _require_book(organisation: Organisation, by: Actor) -> None:
    if not by.may(Permission.DELIVERIES_REQUEST):
        raise Forbidden(permission=Permission.DELIVERIES_REQUEST)
    is_anothers = not by.is_staff and organisation.id != by.organisation_id
    if organisation.kind is not OrganisationKind.CUSTOMER or is_anothers:
        raise NotFound
