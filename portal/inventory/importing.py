"""Devices from a table, in two steps: what it would change is shown, and exactly that is done.

The preview's token is a digest of the file and of everything that it would change. Whoever confirms sends both again;
where the file is another one, or somebody changed a device meanwhile, the token differs and nothing is done.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.errors import PortalError, mark
from portal.inventory import queries, service, sheets
from portal.inventory.errors import (
    BadLines,
    LineRepeated,
    SerialTaken,
    StalePreview,
    TooManyCells,
    UnknownDeviceProduct,
)
from portal.inventory.models import Device, HowKnown, Site
from portal.inventory.sites import add_site
from portal.inventory.terms import (
    MAX_NAME_CHARS,
    MAX_SERIAL_CHARS,
    MAX_SITE_NAME_CHARS,
    DeviceChanges,
    DeviceFacts,
    SiteFacts,
    Source,
    parse_installed,
    parse_site_code,
)
from portal.releases.models import Product
from portal.texts import one_line

SHOWN_CHARS = 60


class Outcome(StrEnum):
    """What becomes of a line."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"


OUTCOME_TITLES = {
    Outcome.NEW: mark("New"),
    Outcome.CHANGED: mark("Changed"),
    Outcome.UNCHANGED: mark("Unchanged"),
    Outcome.WRONG: mark("Wrong"),
}


COLUMN_TITLES = {"name": mark("Name"), "site": mark("Site"), "installed_version": mark("Installed version")}


@dataclass(frozen=True)
class Change:
    """One thing that a line changes; `what` is a column's name."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Planned:
    """What one line does. `changes` of a new device are from ""; `error` says what is wrong with a wrong line."""

    line: sheets.Line
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    error: PortalError | None = None
    product: Product | None = None
    device: Device | None = None
    serial: str = ""

    @property
    def number(self) -> int:
        return self.line.number

    def after(self, what: str) -> str | None:
        return next((change.after for change in self.changes if change.what == what), None)


@dataclass(frozen=True)
class Preview:
    """All lines in the file's order, the sites that would be made ({code: name}), and the token to confirm with."""

    lines: tuple[Planned, ...]
    new_sites: dict[str, str]
    token: str
    reference: str

    def of(self, outcome: Outcome) -> list[Planned]:
        return [line for line in self.lines if line.outcome is outcome]

    @property
    def counts(self) -> dict[Outcome, int]:
        return {outcome: len(self.of(outcome)) for outcome in Outcome}


@dataclass(frozen=True)
class _Known:
    """What the table's words mean for this customer now."""

    products: dict[str, Product]
    sites: dict[str, Site]
    mine: dict[tuple[UUID, str], Device]
    taken: set[tuple[UUID, str]]


@dataclass(frozen=True)
class Order:
    """A table to be taken in. `name` is the file's, for the history; `token` that of the preview that was looked at,
    None when nobody looked; with `keep_going` the good lines are taken in and the wrong ones left out."""

    content: bytes
    name: str = ""
    token: str | None = None
    keep_going: bool = False


def preview(session: Session, content: bytes, organisation: Organisation, *, by: Actor, name: str = "") -> Preview:
    """What the table would change; nothing is changed.

    Raises BadSheet, Forbidden, NotFound (another's organisation), NotACustomer.
    """
    service.require_customer(organisation, by)
    lines = sheets.read(content)
    known = _known(session, lines, organisation, by)
    planned = tuple(_plans(lines, known))
    new_sites: dict[str, str] = {}
    for one in planned:
        code = one.after("site")
        if code and code not in known.sites:
            new_sites.setdefault(code, _site_name(one.line) or code)
    digest = hashlib.sha256(content).hexdigest()
    token = _token(digest, organisation.id, planned, new_sites)
    return Preview(planned, new_sites, token, f"{name[:120]} sha256:{digest[:16]}".strip())


def take_in(session: Session, order: Order, organisation: Organisation, *, by: Actor, at: datetime) -> Preview:
    """Do exactly what the preview of the order's token showed, in one transaction.

    Raises StalePreview when the file, or what it would change, is no longer that; BadLines, with every line that is
    wrong, unless it is to keep going; and as `preview` and the verbs do.
    """
    shown = preview(session, order.content, organisation, by=by, name=order.name)
    if order.token is not None and order.token != shown.token:
        raise StalePreview
    wrong = shown.of(Outcome.WRONG)
    if wrong and not order.keep_going:
        raise BadLines(count=len(wrong), problems=[(one.number, one.error) for one in wrong])
    source = Source(HowKnown.IMPORT, shown.reference)
    for code, name in shown.new_sites.items():
        add_site(session, organisation, SiteFacts(code, name), by=by, at=at)
    sites = {site.code: site for site in queries.sites_of(session, organisation.id)}
    fresh = [_made(one, organisation, sites, source, at) for one in shown.of(Outcome.NEW)]
    if fresh:
        service.keep(session, fresh, source, by=by, at=at)
    for one in shown.of(Outcome.CHANGED):
        if one.device is not None:
            changes = DeviceChanges(
                name=one.after("name"), site=one.after("site"), installed_version=one.after("installed_version")
            )
            service.change_device(session, one.device, changes, by=by, at=at, source=source)
    return shown


def _known(session: Session, lines: Sequence[sheets.Line], organisation: Organisation, by: Actor) -> _Known:
    products = {p.code: p for p in session.scalars(queries.addable_products(organisation.id, visible_to=by))}
    rows = (
        select(Device)
        .where(Device.organisation_id == organisation.id, Device.removed_at.is_(None))
        .options(joinedload(Device.site), joinedload(Device.product), joinedload(Device.organisation))
    )
    mine = {(device.product_id, device.serial): device for device in session.scalars(rows)}
    serials = {" ".join(line.serial.split()) for line in lines if "\0" not in line.serial}
    sites = {site.code: site for site in queries.sites_of(session, organisation.id)}
    return _Known(products, sites, mine, queries.identities(session, serials) - set(mine))


def _plans(lines: Sequence[sheets.Line], known: _Known) -> Iterator[Planned]:
    seen: dict[tuple[UUID, str], int] = {}
    for line in lines:
        try:
            planned = _planned(line, known)
            identity = (planned.product.id, planned.serial) if planned.product else None
            if identity in seen:
                raise LineRepeated(line=seen[identity])
            if identity:
                seen[identity] = line.number
        except PortalError as error:
            planned = Planned(line, Outcome.WRONG, error=error)
        yield planned


def _planned(line: sheets.Line, known: _Known) -> Planned:
    """Raises what is wrong with the line."""
    if line.extra:
        raise TooManyCells(cells=line.extra, columns=len(sheets.COLUMNS))
    product = known.products.get(line.product.strip())
    if product is None:
        raise UnknownDeviceProduct(product=line.product.strip()[:SHOWN_CHARS])
    serial = one_line(line.serial, limit=MAX_SERIAL_CHARS)
    wanted = _wanted(line, product)
    if (product.id, serial) in known.taken:
        raise SerialTaken(serial=serial)
    device = known.mine.get((product.id, serial))
    present = _present(device)
    changes = tuple(
        Change(what, present[what], after) for what, after in wanted.items() if after and after != present[what]
    )
    outcome = Outcome.NEW if device is None else Outcome.CHANGED if changes else Outcome.UNCHANGED
    return Planned(line, outcome, changes, None, product, device, serial)


def _wanted(line: sheets.Line, product: Product) -> dict[str, str]:
    """The cells parsed; an empty one, or a column that is not there, leaves what is known."""
    version = parse_installed(line.installed_version or "", product)
    _site_name(line)
    return {
        "name": one_line(line.name or "", limit=MAX_NAME_CHARS, required=False),
        "site": parse_site_code(line.site) if line.site and line.site.strip() else "",
        "installed_version": version.text if version else "",
    }


def _site_name(line: sheets.Line) -> str:
    return one_line(line.site_name or "", limit=MAX_SITE_NAME_CHARS, required=False)


def _present(device: Device | None) -> dict[str, str]:
    if device is None:
        return {"name": "", "site": "", "installed_version": ""}
    site = device.site.code if device.site else ""
    return {"name": device.name, "site": site, "installed_version": device.installed_version or ""}


def _made(one: Planned, organisation: Organisation, sites: dict[str, Site], source: Source, at: datetime) -> Device:
    if one.product is None:
        raise UnknownDeviceProduct(product=one.line.product)
    facts = DeviceFacts(
        organisation,
        one.product,
        one.serial,
        site=sites.get(one.after("site") or ""),
        installed_version=one.after("installed_version") or "",
        name=one.after("name") or "",
    )
    return service.made(facts, source, at)


def _token(digest: str, organisation_id: UUID, planned: Sequence[Planned], new_sites: dict[str, str]) -> str:
    content = [
        digest,
        str(organisation_id),
        sorted(new_sites.items()),
        [
            [one.number, one.outcome.value, one.serial, str(one.device.id if one.device else ""),
             one.error.code if one.error else "", [[c.what, c.before, c.after] for c in one.changes]]
            for one in planned
        ],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()
