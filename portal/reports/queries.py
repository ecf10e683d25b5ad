"""Statements, for whoever may see them: a customer its own."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.errors import NotFound
from portal.reports.answers import organisation_of
from portal.reports.models import Statement
from portal.reports.months import Month


def statements(organisation_id: UUID | None, month: Month | None, *, visible_to: Actor) -> Select[Statement]:
    """The newest month first, by customer, with it; None narrows nothing. Raises NotFound for another customer's."""
    wanted = organisation_of(organisation_id, visible_to)
    rows = (
        select(Statement)
        .join(Statement.organisation)
        .options(contains_eager(Statement.organisation))
        .order_by(Statement.month.desc(), Organisation.name, Statement.id)
    )
    if wanted:
        rows = rows.where(Statement.organisation_id == wanted)
    return rows.where(Statement.month == str(month)) if month else rows


def get(session: Session, statement_id: UUID, *, visible_to: Actor) -> Statement:
    """Raises NotFound."""
    found = session.scalar(statements(None, None, visible_to=visible_to).where(Statement.id == statement_id))
    if found is None:
        raise NotFound
    return found
