"""Verbs on a release before it is published: its facts, its audience, its waivers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.errors import mark
from portal.permissions import OrganisationKind
from portal.releases import queries, rules
from portal.releases.errors import (
    NOT_INSTANT,
    NOT_MINUTES,
    BadAudience,
    BadField,
    NotPublished,
    NotWaivable,
    VersionTaken,
    WrongTrain,
)
from portal.releases.locking import lock
from portal.releases.models import Level, Product, Release, ReleaseAudience, ReleaseState, Train, Waiver
from portal.releases.texts import clean
from portal.releases.versions import Version

FIRST_YEAR, LAST_YEAR = 1990, 2199
LONGEST_MINUTES = 10_000


@dataclass(frozen=True)
class ReleaseFacts:
    """What the vendor says of a release. `version` and `lowest_from_version` are written in the product's scheme;
    `downtime_minutes`: how long service is interrupted while it is installed."""

    version: str
    level: Level
    train: Train | None = None
    is_required: bool = False
    is_security_fix: bool = False
    is_free_security_fix: bool = False
    lowest_from_version: str = ""
    embargo_until: datetime | None = None
    downtime_minutes: int | None = None


@dataclass(frozen=True)
class Audience:
    """Everyone entitled from `open_from` on, and each named customer (organisation id) from its own date on.

    With neither, everyone from the publication on.
    """

    open_from: datetime | None = None
    named: tuple[tuple[UUID, datetime], ...] = ()


def create_release(session: Session, product: Product, facts: ReleaseFacts, *, by: Actor, at: datetime) -> Release:
    """A new draft. Raises MalformedVersion, VersionTaken, WrongTrain, BadField."""
    release = Release(product=product, product_id=product.id, state=ReleaseState.DRAFT, created_at=at)
    release.created_by = by.person_id
    _describe(session, release, product, facts)
    session.add(release)
    session.flush()  # it gets its id
    record(session, Tag.RELEASE_CREATE, by=by, at=at, subject=release, named=named(release))
    return release


def change_release(session: Session, release: Release, facts: ReleaseFacts, *, by: Actor, at: datetime) -> None:
    """Raises NotDraft; else as create_release. Waivers that spoke of other facts are dropped."""
    lock(session, release)
    release.require_draft()
    before = (release.version_key, release.level, release.is_security_fix)
    _describe(session, release, release.product, facts)
    if before != (release.version_key, release.level, release.is_security_fix):
        session.execute(delete(Waiver).where(Waiver.release_id == release.id))
    record(session, Tag.RELEASE_CHANGE, by=by, at=at, subject=release, named=named(release))


def _describe(session: Session, release: Release, product: Product, facts: ReleaseFacts) -> None:
    version = Version.parse(facts.version, product.scheme)
    lowest = Version.parse(facts.lowest_from_version, product.scheme) if facts.lowest_from_version else None
    if facts.train is not None and facts.train.product_id != product.id:
        raise WrongTrain
    with session.no_autoflush:
        taken = queries.version_holder(session, product.id, version.key)
    if taken is not None and taken != release.id:
        raise VersionTaken(product=product.code, version=facts.version)
    release.version, release.version_key, release.level = version.text, version.key, facts.level
    release.train, release.train_id = facts.train, facts.train.id if facts.train else None
    release.is_required = facts.is_required
    release.is_security_fix = facts.is_security_fix or facts.is_free_security_fix
    release.is_free_security_fix = facts.is_free_security_fix
    release.lowest_from_version = lowest.text if lowest else None
    release.lowest_from_key = lowest.key if lowest else None
    release.downtime_minutes = _minutes(facts.downtime_minutes)
    release.embargo_until = _sensible(facts.embargo_until, "embargo_until")


def _minutes(minutes: int | None) -> int | None:
    if minutes is not None and not 0 <= minutes <= LONGEST_MINUTES:
        raise BadField(field="downtime_minutes", reason=NOT_MINUTES)
    return minutes


def _sensible(at: datetime | None, field: str) -> datetime | None:
    """An instant that every zone can show: in the year 1 half of them would be in no year at all. Raises BadField."""
    if at is not None and not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise BadField(field=field, reason=NOT_INSTANT)
    return at


def named(release: Release) -> str:
    """How records and messages call the release; its product must be loaded."""
    return f"{release.product.code} {release.version}"


def set_audience(session: Session, release: Release, audience: Audience, *, by: Actor, at: datetime) -> None:
    """Say who may have the release and from when; also after publication, when a pilot widens.

    Raises BadAudience, BadField, NotPublished for a withdrawn release.
    """
    for opens_at in (audience.open_from, *(opens_at for _, opens_at in audience.named)):
        _sensible(opens_at, "open_from")
    lock(session, release)
    if release.state is ReleaseState.WITHDRAWN:
        raise NotPublished(version=release.version)
    _require_customers(session, [organisation_id for organisation_id, _ in audience.named])
    session.execute(delete(ReleaseAudience).where(ReleaseAudience.release_id == release.id))
    session.add_all(
        ReleaseAudience(release_id=release.id, organisation_id=organisation_id, opens_at=opens_at)
        for organisation_id, opens_at in audience.named
    )
    release.open_from = audience.open_from
    if release.is_published and release.open_from is None and not audience.named:
        release.open_from = release.published_at
    told = {"open_from": audience.open_from, "customers": [(str(one), opens_at) for one, opens_at in audience.named]}
    record(session, Tag.RELEASE_AUDIENCE, by=by, at=at, subject=release, named=named(release), **told)


def _require_customers(session: Session, ids: Iterable[UUID]) -> None:
    wanted = list(ids)
    rows = select(Organisation.id).where(Organisation.id.in_(wanted), Organisation.kind == OrganisationKind.CUSTOMER)
    if len(set(wanted)) != len(wanted) or set(session.scalars(rows)) != set(wanted):
        raise BadAudience


def give_waiver(session: Session, release: Release, *, problem: str, reason: str, by: Actor, at: datetime) -> Waiver:
    """Take a problem of a draft upon oneself, by its `key`. Raises NotDraft, NotWaivable, BadText."""
    lock(session, release)
    release.require_draft()
    found = rules.problems(queries.draft(session, release), ())
    if not any(one.key == problem and one.is_waivable and one.is_open for one in found):
        raise NotWaivable(problem=problem[:100])
    waiver = Waiver(release_id=release.id, problem=problem, by=by.person_id, by_name=by.name, at=at)
    waiver.reason = clean(reason, field=mark("Reason"), limit=500, required=True)
    session.add(waiver)
    told = {"problem": problem, "reason": waiver.reason}
    record(session, Tag.WAIVER_GIVE, by=by, at=at, subject=release, named=named(release), **told)
    return waiver
