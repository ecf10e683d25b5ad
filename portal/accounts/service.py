"""Organisations and people: made, changed, put on hold, disabled."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import passwords, policy, queries
from portal.accounts.emails import parse_email
from portal.accounts.errors import (
    AlreadyOnHold,
    BadCountry,
    BadLanguage,
    BadName,
    BadOrganisationCode,
    BadTimeZone,
    EmailTaken,
    LastAdministrator,
    NotOnHold,
    OnlyCustomersWait,
    OrganisationTaken,
)
from portal.accounts.models import EndUse, Organisation, Person, PersonRole
from portal.actors import Actor, Via
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.config import LANGUAGES
from portal.permissions import OrganisationKind, Role, permissions_of
from portal.texts import one_line
from portal.zones import time_zones

CODE = re.compile(r"[A-Z0-9][A-Z0-9.-]{1,39}")
COUNTRY = re.compile(r"[A-Z]{2}")
LONGEST_NAME, LONGEST_ADDRESS, LONGEST_REASON = 200, 64, 500


@dataclass(frozen=True)
class OrganisationFacts:
    """What is written down of an organisation; `country` as in ISO 3166, `time_zone` as in the IANA database."""

    kind: OrganisationKind
    code: str
    name: str
    country: str
    end_use: EndUse = EndUse.CIVIL
    time_zone: str = "UTC"
    language: str = "en"


@dataclass(frozen=True)
class NewPerson:
    """Someone to be let in; without a `password` they can't sign in before they accept an invitation."""

    email: str
    name: str
    roles: frozenset[Role]
    language: str | None = None
    password: str | None = None


def create_organisation(session: Session, facts: OrganisationFacts, *, by: Actor, at: datetime) -> Organisation:
    """Raises BadOrganisation, BadName, BadLanguage, OrganisationTaken."""
    facts = _checked(facts)
    _require_free(session, facts, other_than=None)
    organisation = Organisation(created_at=at, kind=facts.kind)
    _write(organisation, facts)
    session.add(organisation)
    session.flush()  # people are put into it in the same breath
    audit.record(session, Tag.ORGANISATION_CREATE, by=by, at=at, subject=organisation, named=facts.name,
                 kind=facts.kind, code=facts.code, country=facts.country, end_use=facts.end_use)  # fmt: skip
    return organisation


def change_organisation(
    session: Session, organisation: Organisation, facts: OrganisationFacts, *, by: Actor, at: datetime
) -> None:
    """Write new facts over the old; the kind stays. Raises as create_organisation does."""
    facts = _checked(facts)
    _require_free(session, facts, other_than=organisation)
    before = {name: getattr(organisation, name) for name in _CHANGEABLE}
    _write(organisation, facts)
    changed = {name: str(getattr(organisation, name)) for name in _CHANGEABLE
               if getattr(organisation, name) != before[name]}  # fmt: skip
    if changed:
        audit.record(session, Tag.ORGANISATION_CHANGE, by=by, at=at, subject=organisation, named=organisation.name,
                     **changed)  # fmt: skip


def suspend_organisation(session: Session, organisation: Organisation, *, reason: str, by: Actor, at: datetime) -> None:
    """Put a customer on hold: it may look, and take nothing (DESIGN 3.2). Raises OnlyCustomersWait, AlreadyOnHold,
    and the errors of portal.texts for the reason.
    """
    if organisation.kind is not OrganisationKind.CUSTOMER:
        raise OnlyCustomersWait
    reason = one_line(reason, limit=LONGEST_REASON)
    _hold(session, organisation, "suspended_at")
    if organisation.is_suspended:
        raise AlreadyOnHold(name=organisation.name)
    organisation.suspend(reason, at)
    audit.record(session, Tag.ORGANISATION_SUSPEND, by=by, at=at, subject=organisation, named=organisation.name,
                 reason=reason)  # fmt: skip


def resume_organisation(session: Session, organisation: Organisation, *, by: Actor, at: datetime) -> None:
    """Raises NotOnHold."""
    _hold(session, organisation, "suspended_at")
    if not organisation.is_suspended:
        raise NotOnHold(name=organisation.name)
    organisation.resume()
    audit.record(session, Tag.ORGANISATION_RESUME, by=by, at=at, subject=organisation, named=organisation.name)


def create_person(session: Session, organisation: Organisation, new: NewPerson, *, by: Actor, at: datetime) -> Person:
    """Someone in the organisation, with roles of its kind; `invitations.invite` is how a page does it.

    Raises BadEmail, BadName, BadLanguage, EmailTaken, NoRole, RoleOfOtherKind, WeakPassword.
    """
    email, name = parse_email(new.email), checked_name(new.name)
    roles = policy.checked_roles(organisation.kind, new.roles)
    if session.scalar(select(Person.id).where(Person.email == email)):
        raise EmailTaken(email=email)
    person = Person(
        organisation=organisation,
        email=email,
        name=name,
        language=checked_language(new.language or organisation.language),
        created_at=at,
        session_epoch=0,
    )
    person.role_rows = [PersonRole(role=role) for role in sorted(roles)]
    if new.password is not None:
        passwords.require_good(new.password, email=email, name=name)
        person.password_hash = passwords.hash_of(new.password)
    session.add(person)
    session.flush()  # links and events need the id
    audit.record(session, Tag.PERSON_INVITE, by=by, at=at, subject=person, named=name,
                 organisation=organisation.name, roles=sorted(roles))  # fmt: skip
    return person


def change_roles(session: Session, person: Person, roles: Iterable[Role], *, by: Actor, at: datetime) -> None:
    """Raises NotYoursToManage, NoRole, RoleOfOtherKind, LastAdministrator."""
    policy.require_may_manage(by, person)
    wanted = policy.checked_roles(person.organisation.kind, roles)
    before = person.roles
    if wanted == before:
        return
    if Role.ADMINISTRATOR in before - wanted:
        _require_another_administrator(session, person)
    person.role_rows = [row for row in person.role_rows if row.role in wanted]
    person.role_rows.extend(PersonRole(role=role) for role in sorted(wanted - before))
    audit.record(session, Tag.PERSON_ROLES, by=by, at=at, subject=person, named=person.name,
                 before=sorted(before), after=sorted(wanted))  # fmt: skip


def disable(session: Session, person: Person, *, by: Actor, at: datetime) -> None:
    """Shut a person out at once: sessions end in every process, tokens and links open nothing.

    Raises NotYoursToManage, LastAdministrator.
    """
    policy.require_may_manage(by, person)
    if person.disabled_at is None and Role.ADMINISTRATOR in person.roles:
        _require_another_administrator(session, person)  # first: it holds all of them, always in the same order
    _hold(session, person, "disabled_at")
    if person.disabled_at is not None:
        return
    person.disable(at)
    audit.record(session, Tag.PERSON_DISABLE, by=by, at=at, subject=person, named=person.name)


def enable(session: Session, person: Person, *, by: Actor, at: datetime) -> None:
    """Raises NotYoursToManage."""
    policy.require_may_manage(by, person)
    _hold(session, person, "disabled_at")
    if person.disabled_at is None:
        return
    person.enable()
    audit.record(session, Tag.PERSON_ENABLE, by=by, at=at, subject=person, named=person.name)


def change_own_facts(session: Session, person: Person, *, name: str, language: str, by: Actor, at: datetime) -> None:
    """What a person says of themselves. Raises BadName, BadLanguage."""
    name, language = checked_name(name), checked_language(language)
    if (name, language) == (person.name, person.language):
        return
    audit.record(session, Tag.PERSON_CHANGE, by=by, at=at, subject=person, named=name, before=person.name,
                 language=language)  # fmt: skip
    person.name, person.language = name, language


def end_sessions(session: Session, person: Person, *, by: Actor, at: datetime) -> None:
    """End every session of the person, in every process, from the next request on."""
    person.end_sessions()
    session.flush()  # the new epoch goes into the cookie of who asked
    audit.record(session, Tag.SESSIONS_END, by=by, at=at, subject=person, named=person.name)


def actor_of(person: Person, *, address: str, via: Via = Via.SESSION) -> Actor:
    """The person as one who acts now, from a network address."""
    return Actor(
        via=via,
        name=person.name,
        person_id=person.id,
        organisation_id=person.organisation_id,
        kind=person.organisation.kind,
        roles=person.roles,
        permissions=permissions_of(person.roles),
        language=person.language,
        time_zone=person.organisation.time_zone,
        address=address[:LONGEST_ADDRESS],
    )


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadName
    return name


def checked_language(language: str) -> str:
    if language not in LANGUAGES:
        raise BadLanguage(language=language)
    return language


def _hold(session: Session, row: Organisation | Person, *names: str) -> None:
    """Lock the row and read how it stands now: the same order twice at once is carried out, and recorded, once."""
    session.flush()  # our own changes would be overwritten by what is read now
    session.refresh(row, names, with_for_update={"of": type(row)})


def _require_another_administrator(session: Session, person: Person) -> None:
    if not set(queries.active_administrators(session)) - {person.id}:
        raise LastAdministrator(name=person.name)


_CHANGEABLE = ("code", "name", "country", "end_use", "time_zone", "language")


def _write(organisation: Organisation, facts: OrganisationFacts) -> None:
    for name in _CHANGEABLE:
        setattr(organisation, name, getattr(facts, name))


def _checked(facts: OrganisationFacts) -> OrganisationFacts:
    code, country = facts.code.strip().upper(), facts.country.strip().upper()
    if not CODE.fullmatch(code):
        raise BadOrganisationCode
    if not COUNTRY.fullmatch(country):
        raise BadCountry
    if facts.time_zone not in time_zones():
        raise BadTimeZone(zone=facts.time_zone)
    name, language = checked_name(facts.name), checked_language(facts.language)
    return OrganisationFacts(facts.kind, code, name, country, facts.end_use, facts.time_zone, language)


def _require_free(session: Session, facts: OrganisationFacts, *, other_than: Organisation | None) -> None:
    taken = select(Organisation.id).where((Organisation.code == facts.code) | (Organisation.name == facts.name))
    if other_than is not None:
        taken = taken.where(Organisation.id != other_than.id)
    if session.scalars(taken).first():
        raise OrganisationTaken
