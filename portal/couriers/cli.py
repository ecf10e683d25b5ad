"""Commands about media, run where the medium is plugged in; they need the portal's database and object store."""

import getpass
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.customers import customer
from portal.actors import PORTAL_COMMAND, Actor
from portal.audit.commands import open_for_command
from portal.couriers import copying, media, queries, writing
from portal.couriers.copying import Place
from portal.couriers.errors import MediumDiffers, MediumUnwritable, OwnerMissing, UnknownDelivery
from portal.couriers.media import MediumFacts
from portal.couriers.queries import MediumFilter
from portal.couriers.states import MediumKind, WritingOutcome
from portal.couriers.writing import Written
from portal.deliveries import ledger
from portal.deliveries.kit_specs import kit_spec
from portal.deliveries.models import Delivery
from portal.kits import service as kits
from portal.kits.models import KitFormat, KitRecord
from portal.resources import Resources

NUMBER_DIGITS = 6


@click.group("media")
def media_group() -> None:
    """Media for couriers: put on record, written, read back."""


@media_group.command()
@click.argument("kind", type=click.Choice([kind.value for kind in MediumKind]))
@click.argument("serial")
@click.option("--capacity", "capacity_bytes", type=click.IntRange(min=1), required=True, help="In bytes.")
@click.option("--customer", "owner", default="", help="Code or name, where the medium is the customer's own.")
@click.option("--note", default="")
def add(kind: str, serial: str, capacity_bytes: int, owner: str, note: str) -> None:
    """Put a medium on record."""
    resources = open_for_command()
    with resources.sessions.begin() as session:
        own = customer(session, owner) if owner else None
        if owner and own is None:
            raise OwnerMissing
        facts = MediumFacts(MediumKind(kind), serial, capacity_bytes, own, note)
        medium = media.add(session, facts, by=_by(), at=resources.clock())
        click.echo(f"{medium.serial}: {medium.state.value}")


@media_group.command("list")
@click.option("--search", default="")
def list_media(search: str) -> None:
    """Print the register: serial, kind, capacity in bytes, state."""
    resources = open_for_command()
    with resources.sessions.begin() as session:
        for medium in session.scalars(queries.media(MediumFilter(search), visible_to=_by())):
            click.echo("\t".join((medium.serial, medium.kind.value, str(medium.capacity_bytes), medium.state.value)))


@media_group.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--delivery", "number", required=True, metavar="NUMBER", help="D-000017, or 17.")
@click.option("--medium", "serial", default="", help="Its serial number, unless the device itself tells it.")
@click.option("--extract", "is_extracted", is_flag=True, help="The kit's files in a folder instead of one archive.")
@click.option("--burnt", type=click.Path(path_type=Path), help="Read back from here (/dev/sr0) after a disc is burnt.")
def write(path: Path, number: str, serial: str, **options: Any) -> None:  # noqa: ANN401 - click's own
    """Write the kit of a delivery into the folder PATH, where the medium is mounted, and read it back.

    The kit is one archive (.tar; .iso for a disc) with its .sha256 beside it, or with --extract the folder of its
    files. Only what reads back right prepares the delivery. Exit status: 0 right, 1 refused or different.
    """
    resources = open_for_command()
    serial = serial or copying.hardware_serial(path) or ""
    if not serial:
        raise click.UsageError("The device does not tell its serial number: say it with --medium.")
    job = _prepared(resources, number, serial)
    place = Place(path, options["is_extracted"], options["burnt"])
    copying.require_room(place, job.record, job.capacity_bytes)
    try:
        read_back = _copied(resources, job.record, place)
    except MediumUnwritable:
        _record(resources, job, "")
        raise
    if _record(resources, job, read_back) is not WritingOutcome.RIGHT:
        raise MediumDiffers(written=job.record.sha256, read_back=read_back)
    click.echo(f"{read_back}  {place.target(job.record)}")
    click.echo(f"{job.number} is prepared on medium {job.serial}: read back and right.", err=True)


@dataclass(frozen=True)
class _Job:
    delivery_id: UUID
    number: str
    medium_id: UUID
    serial: str
    capacity_bytes: int
    record: KitRecord


def _prepared(resources: Resources, number: str, serial: str) -> _Job:
    """The kit of the delivery for this medium, once everything that can be asked beforehand was asked."""
    with resources.sessions.begin() as session:
        delivery = _delivery(session, number)
        medium = media.by_serial(session, serial)
        media.settle(session, media.locked(session, medium.id), by=_by(), at=resources.clock())
        writing.require_writable(session, delivery, medium, at=resources.clock())
        session.refresh(delivery, ["items"])
        form = KitFormat.ISO if medium.kind is MediumKind.DISC else KitFormat.TAR
        spec = kit_spec(delivery, medium_kind=medium.kind.value, medium_serial=medium.serial, form=form)
    record = kits.prepare(resources, spec, by=_by(), at=resources.clock())
    return _Job(delivery.id, delivery.number or "", medium.id, medium.serial, medium.capacity_bytes, record)


def _delivery(session: Session, number: str) -> Delivery:
    wanted = number.strip().upper()
    wanted = f"D-{int(wanted):0{NUMBER_DIGITS}}" if wanted.isascii() and wanted.isdigit() else wanted
    found = session.scalar(select(Delivery.id).where(Delivery.number == wanted.replace("\0", "")))
    if found is None:
        raise UnknownDelivery(number=wanted)
    return ledger.locked(session, found)


def _copied(resources: Resources, record: KitRecord, place: Place) -> str:
    """Write, then read back: the SHA-256 that the medium gives. Raises MediumUnwritable."""
    with _Bars(record.size_bytes) as bars:
        copying.write(resources.store, record, place, bars)
        if place.burnt is not None:
            click.pause(f"Burn {place.target(record)} now, put the disc in, and press a key.", err=True)
        return copying.read_back(record, place, bars)


def _record(resources: Resources, job: _Job, read_back: str) -> WritingOutcome:
    record = job.record
    written = Written(job.medium_id, record.file_name, record.sha256, record.size_bytes, read_back)
    with resources.sessions.begin() as session:
        writing.record(session, job.delivery_id, written, secret_key=resources.config.secret_key, by=_by(),
                       at=resources.clock())  # fmt: skip
    return written.outcome


class _Bars:
    """One bar for writing, then one for reading back."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes, self._stack = size_bytes, ExitStack()
        self._kind = ""
        self._bar: Any = None

    def __call__(self, kind: str, count: int) -> None:
        if kind != self._kind:
            self._stack.close()
            label = {copying.WRITE: "Writing", copying.READ: "Reading back"}[kind]
            bar = click.progressbar(length=self._size_bytes, label=label, file=sys.stderr)
            self._kind, self._bar = kind, self._stack.enter_context(bar)
        if self._bar is not None:
            self._bar.update(count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _by() -> Actor:
    return replace(PORTAL_COMMAND, name=f"{PORTAL_COMMAND.name} ({getpass.getuser()})")
