"""May this customer take this release? (DESIGN 3.2, P12.) One rule in two forms, held equal by a property test.

`judge` says it of one release, with its reason; `takeable` is its twin in SQL, for lists. In this order:

1. Refused, whatever the customer holds: `not-published` (never published, or not before `at`); `withdrawn`;
   `not-in-audience` (neither open to all by `at`, nor to this customer by name; `until` is the earliest date that
   opens it to this customer); `export-restricted` (a rule of the product meets the customer's country and end use, of
   which a rule may leave either open); `suspended` (the customer is on hold).
2. A contract on hold gives nothing while it is held. Where no other contract grants and one on hold would have, the
   answer is `suspended`, before exceptions, exemption and backup are asked.
3. Granted, by the first that holds: `grant` (until > at, not revoked) · `security-exemption` (the release is a free
   security fix, and the customer has a device of the product or any contract line for it, past, present or future,
   held or not) · `active-contract` (a contract runs at `at`, a line of it covers product and level, and either the
   line has the back catalogue or the release came out after the contract started) · `issued-during-term` (it came
   out within the term of a contract that has ended since and whose line covers product and level) · `backup-copy`
   (the customer has received it before).
4. Refused, with the nearest reason: `level-not-covered` (a running contract covers the product, but not this level
   or not what came out before it) · `contract-not-started` (the earliest contract that will cover it) ·
   `contract-expired` (the latest that covered the product; a renewal from any date up to the day of publication
   covers the release) · `no-contract`.
5. The person (`decide_for`): the right to receive (`authority-missing`), and the current version of every agreement
   of the product accepted (`agreement-required`).

A line covers a product by naming it or its family. Days are the contract's own time zone, first and last inclusive;
instants are compared with [starts_at, ends_at), which is the same. Several contracts: the one that ends last speaks.
"""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements import reasons
from portal.entitlements.agreed import missing_agreements
from portal.entitlements.decision import Decision, Granted, Refused
from portal.entitlements.facts import Cover, CustomerFacts, ReleaseFacts, export_rule_meets, of_customer, of_release
from portal.entitlements.models import Contract, ContractLine, ContractState, Grant, ReceivedRelease
from portal.inventory.models import Device
from portal.permissions import Permission
from portal.releases.models import ExportRule, Product, Release, ReleaseAudience, ReleaseState

Customer = UUID | BindParameter[UUID]
Moment = datetime | BindParameter[datetime]
"""A value, or its place in a statement that is built once."""
BUILT = 64
"""How many conditions are kept built: each takes milliseconds, and a page asks for the same one several times."""


def decide(session: Session, *, organisation_id: UUID, release: Release, at: datetime) -> Decision:
    """May this customer take this release at this instant? One statement. Raises NotFound for no such customer."""
    return judge(of_release(release), of_customer(session, organisation_id, release, at), at)


def decide_for(session: Session, *, actor: Actor, release: Release, at: datetime) -> Decision:
    """`decide` for the actor's organisation, and then: may this person receive it for them? Two statements at most."""
    if actor.organisation_id is None:
        return reasons.authority_missing()
    decision = decide(session, organisation_id=actor.organisation_id, release=release, at=at)
    if isinstance(decision, Refused):
        return decision
    if not actor.may(Permission.DOWNLOAD):
        return reasons.authority_missing()
    missing = missing_agreements(session, actor.person_id, release.product_id, at)
    return reasons.agreement_required(missing, actor.language) if missing else decision


def judge(release: ReleaseFacts, customer: CustomerFacts, at: datetime) -> Decision:
    """The decision from frozen facts; no I/O. The order is DESIGN 3.2's."""
    barred = _barred(release, customer, at)
    if barred:
        return barred
    by_contract = _by_contract(release, [cover for cover in customer.covers if not cover.is_held], at)
    if by_contract is None:
        held = _by_contract(release, [cover for cover in customer.covers if cover.is_held], at)
        if held:
            return reasons.contract_on_hold(held.contract)
    return (
        _by_exception(release, customer)
        or by_contract
        or _by_backup(customer)
        or nearest_reason(release, customer.covers, at)
    )


def _barred(release: ReleaseFacts, customer: CustomerFacts, at: datetime) -> Refused | None:
    if not is_out(release, at):
        return reasons.not_published()
    if release.state is ReleaseState.WITHDRAWN:
        return reasons.withdrawn(release)
    openings = [opening for opening in (release.open_from, customer.opens_at) if opening is not None]
    if not any(opening <= at for opening in openings):
        return reasons.not_in_audience(min(openings, default=None))
    if customer.export_clause is not None:
        return reasons.export_restricted(customer.export_clause)
    if customer.suspended_at is not None:
        return reasons.customer_on_hold(customer)
    return None


def is_out(release: ReleaseFacts, at: datetime) -> bool:
    """It has been published by `at`, whether or not it was withdrawn since."""
    was_published = release.state in (ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)
    return was_published and release.published_at is not None and release.published_at <= at


def _by_exception(release: ReleaseFacts, customer: CustomerFacts) -> Granted | None:
    if customer.granted_until is not None:
        return reasons.granted(customer.granted_until)
    if release.is_free_security_fix and (customer.has_device or customer.covers):
        return reasons.exempt()
    return None


def _by_contract(release: ReleaseFacts, covers: list[Cover], at: datetime) -> Granted | None:
    active = [cover for cover in covers if cover.starts_at <= at < cover.ends_at and reaches(release, cover)]
    if active:
        return reasons.by_running_contract(release, _last(active))
    issued = [cover for cover in covers if cover.ends_at <= at and was_issued_within(release, cover)]
    return reasons.by_ended_contract(_last(issued)) if issued else None


def _by_backup(customer: CustomerFacts) -> Granted | None:
    return reasons.backup(customer.received_at) if customer.received_at is not None else None


def reaches(release: ReleaseFacts, cover: Cover) -> bool:
    """While its contract runs, the line lets this release be taken: the level, and the back catalogue if need be."""
    is_covered = bool(cover.levels & release.level)
    return is_covered and (cover.has_back_catalogue or _published(release) >= cover.starts_at)


def was_issued_within(release: ReleaseFacts, cover: Cover) -> bool:
    return bool(cover.levels & release.level) and cover.starts_at <= _published(release) < cover.ends_at


def nearest_reason(release: ReleaseFacts, covers: tuple[Cover, ...], at: datetime) -> Refused:
    """Why no contract covers it, and what would change that."""
    running = [cover for cover in covers if cover.starts_at <= at < cover.ends_at and not cover.is_held]
    coming = [cover for cover in covers if at < cover.starts_at]
    will_cover = [cover for cover in coming if reaches(release, cover) and not cover.is_held]
    ended = [cover for cover in covers if cover.ends_at <= at]
    following = min(will_cover, key=lambda cover: (cover.starts_at, cover.number, int(cover.levels)), default=None)
    if running:
        return reasons.level_not_covered(release, _last(running), following)
    if following:
        return reasons.contract_not_started(following)
    if ended:
        return reasons.contract_expired(release, _last(ended))
    others = [*coming, *covers]
    return reasons.level_not_covered(release, _last(others), None) if others else reasons.no_contract()


def _last(covers: list[Cover]) -> Cover:
    if len(covers) == 1:
        return covers[0]
    # The order in which rows come is nobody's: of two lines that end together the wider one speaks, always.
    return max(covers, key=lambda cover: (cover.ends_at, cover.number, cover.has_back_catalogue, int(cover.levels)))


def _published(release: ReleaseFacts) -> datetime:
    if release.published_at is None:
        raise ValueError("a release that is not published has no day")
    return release.published_at


# The same rule in SQL.


def takeable(organisation_id: Customer, at: Moment) -> Select[UUID]:
    """Ids of the releases that `decide` grants this customer at this instant; narrow it by further `where`.

    Inside another query on releases use `is_takeable`: SQLite works out `IN (SELECT …)` for every release there is.
    """
    return select(Release.id).where(is_takeable(organisation_id, at)).correlate(None)


@lru_cache(maxsize=BUILT)
def is_takeable(organisation_id: Customer, at: Moment) -> ColumnElement[bool]:
    """The condition on a row of `Release`. Each part looks from the release to the customer along an index."""
    return and_(Release.state == ReleaseState.PUBLISHED, Release.published_at <= at, is_allowed(organisation_id, at))


def is_allowed(organisation_id: Customer, at: Moment) -> ColumnElement[bool]:
    """The condition on a row of `Release` that is published by then."""
    by_contract = _covers(organisation_id, at, ContractState.ACTIVE)
    by_other_means = and_(
        or_(_is_granted(organisation_id, at), _is_exempt(organisation_id), _is_received(organisation_id)),
        ~_covers(organisation_id, at, ContractState.ON_HOLD),
    )
    return and_(
        exists().where(Organisation.id == organisation_id, Organisation.suspended_at.is_(None)).correlate(Release),
        or_(by_contract, by_other_means),
        is_in_audience(organisation_id, at),
        ~is_export_restricted(organisation_id),
    )


def _covers(organisation_id: Customer, at: Moment, state: ContractState) -> ColumnElement[bool]:
    return has_line(organisation_id, Contract.state == state, line_gives(at))


def line_gives(at: Moment) -> ColumnElement[bool]:
    """The condition on a contract and its line beside a release: it runs, or the release was issued in its term."""
    is_active = and_(
        Contract.starts_at <= at,
        Contract.ends_at > at,
        or_(ContractLine.has_back_catalogue, Release.published_at >= Contract.starts_at),
    )
    issued_during_term = and_(
        Contract.ends_at <= at, Release.published_at >= Contract.starts_at, Release.published_at < Contract.ends_at
    )
    return and_(ContractLine.levels.bitwise_and(Release.level) > 0, or_(is_active, issued_during_term))


def has_line(organisation_id: Customer, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The customer has a contract line that names the release's product or its family, with these conditions.

    Two questions, because neither database finds the lines of a contract by two indexes at once.
    """
    mine = exists().where(
        Contract.organisation_id == organisation_id, ContractLine.contract_id == Contract.id, *conditions
    )
    by_family = mine.where(Product.id == Release.product_id, ContractLine.family_id == Product.family_id)
    return or_(
        mine.where(ContractLine.product_id == Release.product_id).correlate(Release),
        by_family.correlate(Release),
    )


def is_in_audience(organisation_id: Customer, at: Moment) -> ColumnElement[bool]:
    named = exists().where(
        ReleaseAudience.release_id == Release.id,
        ReleaseAudience.organisation_id == organisation_id,
        ReleaseAudience.opens_at <= at,
    )
    return or_(Release.open_from <= at, named.correlate(Release))


def is_export_restricted(organisation_id: Customer) -> ColumnElement[bool]:
    restricted = exists().where(
        ExportRule.product_id == Release.product_id,
        Organisation.id == organisation_id,
        export_rule_meets(Organisation),
    )
    return restricted.correlate(Release)


def has_device(organisation_id: Customer) -> ColumnElement[bool]:
    held = exists().where(
        Device.organisation_id == organisation_id,
        Device.product_id == Release.product_id,
        Device.removed_at.is_(None),
    )
    return held.correlate(Release)


def _is_granted(organisation_id: Customer, at: Moment) -> ColumnElement[bool]:
    grant = exists().where(
        Grant.organisation_id == organisation_id,
        Grant.release_id == Release.id,
        Grant.until > at,
        Grant.revoked_at.is_(None),
    )
    return grant.correlate(Release)


def _is_exempt(organisation_id: Customer) -> ColumnElement[bool]:
    return and_(Release.is_free_security_fix, or_(has_device(organisation_id), has_line(organisation_id)))


def _is_received(organisation_id: Customer) -> ColumnElement[bool]:
    received = exists().where(
        ReceivedRelease.organisation_id == organisation_id, ReceivedRelease.release_id == Release.id
    )
    return received.correlate(Release)
