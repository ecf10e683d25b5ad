"""Plans of devices, loaded in a fixed number of statements for each customer; lists narrowed by how devices stand."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, false, select, tuple_
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.entitlements.lists import decide_many
from portal.entitlements.visibility import is_visible
from portal.errors import mark
from portal.inventory import queries as inventory
from portal.inventory.models import Device
from portal.inventory.queries import Wanted
from portal.plans import shelves
from portal.plans.rules import Obstacle, Offer, Plan, Standing, Step, plan, standing, way_to
from portal.releases.models import Artifact, NotesRevision, Release

Installed = tuple[UUID, str | None]
"""A product's id, and the sort key of the version that is installed."""


class Narrow(StrEnum):
    """What a list of devices can be narrowed to by how they stand."""

    BEHIND = "behind"
    ENDING = "ending"
    INSECURE = "insecure"


NARROW_TITLES = {
    Narrow.BEHIND: mark("Behind the recommendation"),
    Narrow.ENDING: mark("End of support soon"),
    Narrow.INSECURE: mark("Touched by a security issue"),
}
_HOLDS: dict[Narrow, Callable[[Standing], bool]] = {
    Narrow.BEHIND: lambda standing: standing.is_behind,
    Narrow.ENDING: lambda standing: standing.is_ending,
    Narrow.INSECURE: lambda standing: standing.is_insecure,
}


def plans_of(session: Session, devices: Sequence[Device], at: datetime) -> dict[UUID, Plan]:
    """The plan of each device, by its id, for the customer that it belongs to; `organisation` must be loaded.

    Seven statements, and nine more for each customer; however many devices.
    """
    loaded = shelves.load(session, {device.product_id for device in devices})
    by_customer: dict[UUID, list[Device]] = defaultdict(list)
    for device in devices:
        by_customer[device.organisation_id].append(device)
    return {
        device_id: made
        for organisation_id, some in by_customer.items()
        for device_id, made in _of_customer(session, organisation_id, some, loaded, at).items()
    }


def ways_to(
    session: Session, devices: Sequence[Device], target: Release, at: datetime
) -> dict[UUID, tuple[Step, ...] | Obstacle]:
    """The way of each device of one customer to this release of their product, by the device's id; none of a device
    whose version nobody knows. Sixteen statements, however many devices."""
    loaded = shelves.load(session, {target.product_id})
    shelf = loaded[target.product_id]
    offer = _offers(session, devices[0].organisation_id, [shelf], at)[target.product_id]
    keys = {device.installed_key for device in devices if device.installed_key}
    ways = {key: way_to(shelf, key, target, offer) for key in keys}
    return {device.id: ways[device.installed_key] for device in devices if device.installed_key}


def _of_customer(
    session: Session, organisation_id: UUID, devices: list[Device], loaded: dict[UUID, shelves.Shelf], at: datetime
) -> dict[UUID, Plan]:
    offers = _offers(session, organisation_id, [loaded[one] for one in {d.product_id for d in devices}], at)
    today = at.astimezone(ZoneInfo(devices[0].organisation.time_zone)).date()
    made: dict[Installed, Plan] = {}
    for device in devices:
        installed = (device.product_id, device.installed_key)
        if installed not in made:
            shelf = loaded[device.product_id]
            made[installed] = plan(shelf, device.installed_key, offers[device.product_id], today)
    return {device.id: made[device.product_id, device.installed_key] for device in devices}


def _offers(session: Session, organisation_id: UUID, some: Sequence[shelves.Shelf], at: datetime) -> dict[UUID, Offer]:
    visible = _visible(session, organisation_id, [shelf.product.id for shelf in some], at)
    releases = [release for shelf in some for release in shelf.published if release.id in visible]
    decisions = decide_many(session, organisation_id=organisation_id, releases=releases, at=at)
    return {shelf.product.id: Offer(visible, decisions) for shelf in some}


def _visible(session: Session, organisation_id: UUID, product_ids: list[UUID], at: datetime) -> frozenset[UUID]:
    rows = select(Release.id).where(Release.product_id.in_(product_ids), is_visible(organisation_id, at))
    return frozenset(session.scalars(rows))


def standings(
    session: Session, installed: Iterable[Installed], at: datetime, *, visible_to: Actor
) -> dict[Installed, Standing]:
    """How each installed version stands. A customer is told of what it may know of; staff, who look at many customers
    at once, of what is open to all: the page of one device says it exactly. Eight statements at most."""
    wanted = set(installed)
    product_ids = list({product_id for product_id, _ in wanted})
    loaded = shelves.load(session, product_ids)
    is_known: Callable[[Release], bool]
    if visible_to.is_staff or visible_to.organisation_id is None:

        def is_known(release: Release) -> bool:
            return release.open_from is not None and release.open_from <= at
    else:
        visible = _visible(session, visible_to.organisation_id, product_ids, at)

        def is_known(release: Release) -> bool:
            return release.id in visible

    today = today_of(visible_to, at)
    return {one: standing(loaded[one[0]], one[1], is_known, today) for one in wanted}


def today_of(reader: Actor, at: datetime) -> date:
    return at.astimezone(ZoneInfo(reader.time_zone)).date()


def devices(
    session: Session, wanted: Wanted, narrow: Narrow | None, at: datetime, *, visible_to: Actor
) -> Select[Device]:
    """The list of devices, narrowed also by how they stand; nine statements before it when it is."""
    rows = inventory.devices(wanted, visible_to=visible_to)
    if narrow is None:
        return rows
    columns = (Device.product_id, Device.installed_key)
    pairs = rows.with_only_columns(*columns).order_by(None).where(Device.installed_key.is_not(None)).distinct()
    found = [(product_id, key) for product_id, key in session.execute(pairs)]
    standing_of = standings(session, found, at, visible_to=visible_to)
    held = [one for one in found if _HOLDS[narrow](standing_of[one])]
    return rows.where(tuple_(*columns).in_(held)) if held else rows.where(false())


def notes_of(session: Session, release_ids: Iterable[UUID]) -> dict[UUID, NotesRevision]:
    """The current release notes of each release, in one statement."""
    rows = select(NotesRevision).where(NotesRevision.release_id.in_(list(release_ids))).order_by(NotesRevision.number)
    return {row.release_id: row for row in session.scalars(rows)}


def files_of(session: Session, release_ids: Iterable[UUID]) -> dict[UUID, list[Artifact]]:
    """The files of each release, by name, in one statement."""
    rows = select(Artifact).where(Artifact.release_id.in_(list(release_ids)), Artifact.removed_at.is_(None))
    found: dict[UUID, list[Artifact]] = defaultdict(list)
    for file in session.scalars(rows.order_by(Artifact.name)):
        found[file.release_id].append(file)
    return found
