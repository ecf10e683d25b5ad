"""Commands of the entitlements room."""

import sys
from pathlib import Path

import click

from portal.actors import PORTAL_COMMAND
from portal.audit.commands import open_for_command
from portal.entitlements.importing import import_contracts


@click.group()
def entitlements() -> None:
    """Contracts and what they allow."""


@entitlements.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--keep-going", is_flag=True, help="Import the contracts that are good as a whole and report the rest.")
def import_(file: Path, *, keep_going: bool) -> None:
    """Import contracts from a CSV file.

    Every line with something wrong is reported with line, column and reason; unless --keep-going is given, nothing is
    imported then. Exit status: 0 all imported, 1 something was wrong.
    """
    resources = open_for_command()
    with resources.sessions.begin() as session:
        report = import_contracts(
            session, file.read_bytes(), keep_going=keep_going, by=PORTAL_COMMAND, at=resources.clock()
        )
    for problem in report.problems:
        where = f"line {problem.line}, {problem.column}" if problem.column else f"line {problem.line}"
        click.echo(f"{where}: {problem.error} ({problem.error.code})", err=True)
    click.echo(f"{len(report.imported)} contracts imported, {len(report.problems)} problems")
    if report.problems:
        sys.exit(1)
