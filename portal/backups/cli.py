"""Commands about backups."""

import click

from portal.actors import PORTAL_COMMAND
from portal.audit.commands import open_for_command
from portal.backups import service
from portal.backups.keys import KeyRing


@click.group()
def backups() -> None:
    """Backups of customers' devices."""


@backups.command()
def rewrap() -> None:
    """Put the keys of customers' backups under a new PORTAL_SECRET_KEY; PORTAL_OLD_SECRET_KEY holds the one before.

    All keys or none; run again, it finds nothing to do.
    """
    resources = open_for_command()
    with resources.sessions.begin() as session:
        ring = KeyRing.of(resources.config)
        done, there = service.rewrap(session, ring, by=PORTAL_COMMAND, at=resources.clock())
    click.echo(f"{done} of {there} keys rewrapped")
