"""The clock of a ticket on record: its events as the clock sees them, and the programme that its contract names."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from portal.entitlements.models import Contract, ContractLine, ContractState
from portal.releases.models import Product
from portal.tickets.clock import Happening, Moment, Reading, TicketFacts, readings
from portal.tickets.models import (
    ServiceProgramme,
    Ticket,
    TicketChannel,
    TicketEvent,
    TicketEventKind,
    TicketSeverity,
    TicketState,
    severities,
)
from portal.tickets.programmes import EXPERT_24X7, Measure, Programme, from_terms

BUILT_IN = {EXPERT_24X7.name: EXPERT_24X7}


class Timed(Protocol):
    """As much of a ticket as its clock asks: the ticket itself, or a few columns of it."""

    @property
    def id(self) -> UUID: ...
    @property
    def organisation_id(self) -> UUID: ...
    @property
    def product_id(self) -> UUID | None: ...
    @property
    def channel(self) -> TicketChannel: ...
    @property
    def severity(self) -> TicketSeverity: ...
    @property
    def created_at(self) -> datetime: ...


class Term(NamedTuple):
    """As much of a contract as decides whose programme holds, and in whose zone its days are."""

    id: UUID
    programme: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str

    def is_running(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


class Terms(NamedTuple):
    """What a ticket is held to: its programme, and the contract that names it, where there is one."""

    programme: Programme
    contract: Term | None


class Told(NamedTuple):
    """As much of an event as the clock asks."""

    kind: TicketEventKind
    at: datetime
    by_staff: bool
    is_automatic: bool
    detail: str


def clock_of(
    session: Session,
    ticket: Ticket,
    events: Sequence[TicketEvent],
    *,
    at: datetime,
    programme: Programme | None = None,
) -> dict[Measure, Reading]:
    """Every promise of the ticket as it stands at this instant; the same for customer and engineer.

    `events` are the ticket's in their order; what is internal may be missing, since it moves no clock. `programme` is
    the ticket's, where it is known already.
    """
    programme = programme or programme_of(session, ticket)
    return readings(moments_of(events), TicketFacts(ticket.channel, ticket.severity), programme, now=at)


def moments_of(events: Iterable[TicketEvent | Told]) -> list[Moment]:
    """What the clock asks of the events: the opening, each human answer of the support centre, each change of state
    or severity."""
    told, moments = list(events), list[Moment]()
    assessed = next((event for event in told if event.kind is TicketEventKind.ASSESSED), None)
    state, severity = TicketState.NEW, severities(assessed.detail)[0] if assessed else None
    for event in told:
        if event.kind is TicketEventKind.STATE:
            state = TicketState(event.detail)
        if event.kind is TicketEventKind.ASSESSED:
            _before, severity = severities(event.detail)
        happened = happening(event)
        if happened:
            moments.append(Moment(event.at, happened, state, severity))
    return moments


def programme_of(session: Session, ticket: Ticket) -> Programme:
    """As `programmes_of`, for one ticket."""
    return programmes_of(session, [ticket])[ticket.id]


def programmes_of(session: Session, tickets: Sequence[Timed]) -> dict[UUID, Programme]:
    """By ticket: the programme of the contract that ran when the ticket was opened; see `terms_of`."""
    return {ticket_id: terms.programme for ticket_id, terms in terms_of(session, tickets).items()}


def terms_of(session: Session, tickets: Sequence[Timed]) -> dict[UUID, Terms]:
    """By ticket: the contract that ran when the ticket was opened, and its programme.

    One for its product before any other, the last to end before the others; without a contract the default programme.
    Three statements, however many tickets.
    """
    organisations = {ticket.organisation_id for ticket in tickets}
    rows = select(Contract.organisation_id, *(getattr(Contract, name) for name in Term._fields)).where(
        Contract.organisation_id.in_(organisations), Contract.state == ContractState.ACTIVE
    )
    contracts: dict[UUID, list[Term]] = {}
    for row in session.execute(rows.order_by(Contract.ends_at.desc(), Contract.number)):
        contracts.setdefault(row[0], []).append(Term(*row[1:]))
    covering = _covering(session, tickets)
    known = {row.name: from_terms(row.name, row.terms) for row in session.scalars(select(ServiceProgramme))}
    found = {}
    for ticket in tickets:
        running = [one for one in contracts.get(ticket.organisation_id, ()) if one.is_running(ticket.created_at)]
        first = min(running, key=lambda one: (one.id, ticket.product_id) not in covering, default=None)
        name = first.programme if first else EXPERT_24X7.name
        found[ticket.id] = Terms(known.get(name) or BUILT_IN.get(name, EXPERT_24X7), first)
    return found


def _covering(session: Session, tickets: Sequence[Timed]) -> set[tuple[UUID, UUID | None]]:
    """(contract, product) of every line of these customers that names a ticket's product or its family."""
    lines = (
        select(ContractLine.contract_id, Product.id)
        .join(Contract, Contract.id == ContractLine.contract_id)
        .join(Product, or_(ContractLine.product_id == Product.id, ContractLine.family_id == Product.family_id))
        .where(
            Contract.organisation_id.in_({ticket.organisation_id for ticket in tickets}),
            Product.id.in_({ticket.product_id for ticket in tickets if ticket.product_id}),
        )
    )
    return {(contract_id, product_id) for contract_id, product_id in session.execute(lines)}


def clocks_of(
    session: Session,
    tickets: Sequence[Timed],
    *,
    at: datetime,
    programmes: Mapping[UUID, Programme] | None = None,
    ids: Select[UUID] | None = None,
    measures: Iterable[Measure] = Measure,
) -> dict[UUID, dict[Measure, Reading]]:
    """The clocks of several tickets in four statements.

    `programmes` are the tickets' own, where they are known already. `ids` selects their ids (and perhaps more), where
    they are so many that no statement could name each; `measures` as `readings` has it.
    """
    events = events_of(session, [ticket.id for ticket in tickets] if ids is None else ids)
    programmes = programmes_of(session, tickets) if programmes is None else programmes
    return {
        ticket.id: readings(
            moments_of(events.get(ticket.id, ())),
            TicketFacts(ticket.channel, ticket.severity),
            programmes[ticket.id],
            now=at,
            measures=measures,
        )
        for ticket in tickets
    }


def events_of(session: Session, ticket_ids: Sequence[UUID] | Select[UUID]) -> dict[UUID, list[Told]]:
    """By ticket, the events that move its clock, in their order; without their texts."""
    by_ticket: dict[UUID, list[Told]] = {}
    is_answer = and_(TicketEvent.kind == TicketEventKind.MESSAGE, TicketEvent.by_staff)
    moves = or_(TicketEvent.kind.in_(_MOVING), is_answer)
    columns = (TicketEvent.kind, TicketEvent.at, TicketEvent.by_staff, TicketEvent.is_automatic, TicketEvent.detail)
    rows = select(TicketEvent.ticket_id, *columns).where(TicketEvent.ticket_id.in_(ticket_ids), moves)
    ordered = rows.order_by(TicketEvent.ticket_id, TicketEvent.sequence)
    for ticket_id, kind, at, by_staff, is_automatic, detail in session.execute(ordered):
        by_ticket.setdefault(ticket_id, []).append(Told(kind, at, by_staff, is_automatic, detail))
    return by_ticket


def happening(event: TicketEvent | Told) -> Happening | None:
    """What the event is to the clock; None when it is nothing to it."""
    if event.kind is TicketEventKind.MESSAGE and event.by_staff and not event.is_automatic:
        return Happening.HUMAN_ANSWER
    return _MOVING.get(event.kind)


_MOVING = {
    TicketEventKind.OPENED: Happening.OPENED,
    TicketEventKind.STATE: Happening.STATE,
    TicketEventKind.ASSESSED: Happening.SEVERITY,
}
"""What moves a clock besides answers."""
