"""The verbs of the installed base: add a device, change, move, remove it, and say which version runs on it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.errors import Forbidden, NotFound
from portal.inventory import queries
from portal.inventory.errors import NotACustomer, SerialTaken, UnknownDeviceProduct, UnknownSite
from portal.inventory.models import ChangeKind, Device, DeviceChange, HowKnown, Site
from portal.inventory.terms import (
    MAX_NAME_CHARS,
    MAX_REASON_CHARS,
    MAX_REFERENCE_CHARS,
    MAX_SERIAL_CHARS,
    DeviceChanges,
    DeviceFacts,
    Source,
    parse_installed,
    parse_site_code,
)
from portal.permissions import OrganisationKind, Permission
from portal.releases.models import Product
from portal.texts import one_line

__all__ = (
    "DeviceChanges", "DeviceFacts", "Source", "add_device", "change_device", "find_site", "move_device",
    "remove_device", "require_customer", "set_version", "usual_source",
)  # fmt: skip


def add_device(
    session: Session, facts: DeviceFacts, *, by: Actor, at: datetime, source: Source | None = None
) -> Device:
    """A device of this customer.

    Raises Forbidden, NotFound (another's organisation), NotACustomer, UnknownDeviceProduct, UnknownSite, SerialTaken,
    MalformedVersion, and the errors of portal.texts.
    """
    require_customer(facts.organisation, by)
    addable = queries.addable_products(facts.organisation.id, visible_to=by).where(Product.id == facts.product.id)
    if session.scalar(addable) is None:
        raise UnknownDeviceProduct(product=facts.product.code)
    source = source or usual_source(by)
    device = made(facts, source, at)
    if queries.taken_serials(session, facts.product.id, [device.serial]):
        raise SerialTaken(serial=device.serial)
    keep(session, [device], source, by=by, at=at)
    return device


def change_device(
    session: Session, device: Device, changes: DeviceChanges, *, by: Actor, at: datetime, source: Source | None = None
) -> list[DeviceChange]:
    """What is said of the device is so from now on; what differs from before is noted, each thing by itself.

    `device` is loaded as `queries.get_device` does. Raises Forbidden, NotFound, DeviceRemoved, SerialTaken,
    UnknownSite, MalformedVersion, and the errors of portal.texts.
    """
    require_customer(device.organisation, by)
    _lock(session, device)
    device.require_there()
    source = source or usual_source(by)
    noted = _apply(session, device, changes, at)
    if not noted:
        return []
    if any(kind is ChangeKind.VERSION for kind, _, _ in noted):
        device.how_known = source.how
    _flushed(session, device.serial)
    rows = _noted(session, device, noted, source, by=by, at=at)
    told = {kind.value: [before, after] for kind, before, after in noted}
    _record(session, Tag.DEVICE_CHANGE, device, by=by, at=at, how=source.how.value, **told)
    return rows


def set_version(
    session: Session, device: Device, version: str, *, source: Source, by: Actor, at: datetime
) -> list[DeviceChange]:
    """The version that runs on the device from `at` on, "" when nobody knows (P4, P7). Raises as change_device."""
    changes = DeviceChanges(installed_version=version)
    return change_device(session, device, changes, by=by, at=at, source=source)


def move_device(session: Session, device: Device, site: Site | None, *, by: Actor, at: datetime) -> list[DeviceChange]:
    """Raises as change_device."""
    return change_device(session, device, DeviceChanges(site=site.code if site else ""), by=by, at=at)


def remove_device(session: Session, device: Device, *, reason: str, by: Actor, at: datetime) -> None:
    """The device is no longer there; its history stays. Raises as change_device."""
    require_customer(device.organisation, by)
    _lock(session, device)
    why = one_line(reason, limit=MAX_REASON_CHARS)
    device.remove(at)
    _noted(session, device, [(ChangeKind.REMOVED, device.serial, why)], usual_source(by), by=by, at=at)
    _record(session, Tag.DEVICE_REMOVE, device, by=by, at=at, reason=why)


def require_customer(organisation: Organisation, by: Actor) -> None:
    """Raises Forbidden, NotFound (another's), NotACustomer."""
    if not by.may(Permission.INVENTORY_EDIT):
        raise Forbidden(permission=Permission.INVENTORY_EDIT)
    if not by.is_staff and organisation.id != by.organisation_id:
        raise NotFound
    if organisation.kind is not OrganisationKind.CUSTOMER:
        raise NotACustomer(customer=organisation.name)


def usual_source(by: Actor) -> Source:
    """What somebody enters by hand: the customer's report, or the support centre's entry."""
    return Source(HowKnown.SUPPORT if by.is_staff else HowKnown.REPORTED)


def made(facts: DeviceFacts, source: Source, at: datetime) -> Device:
    """The device with all of it parsed, not kept yet."""
    if facts.site is not None and facts.site.organisation_id != facts.organisation.id:
        raise UnknownSite(site=facts.site.code)
    version = parse_installed(facts.installed_version, facts.product)
    return Device(
        organisation_id=facts.organisation.id,
        product=facts.product,
        product_id=facts.product.id,
        site=facts.site,
        serial=one_line(facts.serial, limit=MAX_SERIAL_CHARS),
        name=one_line(facts.name, limit=MAX_NAME_CHARS, required=False),
        installed_version=version.text if version else None,
        installed_key=version.key if version else None,
        since=at,
        how_known=source.how,
    )


def keep(session: Session, devices: list[Device], source: Source, *, by: Actor, at: datetime) -> None:
    """Raises SerialTaken when somebody else added one of them a moment ago."""
    try:
        with session.begin_nested():
            session.add_all(devices)
            session.flush()  # the unique index speaks here
    except IntegrityError as error:
        raise SerialTaken(serial=devices[0].serial if len(devices) == 1 else "…") from error
    for device in devices:
        _noted(session, device, [(ChangeKind.ADDED, "", device.installed_version or "")], source, by=by, at=at)
        _record(session, Tag.DEVICE_ADD, device, by=by, at=at, how=source.how.value)


_Noted = list[tuple[ChangeKind, str, str]]


def _apply(session: Session, device: Device, changes: DeviceChanges, at: datetime) -> _Noted:
    noted: _Noted = []
    if changes.serial is not None:
        serial = one_line(changes.serial, limit=MAX_SERIAL_CHARS)
        if serial != device.serial and queries.taken_serials(session, device.product_id, [serial]):
            raise SerialTaken(serial=serial)
        noted.append((ChangeKind.SERIAL, device.serial, serial))
        device.serial = serial
    if changes.name is not None:
        name = one_line(changes.name, limit=MAX_NAME_CHARS, required=False)
        noted.append((ChangeKind.NAME, device.name, name))
        device.name = name
    if changes.site is not None:
        site = find_site(session, device.organisation_id, changes.site)
        noted.append((ChangeKind.SITE, device.site.code if device.site else "", site.code if site else ""))
        device.site, device.site_id = site, site.id if site else None
    if changes.installed_version is not None:
        version = parse_installed(changes.installed_version, device.product)
        noted.append((ChangeKind.VERSION, device.installed_version or "", version.text if version else ""))
        if (version.key if version else None) != device.installed_key:
            device.since = at
        device.installed_version, device.installed_key = (version.text, version.key) if version else (None, None)
    return [(kind, before, after) for kind, before, after in noted if before != after]


def find_site(session: Session, organisation_id: UUID, code: str) -> Site | None:
    """The customer's site of this code, None for "". Raises UnknownSite."""
    if not code.strip():
        return None
    wanted = parse_site_code(code)
    rows = select(Site).where(
        Site.organisation_id == organisation_id, Site.code == wanted, Site.removed_at.is_(None)
    )  # fmt: skip
    site = session.scalar(rows)
    if site is None:
        raise UnknownSite(site=wanted)
    return site


def _lock(session: Session, device: Device) -> None:
    """Hold the row until the transaction ends, and see it as it is now: histories of two changes at once must join."""
    session.flush()  # our own changes would be overwritten by what is read now
    session.execute(select(Device.id).where(Device.id == device.id).with_for_update())
    site_id = device.site_id
    session.refresh(device, attribute_names=Device.__mapper__.column_attrs.keys())
    if device.site_id != site_id:
        session.refresh(device, attribute_names=["site"])


def _flushed(session: Session, serial: str) -> None:
    try:
        with session.begin_nested():
            session.flush()  # the unique index speaks here
    except IntegrityError as error:
        raise SerialTaken(serial=serial) from error


def _noted(
    session: Session, device: Device, noted: _Noted, source: Source, *, by: Actor, at: datetime
) -> list[DeviceChange]:
    reference = one_line(source.reference, limit=MAX_REFERENCE_CHARS, required=False)
    is_first = noted[0][0] is ChangeKind.ADDED  # nothing is asked for each of five thousand lines of a table
    place = 1 if is_first else 1 + (session.scalar(_places(device.id)) or 0)
    rows = [
        DeviceChange(
            device_id=device.id, at=at, place=place + number, kind=kind, before=before, after=after,
            how_known=source.how, reference=reference, reference_id=source.reference_id, by=by.person_id,
            by_name=by.name,
        )
        for number, (kind, before, after) in enumerate(noted)
    ]  # fmt: skip
    session.add_all(rows)
    return rows


def _places(device_id: UUID) -> Select[int]:
    return select(func.max(DeviceChange.place)).where(DeviceChange.device_id == device_id)


def _record(session: Session, tag: Tag, device: Device, *, by: Actor, at: datetime, **told: object) -> None:
    name, customer = f"{device.product.name} {device.serial}", str(device.organisation_id)
    audit.record(session, tag, by=by, at=at, subject=device, named=name, organisation=customer, **told)


MAX_SITE_CHARS = 200
