"""Service programmes on record: which there are, who is served by them, and keeping one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.entitlements.models import Contract
from portal.errors import Forbidden, NotFound
from portal.jobs import service as jobs
from portal.permissions import Permission
from portal.tickets.errors import ProgrammeNameTaken
from portal.tickets.models import ServiceProgramme
from portal.tickets.programmes import Programme, from_terms, to_terms
from portal.tickets.timing import BUILT_IN


@dataclass(frozen=True)
class Kept:
    """A programme, its row (None: it is built in), and how many contracts name it."""

    programme: Programme
    row: ServiceProgramme | None
    contracts: int


def programmes(session: Session, *, visible_to: Actor) -> list[Kept]:
    """By name, what is built in and not yet kept as a row included. Raises Forbidden."""
    _require(visible_to)
    rows = {row.name: row for row in session.scalars(select(ServiceProgramme))}
    counts = dict(session.execute(select(Contract.programme, func.count()).group_by(Contract.programme)).all())
    known = {name: from_terms(name, row.terms) for name, row in rows.items()}
    return [
        Kept(programme, rows.get(name), counts.get(name, 0))
        for name, programme in sorted({**BUILT_IN, **known}.items())
    ]


def unknown_programmes(session: Session, *, visible_to: Actor) -> list[str]:
    """Names that contracts use and nobody has described: the default's times hold for them."""
    known = {kept.programme.name for kept in programmes(session, visible_to=visible_to)}
    return sorted(set(session.scalars(select(Contract.programme).distinct())) - known)


def programme(session: Session, programme_id: UUID, *, visible_to: Actor) -> ServiceProgramme:
    """Raises Forbidden, NotFound."""
    _require(visible_to)
    row = session.get(ServiceProgramme, programme_id)
    if row is None:
        raise NotFound
    return row


def save_programme(
    session: Session, new: Programme, row: ServiceProgramme | None = None, *, by: Actor, at: datetime
) -> ServiceProgramme:
    """Keep a new programme, or what a kept one promises now; its name stays, since contracts say it.

    What open tickets keep at hand of their clocks is gone over by a job of the same transaction. Raises Forbidden,
    ProgrammeNameTaken.
    """
    _require(by)
    if row is None:
        if session.scalar(select(ServiceProgramme.id).where(ServiceProgramme.name == new.name)):
            raise ProgrammeNameTaken(name=new.name)
        row = ServiceProgramme(name=new.name, terms={}, changed_at=at)
        session.add(row)
    before, row.terms, row.changed_at = row.terms, to_terms(new), at
    audit.record(session, Tag.PROGRAMME_SAVE, by=by, at=at, subject=row, named=row.name, before=before, after=row.terms)
    jobs.enqueue(session, "tickets.recount", at=at)
    return row


def _require(by: Actor) -> None:
    if not by.may(Permission.CONTRACTS_MANAGE):
        raise Forbidden(permission=Permission.CONTRACTS_MANAGE)
