"""The `portal` command: every domain's commands under one name, plus what runs the portal itself."""

import signal
import sys
import threading

import click

from portal import migrations
from portal.accounts.cli import accounts
from portal.app import open_portal
from portal.audit.cli import audit
from portal.backups.cli import backups
from portal.config import ConfigError, from_environment
from portal.couriers.cli import media_group as media
from portal.demo.cli import demo
from portal.entitlements.cli import entitlements
from portal.errors import PortalError
from portal.evidence.cli import evidence
from portal.inventory.cli import inventory
from portal.jobs.worker import run_due, run_until
from portal.mailings.cli import mail
from portal.reconciliation.cli import objects
from portal.releases.cli import releases
from portal.releases.keys_cli import keys
from portal.releases.verify_cli import verify
from portal.reports.cli import statements
from portal.serve import serve


@click.group()
def portal() -> None:
    """The release portal."""


@portal.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    resources = open_portal(from_environment())
    migrations.upgrade(resources.engine)


@portal.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def serve_here(*, host: str, port: int) -> None:
    """Serve the portal from one process; an embedded database is brought to the newest schema first."""
    config = from_environment()
    if config.database.startswith("sqlite"):
        resources = open_portal(config)
        migrations.upgrade(resources.engine)
        resources.engine.dispose()
    click.echo(f"The portal listens on http://{host}:{port}")
    serve(config, host, port)


@portal.command()
@click.option("--once", is_flag=True, help="Run what is due and stop.")
def worker(*, once: bool) -> None:
    """Run queued jobs (in production beside the web server)."""
    resources = open_portal(from_environment())
    if once:
        click.echo(f"{run_due(resources)} jobs run")
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    click.echo("The worker runs; stop it with Ctrl-C.")
    run_until(stop, resources)


for group in (
    demo, accounts, audit, backups, entitlements, evidence, inventory, keys, mail, media, objects,
    releases, statements, verify,
):  # fmt: skip
    portal.add_command(group)


def main() -> None:
    try:
        portal()
    except (PortalError, ConfigError) as error:
        click.echo(f"{error.code}: {error}", err=True)
        sys.exit(1)
