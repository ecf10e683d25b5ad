"""Commands of the installed base."""

import sys
from pathlib import Path

import click

from portal.accounts.customers import customer
from portal.actors import PORTAL_COMMAND
from portal.audit.commands import open_for_command
from portal.inventory import importing
from portal.inventory.errors import BadLines, NotACustomer
from portal.inventory.importing import Order, Outcome, Preview


@click.group()
def inventory() -> None:
    """Customers' devices."""


@inventory.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--customer", "code", required=True, help="The customer's code.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--keep-going", is_flag=True, help="Take in the good lines and report the rest.")
def import_(file: Path, *, code: str, dry_run: bool, keep_going: bool) -> None:
    """Take in a CSV table of devices.

    Every line that changes something or is wrong is reported. Unless --keep-going is given, nothing is taken in when a
    line is wrong. Exit status: 0 all lines are good, 1 something was wrong.
    """
    resources = open_for_command()
    content = file.read_bytes()
    with resources.sessions.begin() as session:
        organisation = customer(session, code)
        if organisation is None:
            raise NotACustomer(customer=code)
        shown = importing.preview(session, content, organisation, by=PORTAL_COMMAND, name=file.name)
        _report(shown)
        wrong = shown.counts[Outcome.WRONG]
        if not dry_run and (keep_going or not wrong):
            order = Order(content, file.name, shown.token, keep_going=keep_going)
            importing.take_in(session, order, organisation, by=PORTAL_COMMAND, at=resources.clock())
    if wrong and not keep_going:
        click.echo(str(BadLines(count=wrong)), err=True)
    if wrong:
        sys.exit(1)


def _report(shown: Preview) -> None:
    for line in shown.lines:
        if line.error is not None:
            click.echo(f"line {line.number}: {line.error} ({line.error.code})", err=True)
        elif line.outcome is not Outcome.UNCHANGED:
            changes = ", ".join(f"{change.what} {change.before or '-'} -> {change.after}" for change in line.changes)
            click.echo(f"line {line.number}: {line.outcome.value} {line.serial}: {changes or '-'}")
    for code, name in shown.new_sites.items():
        click.echo(f"new site {code}: {name}")
    click.echo(", ".join(f"{count} {outcome.value}" for outcome, count in shown.counts.items()))
