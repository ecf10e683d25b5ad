"""The verbs on authorized persons and their powers of attorney. Each is audited in the transaction that does it."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.emails import parse_email
from portal.accounts.models import Organisation, Person
from portal.accounts.service import checked_language, checked_name
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.authority import policy
from portal.authority.errors import AskedAlready, IssuedLater, NoProduct, NotACustomer, PowerOver, RecipientEmailTaken
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerProduct, PowerState
from portal.authority.terms import (
    FILE_NAME_CHARS,
    NewPower,
    RecipientFacts,
    Scan,
    checked_power,
    parse_phone,
    parse_reason,
)
from portal.jobs import service as jobs
from portal.permissions import OrganisationKind
from portal.releases.models import Product
from portal.texts import searchable

WAITS, DECIDED = "authority.power-waits", "authority.power-decided"
ASKED_EVERY = timedelta(days=1)


def name_person(
    session: Session, organisation: Organisation, facts: RecipientFacts, *, by: Actor, at: datetime
) -> AuthorizedPerson:
    """Someone who is to receive files for the customer; may do nothing yet. A namesake is somebody else.

    Raises NotYourCustomer, NotACustomer, BadName, BadEmail, BadPhone, BadLanguage, RecipientEmailTaken.
    """
    policy.require_may_manage(by, organisation.id)
    if organisation.kind is not OrganisationKind.CUSTOMER:
        raise NotACustomer(name=organisation.name)
    facts = _checked(facts, organisation.language)
    _require_free(session, organisation.id, facts.email, other_than=None)
    holder = AuthorizedPerson(
        organisation_id=organisation.id,
        organisation=organisation,
        person_id=_sign_in_of(session, organisation.id, facts.email),
        created_at=at,
        created_by=by.person_id,
        powers=[],
        **asdict(facts),
    )
    session.add(holder)
    session.flush()  # powers are given in the same breath
    _note(session, Tag.AUTHORITY_NAME, holder, by=by, at=at, **asdict(facts))
    return holder


def change_person(
    session: Session, holder: AuthorizedPerson, facts: RecipientFacts, *, by: Actor, at: datetime
) -> list[PowerOfAttorney]:
    """New facts; where another name or address makes another person of the holder, what was confirmed waits anew.

    Returns the powers that do. Raises as name_person does.
    """
    policy.require_may_manage(by, holder.organisation_id)
    _lock(session, holder)
    facts = _checked(facts, holder.language)
    _require_free(session, holder.organisation_id, facts.email, other_than=holder)
    before = {name: getattr(holder, name) for name in asdict(facts)}
    changed = {name: value for name, value in asdict(facts).items() if value != before[name]}
    if not changed:
        return []
    for name, value in changed.items():
        setattr(holder, name, value)
    holder.person_id = _sign_in_of(session, holder.organisation_id, facts.email)
    waiting = []
    if set(changed) - {"language"}:
        holder.created_by = by.person_id
        waiting = _confirmed(session, holder)
    for power in waiting:
        power.reopen(by.person_id)
        jobs.enqueue(session, WAITS, at=at, power_id=str(power.id), since=at.isoformat())
    _note(session, Tag.AUTHORITY_NAME, holder, by=by, at=at, before={name: before[name] for name in changed},
          after=changed, wait_anew=[power.number for power in waiting])  # fmt: skip
    return waiting


def give_power(
    session: Session, holder: AuthorizedPerson, new: NewPower, *, by: Actor, at: datetime
) -> PowerOfAttorney:
    """Enter a power of attorney; it waits for the dispatcher. The same one sent twice is one.

    The holder's organisation must be loaded. Raises NotYourCustomer, InvalidInput.
    """
    policy.require_may_manage(by, holder.organisation_id)
    new = checked_power(new)
    zone = new.time_zone or holder.organisation.time_zone
    today = at.astimezone(ZoneInfo(zone)).date()
    if new.valid_until < today:
        raise PowerOver(last=new.valid_until)
    if new.issued_on > min(today, new.valid_until):
        raise IssuedLater
    _require_products(session, new.product_ids)
    _lock(session, holder)
    twin = _same_power(session, holder, new)
    if twin is not None:
        return twin
    power = _power(holder, new, zone, by=by, at=at)
    session.add(power)
    session.flush()  # scans and letters need the id
    jobs.enqueue(session, WAITS, at=at, power_id=str(power.id), since=at.isoformat())
    audit.record(session, Tag.POWER_GIVE, by=by, at=at, subject=power, named=power.number, holder=holder.id,
                 products=sorted(map(str, new.product_ids)) if new.product_ids is not None else "all",
                 **{name: str(getattr(new, name)) for name in _TOLD})  # fmt: skip
    return power


def attach_scan(session: Session, power: PowerOfAttorney, scan: Scan, *, by: Actor, at: datetime) -> None:
    """The scanned document, which is in the store already. Needs the holder. Raises NotYourCustomer, PowerNotOpen."""
    policy.require_may_manage(by, power.holder.organisation_id)
    _lock(session, power)
    power.require_unconfirmed()
    name = searchable(scan.name, limit=FILE_NAME_CHARS) or "scan"
    power.scan = asdict(scan) | {"name": name}
    audit.record(session, Tag.POWER_GIVE, by=by, at=at, subject=power, named=power.number, scan=scan.sha256,
                 file=name)  # fmt: skip


def confirm(
    session: Session, power: PowerOfAttorney, *, checked: str, second_person: bool, by: Actor, at: datetime
) -> None:
    """The dispatcher has checked it (`checked` says what) and it gives what it says from now on.

    `second_person`: whoever entered it, or said who its holder is, may not. Needs the holder.
    Raises NotYourCustomer, SecondPersonNeeded, PowerNotOpen, InvalidInput.
    """
    checked = parse_reason(checked)
    _lock(session, power.holder)  # first, as whoever changes the holder does
    _lock(session, power)
    policy.require_may_confirm(by, power, second_person=second_person)
    power.confirm(checked, by.person_id, by.name, at)
    jobs.enqueue(session, DECIDED, at=at, power_id=str(power.id))
    audit.record(session, Tag.POWER_CONFIRM, by=by, at=at, subject=power, named=power.number, checked=checked,
                 scan=(power.scan or {}).get("sha256", ""))  # fmt: skip


def decline(session: Session, power: PowerOfAttorney, *, reason: str, by: Actor, at: datetime) -> None:
    """Raises NotYourCustomer, PowerNotOpen, InvalidInput."""
    reason = parse_reason(reason)
    policy.require_may_confirm(by, power, second_person=False)
    _lock(session, power)
    power.decline(reason, by.person_id, by.name, at)
    jobs.enqueue(session, DECIDED, at=at, power_id=str(power.id))
    audit.record(session, Tag.POWER_DECLINE, by=by, at=at, subject=power, named=power.number, reason=reason)


def revoke(session: Session, power: PowerOfAttorney, *, reason: str, by: Actor, at: datetime) -> None:
    """At once and for good: the next decision that asks does not find it. Needs the holder.

    Raises NotYourCustomer, PowerNotOpen, InvalidInput.
    """
    policy.require_may_manage(by, power.holder.organisation_id)
    reason = parse_reason(reason)
    _lock(session, power)
    power.revoke(reason, by.person_id, at)
    audit.record(session, Tag.POWER_REVOKE, by=by, at=at, subject=power, named=power.number, reason=reason)


def ask_again(session: Session, power: PowerOfAttorney, *, by: Actor, at: datetime) -> None:
    """Remind the dispatchers of a power that waits, once a day at most. Needs the holder.

    Raises NotYourCustomer, PowerNotOpen, AskedAlready.
    """
    policy.require_may_manage(by, power.holder.organisation_id)
    _lock(session, power)
    power.require_unconfirmed()
    again_at = power.last_asked_at + ASKED_EVERY
    if at < again_at:
        raise AskedAlready(retry_after=int((again_at - at).total_seconds()) + 1)
    power.asked_at = at
    jobs.enqueue(session, WAITS, at=at, power_id=str(power.id), since=at.isoformat())


_TOLD = ("issued_on", "issued_by", "valid_from", "valid_until", "may_receive", "may_sign")


def _checked(facts: RecipientFacts, language: str) -> RecipientFacts:
    return RecipientFacts(
        checked_name(facts.name),
        parse_email(facts.email),
        parse_phone(facts.phone),
        checked_language(facts.language or language),
    )


def _require_free(session: Session, organisation_id: UUID, email: str, *, other_than: AuthorizedPerson | None) -> None:
    taken = select(AuthorizedPerson).where(
        AuthorizedPerson.organisation_id == organisation_id, AuthorizedPerson.email == email
    )
    if other_than is not None:
        taken = taken.where(AuthorizedPerson.id != other_than.id)
    found = session.scalars(taken).first()  # two at once: the constraint answers the second with Conflict
    if found:
        raise RecipientEmailTaken(email=email, name=found.name)


def _sign_in_of(session: Session, organisation_id: UUID, email: str) -> UUID | None:
    """The sign-in of the same address in the same company, if there is one."""
    return session.scalar(select(Person.id).where(Person.organisation_id == organisation_id, Person.email == email))


def _require_products(session: Session, product_ids: frozenset[UUID] | None) -> None:
    if product_ids is None:
        return
    if len(session.scalars(select(Product.id).where(Product.id.in_(product_ids))).all()) != len(product_ids):
        raise NoProduct


def _power(holder: AuthorizedPerson, new: NewPower, zone: str, *, by: Actor, at: datetime) -> PowerOfAttorney:
    power = PowerOfAttorney(
        holder_id=holder.id,
        holder=holder,
        number=new.number,
        issued_on=new.issued_on,
        issued_by=new.issued_by,
        covers_all_products=new.product_ids is None,
        may_receive=new.may_receive,
        may_sign=new.may_sign,
        state=PowerState.UNCONFIRMED,
        created_at=at,
        created_by=by.person_id,
        product_rows=[PowerProduct(product_id=one) for one in sorted(new.product_ids or ())],
    )
    power.set_term(new.valid_from, new.valid_until, zone)
    return power


def _same_power(session: Session, holder: AuthorizedPerson, new: NewPower) -> PowerOfAttorney | None:
    rows = session.scalars(
        select(PowerOfAttorney)
        .where(
            PowerOfAttorney.holder_id == holder.id,
            PowerOfAttorney.number == new.number,
            PowerOfAttorney.state == PowerState.UNCONFIRMED,
            PowerOfAttorney.valid_from == new.valid_from,
            PowerOfAttorney.valid_until == new.valid_until,
            PowerOfAttorney.may_receive == new.may_receive,
            PowerOfAttorney.may_sign == new.may_sign,
        )
        .options(selectinload(PowerOfAttorney.product_rows), joinedload(PowerOfAttorney.holder))
    )
    for row in rows:
        scope = None if row.covers_all_products else frozenset(one.product_id for one in row.product_rows)
        if scope == new.product_ids:
            return row
    return None


def _confirmed(session: Session, holder: AuthorizedPerson) -> list[PowerOfAttorney]:
    rows = select(PowerOfAttorney).where(
        PowerOfAttorney.holder_id == holder.id, PowerOfAttorney.state == PowerState.CONFIRMED
    )
    return list(session.scalars(rows.order_by(PowerOfAttorney.id).with_for_update()))


def _lock(session: Session, row: AuthorizedPerson | PowerOfAttorney) -> None:
    """Hold the row and read how it stands now: of two who decide at once the second sees the first."""
    session.flush()  # our own changes would be overwritten by what is read now
    kind = type(row)
    session.execute(select(kind.id).where(kind.id == row.id).with_for_update())
    session.refresh(row, attribute_names=kind.__mapper__.column_attrs.keys())


def _note(session: Session, tag: Tag, holder: AuthorizedPerson, *, by: Actor, at: datetime, **facts: object) -> None:
    audit.record(session, tag, by=by, at=at, subject=holder, named=holder.name, customer=holder.organisation_id,
                 **facts)  # fmt: skip
