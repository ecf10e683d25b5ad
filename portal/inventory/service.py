"""The verbs of the installed base: add one device, take in a table of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.errors import Forbidden, NotFound, PortalError
from portal.inventory import queries, sheets
from portal.inventory.errors import BadLines, NotACustomer, SerialTaken, UnknownDeviceProduct
from portal.inventory.models import Device
from portal.permissions import OrganisationKind, Permission
from portal.releases.models import Product
from portal.releases.versions import Version
from portal.texts import one_line

MAX_SERIAL_CHARS = 100
MAX_SITE_CHARS = 200


@dataclass(frozen=True)
class DeviceFacts:
    """`installed_version` as the product's scheme writes it, or "" when nobody knows."""

    organisation: Organisation
    product: Product
    serial: str
    site: str = ""
    installed_version: str = ""


def add_device(session: Session, facts: DeviceFacts, *, by: Actor, at: datetime) -> Device:
    """A device of this customer.

    Raises Forbidden, NotFound (another's organisation), NotACustomer, UnknownDeviceProduct, SerialTaken,
    MalformedVersion, and the errors of portal.texts.
    """
    _require_customer(facts.organisation, by)
    addable = queries.addable_products(facts.organisation.id, visible_to=by).where(Product.id == facts.product.id)
    if session.scalar(addable) is None:
        raise UnknownDeviceProduct(product=facts.product.code)
    device = _made(facts, at)
    if queries.taken_serials(session, facts.product.id, [device.serial]):
        raise SerialTaken(serial=device.serial)
    _keep(session, [device], by=by, at=at)
    return device


def import_devices(
    session: Session, lines: Sequence[sheets.Line], organisation: Organisation, *, by: Actor, at: datetime
) -> list[Device]:
    """All devices of a table, or none: raises BadLines with every line that is wrong. Raises as add_device besides."""
    _require_customer(organisation, by)
    products = {p.code: p for p in session.scalars(queries.addable_products(organisation.id, visible_to=by))}
    problems: list[tuple[int, PortalError]] = []
    devices: dict[int, Device] = {}
    for line in lines:
        try:
            devices[line.number] = _from_line(line, organisation, products, at)
        except PortalError as error:
            problems.append((line.number, error))
    problems += _taken(session, devices)
    if problems:
        problems.sort(key=lambda problem: problem[0])
        raise BadLines(count=len(problems), problems=problems)
    _keep(session, list(devices.values()), by=by, at=at)
    return list(devices.values())


def _require_customer(organisation: Organisation, by: Actor) -> None:
    if not by.may(Permission.INVENTORY_EDIT):
        raise Forbidden(permission=Permission.INVENTORY_EDIT)
    if not by.is_staff and organisation.id != by.organisation_id:
        raise NotFound
    if organisation.kind is not OrganisationKind.CUSTOMER:
        raise NotACustomer(customer=organisation.name)


def _made(facts: DeviceFacts, at: datetime) -> Device:
    serial = one_line(facts.serial, limit=MAX_SERIAL_CHARS)
    site = one_line(facts.site, limit=MAX_SITE_CHARS, required=False)
    version = facts.installed_version.strip()
    return Device(
        organisation_id=facts.organisation.id,
        product=facts.product,
        product_id=facts.product.id,
        serial=serial,
        site=site,
        installed_version=Version.parse(version, facts.product.scheme).text if version else None,
        since=at,
    )


def _from_line(line: sheets.Line, organisation: Organisation, products: dict[str, Product], at: datetime) -> Device:
    product = products.get(line.product.strip())
    if product is None:
        raise UnknownDeviceProduct(product=line.product.strip()[:60])
    return _made(DeviceFacts(organisation, product, line.serial, line.site, line.installed_version), at)


def _taken(session: Session, devices: dict[int, Device]) -> list[tuple[int, PortalError]]:
    """Lines whose serial is on record already, or stands in the table before."""
    on_record = {
        (product_id, serial)
        for product_id in {device.product_id for device in devices.values()}
        for serial in queries.taken_serials(
            session, product_id, [d.serial for d in devices.values() if d.product_id == product_id]
        )
    }
    problems: list[tuple[int, PortalError]] = []
    for number, device in devices.items():
        identity = (device.product_id, device.serial)
        if identity in on_record:
            problems.append((number, SerialTaken(serial=device.serial)))
        on_record.add(identity)
    return problems


def _keep(session: Session, devices: list[Device], *, by: Actor, at: datetime) -> None:
    try:
        with session.begin_nested():
            session.add_all(devices)
            session.flush()  # the unique constraint speaks here: somebody else may have added the serial a moment ago
    except IntegrityError as error:
        raise SerialTaken(serial=devices[0].serial if len(devices) == 1 else "…") from error
    for device in devices:
        name, customer = f"{device.product.name} {device.serial}", str(device.organisation_id)
        audit.record(session, Tag.DEVICE_ADD, by=by, at=at, subject=device, named=name, organisation=customer)
