"""What is noticed at each commit: that the board looks different, and that clocks follow from other contracts now.

The rows themselves are listened to, so that no verb, of this room or another, no import and no command can forget it.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, event, select, text
from sqlalchemy.orm import Session

from portal.entitlements.models import Contract, ContractLine
from portal.tickets import standing
from portal.tickets.clock import ENDED
from portal.tickets.models import DeskVersion, ServiceProgramme, Ticket
from portal.tickets.rota_models import DutyShift, ShiftNote

ON_THE_BOARD = (Ticket, ShiftNote, DutyShift, ServiceProgramme)
MOVED, PROGRAMMES = "the board moved", "programmes changed"
CUSTOMERS, CONTRACTS = "customers with other contracts", "contracts with other lines"
NOTED = (MOVED, PROGRAMMES, CUSTOMERS, CONTRACTS)
AT_ONCE = 500
LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""What is kept of a clock does not depend on the present instant."""

# The row is made by whoever comes first; from here to the end of the commit everybody else waits, and no longer.
_RAISE = text("INSERT INTO desk_version (id, version) VALUES (1, 1) "
              "ON CONFLICT (id) DO UPDATE SET version = desk_version.version + 1")  # fmt: skip


def version(session: Session) -> int:
    """Higher after every commit that changed a ticket, a note, the rota or a programme; read it before what it is of.

    The rows of others (a customer's name, a product's) do not raise it.
    """
    return session.scalar(select(DeskVersion.version).where(DeskVersion.id == 1)) or 0


@event.listens_for(Session, "after_flush")
def _note(session: Session, _context: object) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, ON_THE_BOARD):
            session.info[MOVED] = True
        if isinstance(row, ServiceProgramme):
            session.info[PROGRAMMES] = True
        elif isinstance(row, Contract):
            session.info.setdefault(CUSTOMERS, set()).add(row.organisation_id)
        elif isinstance(row, ContractLine):
            session.info.setdefault(CONTRACTS, set()).add(row.contract_id)


@event.listens_for(Session, "before_commit")
def _follow(session: Session) -> None:
    """Before the audit chain is linked: whoever waits for a ticket here must not hold up everybody else."""
    session.flush()  # so that everything is noted
    customers, contracts = session.info.pop(CUSTOMERS, set()), session.info.pop(CONTRACTS, set())
    if session.info.pop(PROGRAMMES, False):
        _keep_all(session)
    elif customers or contracts:
        _keep(session, customers, contracts)
        session.info[MOVED] = True
    session.flush()
    if session.info.pop(MOVED, False):
        session.execute(_RAISE)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    for noted in NOTED:
        session.info.pop(noted, None)


def _keep(session: Session, customers: set[UUID], contracts: set[UUID]) -> None:
    """Their open tickets may promise something else from now on: in the same transaction, so nothing is ever late."""
    if contracts:
        customers |= set(session.scalars(select(Contract.organisation_id).where(Contract.id.in_(contracts))))
    for tickets in session.scalars(_open(Ticket.organisation_id.in_(customers))).partitions(AT_ONCE):
        standing.keep(session, *tickets, at=LONG_AGO)


def _keep_all(session: Session) -> None:
    """Any open ticket may promise something else: some seconds for ten thousand, and only what does is locked."""
    last: int | None = 0
    while last is not None:
        wrong, last = standing.drifted(session, last, AT_ONCE, at=LONG_AGO)
        if wrong:
            standing.keep(session, *session.scalars(_open(Ticket.id.in_(wrong))), at=LONG_AGO)


def _open(which: ColumnElement[bool]) -> Select[Ticket]:
    rows = select(Ticket).where(which, Ticket.state.not_in(ENDED)).order_by(Ticket.number)
    return rows.with_for_update().execution_options(populate_existing=True)
