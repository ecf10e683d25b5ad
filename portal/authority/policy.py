"""Who names authorized persons, who decides on their powers of attorney, and who may be both."""

from uuid import UUID

from portal.actors import Actor, Via
from portal.authority.errors import NotYourCustomer, SecondPersonNeeded
from portal.authority.models import PowerOfAttorney
from portal.permissions import Permission


def may_manage(by: Actor, organisation_id: UUID) -> bool:
    """The customer's own manager, or a dispatcher on the customer's behalf."""
    if by.is_customer:
        return by.organisation_id == organisation_id and by.may(Permission.AUTHORITY_MANAGE)
    return by.may(Permission.AUTHORITY_CONFIRM)


def require_may_manage(by: Actor, organisation_id: UUID) -> None:
    """Raises NotYourCustomer. Whom the actor can't even see, a query has kept from getting here."""
    if not may_manage(by, organisation_id):
        raise NotYourCustomer


def may_decide(by: Actor) -> bool:
    return by.is_staff and by.may(Permission.AUTHORITY_CONFIRM)


def require_may_confirm(by: Actor, power: PowerOfAttorney, *, second_person: bool) -> None:
    """Raises NotYourCustomer, and SecondPersonNeeded for whoever entered the power or its holder's name and address."""
    if not may_decide(by):
        raise NotYourCustomer
    if second_person and is_own_entry(by, power) and by.via is not Via.COMMAND:
        raise SecondPersonNeeded(number=power.number)


def is_own_entry(by: Actor, power: PowerOfAttorney) -> bool:
    """Whether the actor said what the power gives, or to whom. Needs the holder."""
    return by.person_id is not None and by.person_id in (power.created_by, power.holder.created_by)


def may_open_scan(by: Actor, organisation_id: UUID) -> bool:
    """A scan shows more of a person than a list does: who manages or decides, and who audits."""
    return may_manage(by, organisation_id) or (by.is_staff and by.may(Permission.AUDIT_READ))
