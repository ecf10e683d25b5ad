"""`portal demo`: the invented world, made once and kept, and served on this machine."""

import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import click

from portal import migrations
from portal.app import open_portal
from portal.config import Config, from_environment
from portal.demo.build import build
from portal.demo.people import ORGANISATIONS, PASSWORD, PEOPLE
from portal.permissions import ROLE_TITLES
from portal.serve import serve


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--prepare", is_flag=True, help="Make the data and stop.")
def demo(host: str, port: int, *, prepare: bool) -> None:
    """Fill an embedded portal with an invented world (once) and start it."""
    folder = Path("data/demo").absolute()
    if not folder.exists():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as aside:  # the server forks: see portal.serve
            aside.submit(_make, folder).result()
    _print_people(f"http://{host}:{port}")
    if not prepare:
        serve(_config(folder, f"http://{host}:{port}"), host=host, port=port)


def _config(folder: Path, base_url: str) -> Config:
    config = from_environment({"PORTAL_DATA": str(folder), "PORTAL_DEMO": "yes", "PORTAL_BASE_URL": base_url})
    return replace(config, vendor_time_zone="Europe/Berlin")


def _make(folder: Path) -> None:
    """Build beside the place and move it there whole: a demonstration cut off in the making is made anew."""
    began = time.monotonic()
    click.echo("Making the demonstration's world …")
    part = folder.with_name("demo.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    resources = open_portal(_config(part, "http://127.0.0.1:8000"))
    migrations.upgrade(resources.engine)
    resources.keys.create(lambda _name: resources.config.key_passphrase, at=resources.clock())
    build(resources)
    resources.engine.dispose()
    part.rename(folder)
    click.echo(f"… done in {time.monotonic() - began:.0f} s, kept in {folder.relative_to(Path.cwd())}")


def _print_people(address: str) -> None:
    says = {organisation.code: (organisation.name, organisation.says) for organisation in ORGANISATIONS}
    rows = [
        (person.email, ", ".join(ROLE_TITLES[role] for role in person.roles), *says[person.organisation])
        for person in PEOPLE
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    click.echo(f"\nSign in at {address} with the password  {PASSWORD}\n")
    for row in rows:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo("\nStop with Ctrl-C; the data is kept. `rm -r data/demo` begins anew.\n")
