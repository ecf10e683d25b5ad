"""A call taken down: who calls, what is promised to them, how bad it is (P1, P3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements.models import Contract
from portal.errors import mark
from portal.inventory.models import Device
from portal.mail.words import translator
from portal.releases.models import Product
from portal.texts import one_line
from portal.tickets import policy, service
from portal.tickets.errors import ReasonForSeverity
from portal.tickets.models import Degree, Ticket, TicketChannel, TicketSeverity, TicketState
from portal.tickets.service import TicketFacts

MOST_OFFERED = 300
REASON_CHARS = 500
ANSWERED = mark("Answered on the telephone during the call.")

IMPACT_TITLES = {
    Degree.HIGH: mark("Service is down"),
    Degree.MEDIUM: mark("Service is degraded"),
    Degree.LOW: mark("Service is not affected"),
}
URGENCY_TITLES = {
    Degree.HIGH: mark("At once"),
    Degree.MEDIUM: mark("Today"),
    Degree.LOW: mark("It can wait"),
}
_H, _M, _L = Degree.HIGH, Degree.MEDIUM, Degree.LOW
_S = TicketSeverity
SEVERITIES: dict[tuple[Degree, Degree], TicketSeverity] = {
    (_H, _H): _S.CRITICAL, (_H, _M): _S.MAJOR, (_H, _L): _S.MAJOR,
    (_M, _H): _S.MAJOR, (_M, _M): _S.MAJOR, (_M, _L): _S.MINOR,
    (_L, _H): _S.MINOR, (_L, _M): _S.MINOR, (_L, _L): _S.MINOR,
}  # fmt: skip
"""By impact and urgency."""


@dataclass(frozen=True)
class Customer:
    """What an engineer needs to know of a customer while it is on the telephone."""

    organisation: Organisation
    contracts: Sequence[Contract]
    open_tickets: Sequence[Ticket]
    devices: Sequence[Device]


def severity_of(impact: Degree, urgency: Degree) -> TicketSeverity:
    return SEVERITIES[impact, urgency]


def customer_of(session: Session, organisation: Organisation, *, at: datetime) -> Customer:
    """The customer with the contracts that run now, its open tickets (newest first) and its devices by serial."""
    contracts = select(Contract).where(
        Contract.organisation_id == organisation.id, Contract.starts_at <= at, Contract.ends_at > at
    )
    tickets = select(Ticket).where(Ticket.organisation_id == organisation.id, Ticket.state != TicketState.CLOSED)
    return Customer(
        organisation,
        session.scalars(contracts.order_by(Contract.ends_at.desc(), Contract.number)).all(),
        session.scalars(tickets.order_by(Ticket.number.desc()).limit(20)).all(),
        devices_of(session, organisation.id),
    )


def devices_of(session: Session, organisation_id: UUID, *, besides: UUID | None = None) -> list[Device]:
    """The customer's devices by serial, as many as can be chosen from; before them the one named `besides`."""
    rows = select(Device).where(Device.organisation_id == organisation_id, Device.removed_at.is_(None))
    found = list(session.scalars(rows.order_by(Device.serial).limit(MOST_OFFERED)))
    named = device_of(session, organisation_id, besides)
    return found if named is None or named in found else [named, *found]


def take_call(
    session: Session, facts: TicketFacts, *, chosen: TicketSeverity | None, answered: bool, by: Actor, at: datetime
) -> Ticket:
    """A ticket of a call. Its severity follows from impact and urgency unless another is chosen, with the reason.

    With `answered` the human answer stands in the thread at once. Raises Forbidden, ReasonForSeverity, and what
    `service.open_ticket` raises.
    """
    policy.require_work(by)
    call = facts.call or service.NO_CALL
    computed = severity_of(call.impact or _L, call.urgency or _L)
    chosen, reason = weighed(computed, chosen, call.severity_reason)
    call = replace(call, severity_reason=reason, caller=one_line(call.caller, limit=200, required=False))
    facts = replace(facts, severity=chosen, channel=TicketChannel.TELEPHONE, call=call)
    ticket = service.open_ticket(session, facts, by=by, at=at)
    if answered and ticket.state is TicketState.NEW:
        session.flush()  # the answer locks the ticket in the database
        service.answer(session, ticket, translator(facts.organisation.language)(ANSWERED), by=by, at=at)
    return ticket


def weighed(computed: TicketSeverity, chosen: TicketSeverity | None, reason: str) -> tuple[TicketSeverity, str]:
    """The severity that holds, and why it is another than impact and urgency give. Raises ReasonForSeverity."""
    reason = one_line(reason, limit=REASON_CHARS, required=False)
    if chosen is None or chosen is computed:
        return computed, ""
    if not reason:
        raise ReasonForSeverity
    return chosen, reason


def device_of(session: Session, organisation_id: UUID, device_id: UUID | None) -> Device | None:
    """The customer's own device that stands there, else none."""
    found = session.get(Device, device_id) if device_id else None
    return found if found and found.is_there and found.organisation_id == organisation_id else None


def product_of(session: Session, device: Device | None, product: Product | None) -> Product | None:
    """The product that was chosen, else the device's."""
    return product or (session.get(Product, device.product_id) if device else None)
