"""How bad a ticket is and what it is about, once the support centre has looked: a mail says neither, and people err.

The promised times follow the severity and the contract of the product, so both sides read it in the thread.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag
from portal.inventory.models import Device
from portal.releases.models import Product
from portal.texts import one_line
from portal.tickets import intake, policy, queries, service, standing
from portal.tickets.clock import ENDED
from portal.tickets.errors import StepNotPossible, UnknownProduct
from portal.tickets.models import (
    TICKET_STATE_TITLES,
    Degree,
    Ticket,
    TicketEventKind,
    TicketKind,
    TicketSeverity,
)

_H, _M, _L = Degree.HIGH, Degree.MEDIUM, Degree.LOW
LIKELY = {TicketSeverity.CRITICAL: (_H, _H), TicketSeverity.MAJOR: (_M, _H), TicketSeverity.MINOR: (_L, _M)}
"""Impact and urgency of a ticket of which nobody has said them, so that its severity stays as its sender chose it."""


@dataclass(frozen=True)
class Assessment:
    """`chosen`: another severity than impact and urgency give, with the `reason`, which stays with the support centre.

    `device` is one of the customer's own; without a product it says that too, and the version.
    """

    kind: TicketKind
    impact: Degree
    urgency: Degree
    product: Product | None = None
    device: Device | None = None
    installed_version: str = ""
    chosen: TicketSeverity | None = None
    reason: str = ""


def likely(ticket: Ticket) -> tuple[Degree, Degree]:
    """Impact and urgency as they were said, else as the severity suggests."""
    impact, urgency = LIKELY[ticket.severity]
    return ticket.impact or impact, ticket.urgency or urgency


def assess(session: Session, ticket: Ticket, found: Assessment, *, by: Actor, at: datetime) -> None:
    """Put the ticket right; what is as it was is no change.

    Raises Forbidden, StepNotPossible once no promise runs, ReasonForSeverity, UnknownProduct, and the errors of
    portal.texts.
    """
    policy.require_work(by)
    severity, reason = intake.weighed(intake.severity_of(found.impact, found.urgency), found.chosen, found.reason)
    product = intake.product_of(session, found.device, found.product)
    _require_known(session, ticket, product, at)
    version = one_line(found.installed_version, limit=service.MAX_VERSION_CHARS, required=False)
    version = version or (found.device.installed_version or "" if found.device else "")
    service.hold(session, ticket)
    session.refresh(ticket, ["severity"])
    if ticket.state in ENDED:
        raise StepNotPossible(number=str(ticket), state=TICKET_STATE_TITLES[ticket.state])
    wanted = {
        "kind": found.kind,
        "severity": severity,
        "severity_reason": reason,
        "impact": found.impact,
        "urgency": found.urgency,
        "product_id": product.id if product else None,
        "device_id": found.device.id if found.device else None,
        "installed_version": version or None,
    }
    changed = {name: value for name, value in wanted.items() if getattr(ticket, name) != value}
    if not changed:
        return
    before = ticket.severity
    for name, value in changed.items():
        setattr(ticket, name, value)
    detail = f"{before.value} {severity.value}"
    about = _about(product, version, found.device) if changed.keys() & _ABOUT else ""
    service.append(session, ticket, TicketEventKind.ASSESSED, by=by, at=at, detail=detail, body=about)
    service.record(session, Tag.TICKET_ASSESS, ticket, by=by, at=at, before=before.value, after=severity.value,
                   changed=sorted(changed))  # fmt: skip
    session.flush()  # the clock is read from the database
    session.refresh(ticket, ["product"])
    standing.keep(session, ticket, at=at)


_ABOUT = {"product_id", "device_id", "installed_version"}


def _about(product: Product | None, version: str, device: Device | None) -> str:
    parts = (product.name if product else "", version, device.serial if device else "")
    return " · ".join(part for part in parts if part)


def _require_known(session: Session, ticket: Ticket, product: Product | None, at: datetime) -> None:
    """The ticket tells its customer the product's name. One that it is about already may stay."""
    if product is None or product.id == ticket.product_id:
        return
    known = queries.products_for(ticket.organisation_id, at).where(Product.id == product.id)
    if session.scalar(known) is None:
        raise UnknownProduct(product=product.code)
