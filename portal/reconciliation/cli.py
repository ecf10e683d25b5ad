"""Commands about the store's objects."""

import sys

import click

from portal.actors import PORTAL_COMMAND
from portal.audit.commands import open_for_command
from portal.reconciliation import service


@click.group()
def objects() -> None:
    """The objects in the store, and the rows that name them."""


@objects.command()
def check() -> None:
    """Hold the rows and the store against each other and change nothing.

    Exits with 1 when a row names an object that is not there.
    """
    resources = open_for_command()
    found = service.examine(resources, at=resources.clock())
    for key, place in found.missing:
        click.echo(f"MISSING  {key}, named in {place}", err=True)
    for key in found.unknown:
        click.echo(f"unknown  {key}: no object of the portal's; it is left alone")
    click.echo(
        f"{found.count} objects; named nowhere: {found.unnamed} of {found.unnamed_bytes} bytes, "
        f"{found.waiting} of them too young to be removed; missing: {len(found.missing)}."
    )
    sys.exit(1 if found.missing else 0)


@objects.command()
@click.option("--however-many", is_flag=True, help="Also when a large part of the store is named nowhere.")
def tidy(*, however_many: bool) -> None:
    """Remove objects that nothing has named for PORTAL_UNNAMED_OBJECTS_DAYS, as the nightly job does."""
    resources = open_for_command()
    count = service.tidy(resources, by=PORTAL_COMMAND, at=resources.clock(), however_many=however_many)
    click.echo(f"{count} objects removed")
