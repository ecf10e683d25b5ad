"""Issuing a statement: composed, drawn and signed once, then only read."""

from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import PORTAL_JOB
from portal.audit.service import Tag, record
from portal.db import reading
from portal.entitlements.models import Contract
from portal.reports import content, packing
from portal.reports.models import Statement
from portal.reports.months import Month, Months
from portal.resources import Resources
from portal.tickets.models import Ticket

SETTLES_AFTER = timedelta(days=2)
"""By UTC: a month ends at UTC-12 half a day after it ends in UTC, and the last evening's questions find an answer."""
CATCHES_UP = 3
"""So many months back a statement that is missing is still issued."""
MOST_BYTES = 64 << 20


def due(session: Session, at: datetime) -> list[tuple[UUID, Month]]:
    """(customer, month) of every statement that should be there and is not; months before a contract was on record
    are not made up."""
    last = Month.of(at - SETTLES_AFTER, "UTC").moved(-1)
    months = [last.moved(-back) for back in reversed(range(CATCHES_UP))]
    there = select(Statement.organisation_id, Statement.month).where(Statement.month.in_([str(one) for one in months]))
    issued = {(organisation_id, month) for organisation_id, month in session.execute(there)}
    found = []
    for month in months:
        found += [(one, month) for one in _customers(session, month) if (one, str(month)) not in issued]
    return found


def issue(resources: Resources, organisation_id: UUID, month: Month, *, at: datetime) -> Statement | None:
    """The customer's statement of the month: as it was issued, or issued now. None where there is nothing to state.

    Object first, then the row; of two at once one is kept, and the other's bytes lie unnamed. Raises SigningError,
    and what the store raises.
    """
    with resources.sessions() as session:
        reading(session)
        issued = _issued(session, organisation_id, month)
        organisation = session.get_one(Organisation, organisation_id)
        said = None if issued else content.compose(session, organisation, month, at=at)
    if issued or said is None:
        return issued
    signer = resources.signer()
    kept = resources.store.receive(BytesIO(packing.pack(said, signer)), limit_bytes=MOST_BYTES)
    statement = Statement(
        organisation_id=organisation_id,
        month=str(month),
        time_zone=said["time_zone"],
        language=said["language"],
        issued_at=at,
        asked=said["answers"]["asked"],
        kept=said["answers"]["in_time"],
        late=said["answers"]["late"],
        key_id=signer.key_id,
        object_key=kept.key,
        size_bytes=kept.size_bytes,
        sha256=kept.sha256,
    )
    try:
        with resources.sessions.begin() as session:
            session.add(statement)
            session.flush()  # the unique constraint speaks here
            told = {"sha256": kept.sha256, "key_id": signer.key_id, "organisation": str(organisation_id)}
            named = f"{organisation.code} {month}"
            record(session, Tag.STATEMENT_ISSUE, by=PORTAL_JOB, at=at, subject=statement, named=named, **told)
    except IntegrityError:  # another worker was first: that one counts
        with resources.sessions() as session:
            return _issued(session, organisation_id, month)
    return statement


def _issued(session: Session, organisation_id: UUID, month: Month) -> Statement | None:
    rows = select(Statement).where(Statement.organisation_id == organisation_id, Statement.month == str(month))
    return session.scalar(rows)


def _customers(session: Session, month: Month) -> list[UUID]:
    """Whose contract had a day of the month in its term and was on record by its end, or who opened a ticket then."""
    months = Months(month, month)
    with_contract = select(Contract.organisation_id).where(
        Contract.starts_on <= month.last_day,
        Contract.ends_on >= month.first_day,
        Contract.created_at < months.latest,
    )
    with_ticket = select(Ticket.organisation_id).where(
        Ticket.created_at >= months.earliest, Ticket.created_at < months.latest
    )
    return sorted(set(session.scalars(with_contract.union(with_ticket))))
