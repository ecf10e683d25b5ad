"""Authorized persons and their powers of attorney, loaded for whoever may see them.

The vendor and its support centre see every customer's, a customer its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, false, or_, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from portal.accounts.customers import ESCAPE, anywhere, is_called
from portal.accounts.models import Organisation, Person, PersonRole
from portal.actors import PORTAL_JOB, Actor
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerProduct, PowerState
from portal.authority.rules import Held, Lacking, Need, PowerFacts, authority
from portal.errors import NotFound
from portal.permissions import Role

_POWERS = (
    selectinload(AuthorizedPerson.powers).selectinload(PowerOfAttorney.product_rows).joinedload(PowerProduct.product)
)


@dataclass(frozen=True)
class Candidate:
    """One who may be chosen as a recipient, or may not, and why."""

    person: AuthorizedPerson
    answer: Held | Lacking

    @property
    def is_able(self) -> bool:
        return isinstance(self.answer, Held)


def frozen(power: PowerOfAttorney) -> PowerFacts:
    """A power as the rule takes it; its products must be loaded."""
    return _facts(power, {own.product_id for own in power.product_rows})


def _facts(row: PowerOfAttorney | Row[Any], product_ids: set[UUID]) -> PowerFacts:
    return PowerFacts(
        id=row.id,
        number=row.number,
        state=row.state.value,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        product_ids=None if row.covers_all_products else frozenset(product_ids),
        may_receive=row.may_receive,
        may_sign=row.may_sign,
        time_zone=row.time_zone,
        closed_at=row.revoked_at or (row.decided_at if row.state is PowerState.DECLINED else None),
        closed_because=row.revoked_because or row.declined_because,
    )


def facts_of(session: Session, holder_id: UUID | None) -> list[PowerFacts]:
    """Every power of attorney that the person ever had, frozen, as the rule takes them; read anew each time."""
    return facts_of_all(session, [holder_id])[holder_id]


def facts_of_all(session: Session, holder_ids: Sequence[UUID | None]) -> dict[UUID | None, list[PowerFacts]]:
    """The same for several persons, in two statements.

    Read as columns: rows that the caller has loaded, and what is loaded beside them, are left alone.
    """
    columns = PowerOfAttorney.__table__.c
    powers_read = session.execute(select(*columns).where(columns.holder_id.in_(holder_ids))).all()
    scopes: dict[UUID, set[UUID]] = {row.id: set() for row in powers_read}
    products = select(PowerProduct.power_id, PowerProduct.product_id)
    for power_id, product_id in session.execute(products.where(PowerProduct.power_id.in_(scopes))):
        scopes[power_id].add(product_id)
    found: dict[UUID | None, list[PowerFacts]] = {holder_id: [] for holder_id in holder_ids}
    for row in powers_read:
        found[row.holder_id].append(_facts(row, scopes[row.id]))
    return found


def _seen(rows: Select[Any], visible_to: Actor) -> Select[Any]:
    if visible_to.is_staff:
        return rows
    if visible_to.organisation_id is None:
        return rows.where(false())
    return rows.where(AuthorizedPerson.organisation_id == visible_to.organisation_id)


def people(*, visible_to: Actor, organisation_id: UUID | None = None, text: str = "") -> Select[AuthorizedPerson]:
    """With customer, powers and their products; by customer and name. `text`: in name, address, customer."""
    rows = (
        select(AuthorizedPerson)
        .join(AuthorizedPerson.organisation)
        .options(contains_eager(AuthorizedPerson.organisation), _POWERS)
        .order_by(Organisation.name, AuthorizedPerson.name, AuthorizedPerson.email)
    )
    if organisation_id is not None:
        rows = rows.where(AuthorizedPerson.organisation_id == organisation_id)
    if text:
        pattern = anywhere(text)
        columns = (AuthorizedPerson.name, AuthorizedPerson.email, AuthorizedPerson.phone)
        rows = rows.where(or_(*(column.ilike(pattern, escape=ESCAPE) for column in columns), is_called(text)))
    return _seen(rows, visible_to)


def get(session: Session, holder_id: UUID, *, visible_to: Actor) -> AuthorizedPerson:
    """With customer, powers and their products. Raises NotFound, for another customer's too."""
    found = session.scalars(people(visible_to=visible_to).where(AuthorizedPerson.id == holder_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def powers(*, visible_to: Actor) -> Select[PowerOfAttorney]:
    """With holder, customer and products."""
    rows = (
        select(PowerOfAttorney)
        .join(PowerOfAttorney.holder)
        .join(AuthorizedPerson.organisation)
        .options(
            contains_eager(PowerOfAttorney.holder).contains_eager(AuthorizedPerson.organisation),
            selectinload(PowerOfAttorney.product_rows).joinedload(PowerProduct.product),
        )
    )
    return _seen(rows, visible_to)


def power(session: Session, power_id: UUID, *, visible_to: Actor) -> PowerOfAttorney:
    """Raises NotFound, for another customer's too."""
    found = session.scalars(powers(visible_to=visible_to).where(PowerOfAttorney.id == power_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def waiting(at: datetime, *, visible_to: Actor) -> Select[PowerOfAttorney]:
    """What waits for the dispatcher and could still give something, the longest first."""
    rows = powers(visible_to=visible_to).where(
        PowerOfAttorney.state == PowerState.UNCONFIRMED, PowerOfAttorney.ends_at > at
    )
    return rows.order_by(PowerOfAttorney.created_at, PowerOfAttorney.id)


def able_to_receive(
    session: Session, organisation_id: UUID, product_id: UUID, at: datetime, *, need: Need = Need.RECEIVE
) -> list[Candidate]:
    """Every authorized person of the customer with the answer for this product now; those who may come first."""
    rows = select(AuthorizedPerson).where(AuthorizedPerson.organisation_id == organisation_id)
    persons = session.scalars(rows.order_by(AuthorizedPerson.name, AuthorizedPerson.email)).all()
    facts = facts_of_all(session, [person.id for person in persons])
    found = [Candidate(person, authority(facts[person.id], product_id, need, at)) for person in persons]
    return sorted(found, key=lambda candidate: not candidate.is_able)


def ending(session: Session, at: datetime, *, within: timedelta) -> list[PowerOfAttorney]:
    """Confirmed powers in force that end soon, without those that another of the same person outlasts as widely."""
    rows = powers(visible_to=PORTAL_JOB).where(
        PowerOfAttorney.state == PowerState.CONFIRMED,
        PowerOfAttorney.starts_at <= at,
        PowerOfAttorney.ends_at > at,
        PowerOfAttorney.ends_at <= at + within,
    )
    found = session.scalars(rows.order_by(PowerOfAttorney.ends_at, PowerOfAttorney.id)).all()
    return [power for power in found if not _is_outlasted(frozen(power), facts_of(session, power.holder_id))]


def _is_outlasted(power: PowerFacts, all_of_them: list[PowerFacts]) -> bool:
    return any(
        other.state == PowerState.CONFIRMED.value
        and other.starts_at <= power.ends_at < other.ends_at
        and (other.product_ids is None or (power.product_ids is not None and power.product_ids <= other.product_ids))
        and other.may_receive >= power.may_receive
        and other.may_sign >= power.may_sign
        for other in all_of_them
    )


def active_people(session: Session, role: Role, *, organisation_id: UUID | None = None) -> Sequence[Person]:
    """Those who hold the role and can sign in; of one organisation, or of all."""
    rows = (
        select(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(PersonRole.role == role, Person.disabled_at.is_(None), Person.password_hash.is_not(None))
        .order_by(Person.name, Person.id)
    )
    if organisation_id is not None:
        rows = rows.where(Person.organisation_id == organisation_id)
    return session.scalars(rows).all()
