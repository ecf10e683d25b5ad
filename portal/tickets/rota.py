"""Who is on duty, who is called when a promise is about to break, and what one shift leaves to the next (P1, P3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from portal.accounts.models import Organisation, Person, PersonRole
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.authority.terms import parse_phone
from portal.errors import Forbidden, NotFound
from portal.permissions import OrganisationKind, Permission, Role
from portal.texts import lines
from portal.tickets import policy
from portal.tickets.errors import BadShift, NotAnEngineer, NoteIsYours
from portal.tickets.rota_models import DutyRole, DutyShift, ShiftNote
from portal.tickets.standing import MANAGEMENT

LONGEST_SHIFT = timedelta(days=31)
MAX_NOTE_CHARS = 5000


@dataclass(frozen=True)
class Called:
    """Somebody who is told, and the number of their telephone on duty ("" for none)."""

    person: Person
    phone: str = ""


@dataclass(frozen=True)
class Span:
    start: datetime
    end: datetime


def who_is_on(session: Session, role: DutyRole, at: datetime) -> list[Person]:
    """Those on duty in this role; where nobody is, everybody who works on tickets at the support centre."""
    return [called.person for called in _on(session, role, at)]


def shifts_at(session: Session, at: datetime) -> Sequence[DutyShift]:
    """The shifts that run now, with their people who can sign in."""
    return session.scalars(_shifts().where(DutyShift.starts_at <= at, DutyShift.ends_at > at)).all()


def whom_to_call(session: Session, who: str, at: datetime) -> list[Called]:
    """Whom a rung of a ladder means now; never nobody, as long as the support centre has an engineer."""
    if who == MANAGEMENT:
        return [Called(person) for person in _with_role(session, Role.DISPATCHER)] or _everybody(session)
    return _on(session, DutyRole(who), at)


def shifts_between(session: Session, start: datetime, end: datetime) -> Sequence[DutyShift]:
    return session.scalars(_shifts().where(DutyShift.starts_at < end, DutyShift.ends_at > start)).all()


def gaps(shifts: Sequence[DutyShift], start: datetime, end: datetime) -> list[Span]:
    """The spans of [start, end) in which nobody is on duty, whatever the role."""
    found, covered = [], start
    for shift in sorted(shifts, key=lambda one: one.starts_at):
        if shift.starts_at > covered:
            found.append(Span(covered, min(shift.starts_at, end)))
        covered = max(covered, shift.ends_at)
    if covered < end:
        found.append(Span(covered, end))
    return found


def overlapping(shifts: Sequence[DutyShift]) -> set[UUID]:
    """The shifts that run, in the same role, at the same time as another one."""
    return {
        one.id
        for one in shifts
        for other in shifts
        if one.id != other.id and one.role is other.role
        and one.starts_at < other.ends_at and other.starts_at < one.ends_at
    }  # fmt: skip


def engineers(session: Session) -> Sequence[Person]:
    """Everybody of the support centre who can be on duty."""
    return session.scalars(_active().where(Organisation.kind == OrganisationKind.SUPPORT)).all()


@dataclass(frozen=True)
class ShiftFacts:
    person_id: UUID
    role: DutyRole
    starts_at: datetime
    ends_at: datetime
    phone: str = ""


def add_shift(session: Session, facts: ShiftFacts, *, by: Actor, at: datetime) -> DutyShift:
    """Raises Forbidden, BadShift, NotAnEngineer, BadPhone."""
    _require_rota(by)
    if not timedelta(0) < facts.ends_at - facts.starts_at <= LONGEST_SHIFT:
        raise BadShift
    person = next((one for one in engineers(session) if one.id == facts.person_id), None)
    if person is None:
        raise NotAnEngineer
    shift = DutyShift(person_id=person.id, role=facts.role, starts_at=facts.starts_at, ends_at=facts.ends_at,
                      phone=parse_phone(facts.phone))  # fmt: skip
    session.add(shift)
    _record(session, shift, person.name, by=by, at=at, change="add")
    return shift


def remove_shift(session: Session, shift_id: UUID, *, by: Actor, at: datetime) -> None:
    """Raises Forbidden, NotFound."""
    _require_rota(by)
    shift = session.get(DutyShift, shift_id, options=[joinedload(DutyShift.person)])
    if shift is None:
        raise NotFound
    _record(session, shift, shift.person.name, by=by, at=at, change="remove")
    session.delete(shift)


def leave_note(session: Session, text: str, *, by: Actor, at: datetime) -> ShiftNote:
    """What the next shift has to know. Raises Forbidden and the errors of portal.texts."""
    policy.require_work(by)
    note = ShiftNote(at=at, person_id=by.person_id, person_name=by.name, text=lines(text, limit=MAX_NOTE_CHARS))
    session.add(note)
    audit.record(session, Tag.SHIFT_NOTE, by=by, at=at, subject=note, named=by.name)
    return note


def take_note(session: Session, note_id: UUID, *, by: Actor, at: datetime) -> None:
    """Somebody of the next shift has read it; twice is once. Raises Forbidden, NotFound, NoteIsYours."""
    policy.require_work(by)
    note = session.get(ShiftNote, note_id, with_for_update=True)
    if note is None:
        raise NotFound
    if note.read_at is not None:
        return
    if note.person_id == by.person_id:
        raise NoteIsYours
    note.read_at, note.read_by_name = at, by.name
    audit.record(session, Tag.SHIFT_NOTE, by=by, at=at, subject=note, named=note.person_name, read=True)


def open_notes(session: Session) -> Sequence[ShiftNote]:
    """Notes that nobody of the next shift has taken over yet, the newest first."""
    return session.scalars(select(ShiftNote).where(ShiftNote.read_at.is_(None)).order_by(ShiftNote.at.desc())).all()


def _on(session: Session, role: DutyRole, at: datetime) -> list[Called]:
    found = [Called(shift.person, shift.phone) for shift in shifts_at(session, at) if shift.role is role]
    return found or _everybody(session)


def _everybody(session: Session) -> list[Called]:
    return [Called(person) for person in _with_role(session, Role.TSC_ENGINEER)]


def _with_role(session: Session, role: Role) -> Sequence[Person]:
    holders = select(PersonRole.person_id).where(PersonRole.role == role)
    rows = _active().where(Organisation.kind == OrganisationKind.SUPPORT, Person.id.in_(holders))
    return session.scalars(rows).all()


def _active() -> Select[Person]:
    return (
        select(Person)
        .join(Person.organisation)
        .where(Person.disabled_at.is_(None), Person.password_hash.is_not(None))
        .options(contains_eager(Person.organisation))
        .order_by(Person.name, Person.id)
    )


def _shifts() -> Select[DutyShift]:
    person = contains_eager(DutyShift.person)
    return (
        select(DutyShift)
        .join(DutyShift.person)
        .join(Person.organisation)
        .where(Person.disabled_at.is_(None), Person.password_hash.is_not(None))
        .options(person, person.contains_eager(Person.organisation))
        .order_by(DutyShift.starts_at, DutyShift.role, Person.name)
    )


def _require_rota(by: Actor) -> None:
    if not by.may(Permission.ROTA_MANAGE):
        raise Forbidden(permission=Permission.ROTA_MANAGE)


def _record(session: Session, shift: DutyShift, name: str, *, by: Actor, at: datetime, change: str) -> None:
    audit.record(session, Tag.ROTA_CHANGE, by=by, at=at, subject=shift, named=name, change=change,
                 role=shift.role.value, starts_at=shift.starts_at, ends_at=shift.ends_at)  # fmt: skip
