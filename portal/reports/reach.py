"""From the publication of a release to whoever it is for: when a customer heard of it, when its devices had it (P15).

Notice is the first of: the letter about its publication; a letter about a ticket that the release cures; an update
planned to it; a delivery or download of it. A device has it when its history says that it came from a lower version to
this one or a higher; it waits for it while its version on record is lower. Only installations after publication are
measured: from publication, or from the day on which the device came on record, where that is later.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from statistics import median
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, contains_eager

from portal.accounts.customers import ESCAPE, anywhere
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.deliveries.models import Delivery
from portal.entitlements.models import ReceivedRelease
from portal.entitlements.visibility import is_visible
from portal.errors import NotFound, mark
from portal.inventory.models import ChangeKind, Device, DeviceChange
from portal.notices.models import Occasion, ReleaseNotice
from portal.releases.models import Product, Release, ReleaseAudience, ReleaseState
from portal.releases.versions import MalformedVersion, Scheme, Version
from portal.tickets.models import Ticket, TicketFix
from portal.updates.models import UpdateRequest

NOTHING = timedelta(0)


class Notice(StrEnum):
    NEWS = "news"
    LETTER = "letter"
    UPDATE = "update"
    DELIVERY = "delivery"


NOTICE_TITLES = {
    Notice.NEWS: mark("told of the publication"),
    Notice.LETTER: mark("told on a ticket"),
    Notice.UPDATE: mark("an update was planned"),
    Notice.DELIVERY: mark("asked for or downloaded"),
}


@dataclass(frozen=True)
class Spread:
    """How long something took: how often it happened, and the median and the longest of the times."""

    count: int
    median: timedelta | None
    worst: timedelta | None


@dataclass(frozen=True)
class Reach:
    """One release and one customer. `told`: when it first heard, and how; `installed` has a time for each device;
    `waiting` devices are still below."""

    release: Release
    organisation: Organisation
    told: tuple[datetime, Notice] | None
    installed: tuple[timedelta, ...]
    waiting: int

    @property
    def notice(self) -> timedelta | None:
        """A pilot customer may know before publication: it did not wait."""
        published = self.release.published_at
        return max(self.told[0] - published, NOTHING) if self.told and published else None


@dataclass(frozen=True)
class Whole:
    """One release and all its customers."""

    customers: int
    notice: Spread
    installation: Spread
    waiting: int


class _Change(NamedTuple):
    device_id: UUID
    organisation_id: UUID
    product_id: UUID
    kind: ChangeKind
    at: datetime
    before: str
    after: str


def spread(spans: Iterable[timedelta]) -> Spread:
    known = sorted(span.total_seconds() for span in spans)
    if not known:
        return Spread(0, None, None)
    return Spread(len(known), timedelta(seconds=median(known)), timedelta(seconds=known[-1]))


def whole(reaches: Sequence[Reach]) -> Whole:
    return Whole(
        len(reaches),
        spread(one.notice for one in reaches if one.notice is not None),
        spread(span for one in reaches for span in one.installed),
        sum(one.waiting for one in reaches),
    )


def releases(text: str, *, visible_to: Actor, at: datetime) -> Select[Release]:
    """What was published, the newest first, with its product.

    A customer's: what it may know of, and has devices for or received. `text` narrows by product or version.
    """
    rows = (
        select(Release)
        .join(Release.product)
        .where(Release.state.in_((ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)), Release.published_at <= at)
        .options(contains_eager(Release.product))
        .order_by(Release.published_at.desc(), Release.id)
    )
    if not visible_to.is_staff:
        if not visible_to.is_customer or visible_to.organisation_id is None:
            raise NotFound
        rows = rows.where(is_visible(visible_to.organisation_id, at), _concerns(visible_to.organisation_id))
    for word in text.split()[:8]:
        pattern = anywhere(word.lower())
        names = (Product.name, Product.code, Release.version)
        rows = rows.where(or_(*(func.lower(name).like(pattern, escape=ESCAPE) for name in names)))
    return rows


def get(session: Session, release_id: UUID, *, visible_to: Actor, at: datetime) -> Release:
    """Raises NotFound."""
    found = session.scalar(releases("", visible_to=visible_to, at=at).where(Release.id == release_id))
    if found is None:
        raise NotFound
    return found


def reaches(session: Session, some: Sequence[Release], *, visible_to: Actor, at: datetime) -> dict[UUID, list[Reach]]:
    """By release, each of which has its product: every customer with something to say of it, by name.

    Five statements, however many releases. A customer's is its own alone.
    """
    ids = [release.id for release in some]
    own = None if visible_to.is_staff else visible_to.organisation_id
    told = _told(session, ids, own)
    installed = _installed(_changes(session, some, own), some)
    waiting = _waiting(session, ids, own)
    admitted = _admitted(session, ids, at)
    pairs = {pair for pair in {*told, *installed, *waiting} if own in (None, pair[1])}
    names = select(Organisation).where(Organisation.id.in_({organisation_id for _, organisation_id in pairs}))
    customers = sorted(session.scalars(names), key=lambda one: (one.name, one.code))
    found: dict[UUID, list[Reach]] = {}
    for release in some:
        is_open = release.open_from is not None and release.open_from <= at
        found[release.id] = [
            Reach(release, customer, told.get(pair), tuple(installed.get(pair, ())), waiting.get(pair, 0))
            for customer in customers
            if (pair := (release.id, customer.id)) in pairs and (is_open or pair in admitted)
        ]
    return found


Pair = tuple[UUID, UUID]
"""A release and a customer."""


def _concerns(organisation_id: UUID) -> ColumnElement[bool]:
    device = exists().where(Device.product_id == Release.product_id, Device.organisation_id == organisation_id)
    received = exists().where(
        ReceivedRelease.release_id == Release.id, ReceivedRelease.organisation_id == organisation_id
    )
    return or_(device.correlate(Release), received.correlate(Release))


def _told(session: Session, ids: Collection[UUID], own: UUID | None) -> dict[Pair, tuple[datetime, Notice]]:
    """When each customer first heard, and how."""
    parts = []
    for how, release_id, organisation_id, at in (
        (Notice.NEWS, ReleaseNotice.release_id, ReleaseNotice.organisation_id, ReleaseNotice.told_at),
        (Notice.LETTER, TicketFix.release_id, Ticket.organisation_id, TicketFix.told_at),
        (Notice.UPDATE, UpdateRequest.release_id, UpdateRequest.organisation_id, UpdateRequest.created_at),
        (Notice.DELIVERY, Delivery.release_id, Delivery.organisation_id, Delivery.created_at),
    ):
        rows = select(release_id, organisation_id, func.min(at).label("at"), literal(how.value).label("how"))
        if how is Notice.LETTER:
            rows = rows.join(Ticket, Ticket.id == TicketFix.ticket_id)
        if how is Notice.NEWS:
            rows = rows.where(ReleaseNotice.occasion == Occasion.PUBLISHED)
        rows = rows.where(release_id.in_(ids), *([organisation_id == own] if own else []))
        parts.append(rows.group_by(release_id, organisation_id))
    first: dict[Pair, tuple[datetime, Notice]] = {}
    for release, customer, heard_at, word in session.execute(union_all(*parts)):
        known = first.get((release, customer))
        if known is None or heard_at < known[0]:
            first[release, customer] = (heard_at, Notice(word))
    return first


def _changes(session: Session, some: Sequence[Release], own: UUID | None) -> Iterator[_Change]:
    """The history of the products' devices since the first of the releases, device by device."""
    oldest = min((release.published_at for release in some if release.published_at), default=None)
    if oldest is None:
        return iter(())
    rows = (
        select(
            DeviceChange.device_id,
            Device.organisation_id,
            Device.product_id,
            DeviceChange.kind,
            DeviceChange.at,
            DeviceChange.before,
            DeviceChange.after,
        )
        .join(Device, Device.id == DeviceChange.device_id)
        .where(
            Device.product_id.in_({release.product_id for release in some}),
            DeviceChange.kind.in_((ChangeKind.ADDED, ChangeKind.VERSION)),
            DeviceChange.at >= oldest,
            *([Device.organisation_id == own] if own else []),
        )
        .order_by(DeviceChange.device_id, DeviceChange.place)
    )
    return (_Change(*row) for row in session.execute(rows))


def _installed(changes: Iterable[_Change], some: Sequence[Release]) -> dict[Pair, list[timedelta]]:
    by_product: dict[UUID, list[Release]] = defaultdict(list)
    for release in some:
        by_product[release.product_id].append(release)
    found: dict[Pair, list[timedelta]] = defaultdict(list)
    for _device_id, history in groupby(changes, key=lambda change: change.device_id):
        left: list[Release] | None = None
        added_at: datetime | None = None
        for change in history:
            left = list(by_product[change.product_id]) if left is None else left
            if change.kind is ChangeKind.ADDED:
                added_at = change.at
                continue
            for release in [one for one in left if _reaches(change, one)]:
                left.remove(release)  # a device that went back and came again had it the first time
                since = max(filter(None, (release.published_at, added_at)))
                found[release.id, change.organisation_id].append(change.at - since)
    return found


def _reaches(change: _Change, release: Release) -> bool:
    """From a lower version to this or a higher one, after it was published."""
    before, after = (_key(text, release.product.scheme) for text in (change.before, change.after))
    is_after = release.published_at is not None and change.at >= release.published_at
    return is_after and bool(before and after) and before < release.version_key <= after


@lru_cache(maxsize=4096)
def _key(text: str, scheme: Scheme) -> str:
    """What the version is ordered by; "" for none."""
    try:
        return Version.parse(text, scheme).key if text else ""
    except MalformedVersion:  # the product's scheme was another one then
        return ""


def _waiting(session: Session, ids: Collection[UUID], own: UUID | None) -> dict[Pair, int]:
    """How many devices of each customer are below the release; nobody waits for one that was withdrawn."""
    rows = (
        select(Release.id, Device.organisation_id, func.count())
        .join(Device, Device.product_id == Release.product_id)
        .where(
            Release.id.in_(ids),
            Release.state == ReleaseState.PUBLISHED,
            Device.removed_at.is_(None),
            Device.installed_key < Release.version_key,
            *([Device.organisation_id == own] if own else []),
        )
        .group_by(Release.id, Device.organisation_id)
    )
    return {(release_id, organisation_id): count for release_id, organisation_id, count in session.execute(rows)}


def _admitted(session: Session, ids: Collection[UUID], at: datetime) -> set[Pair]:
    rows = select(ReleaseAudience.release_id, ReleaseAudience.organisation_id).where(
        ReleaseAudience.release_id.in_(ids), ReleaseAudience.opens_at <= at
    )
    return {(release_id, organisation_id) for release_id, organisation_id in session.execute(rows)}
