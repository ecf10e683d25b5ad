"""`portal statements verify`: for a customer who was sent a statement, with no account and no network."""

import sys
from pathlib import Path

import click

from portal.evidence.reading import read_for_check
from portal.reports.packing import verify


@click.group()
def statements() -> None:
    """Monthly statements."""


@statements.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key",
    "key_files",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="The vendor's public key (PEM), got by another way than the statement; may be given several times.",
)
def verify_statement(file: Path, key_files: tuple[Path, ...]) -> None:
    """Say whether FILE, the archive of a statement, is as it was issued, or name what was changed.

    Exit status: 0 true, 1 something was changed, 2 it could not be read.
    """
    findings = verify(*read_for_check(file, key_files))
    for fault in findings.faults:
        click.echo(f"CHANGED  {fault}")
    if not findings.is_true:
        click.echo(f"The statement {findings.statement or '?'} is NOT as it was issued.")
        sys.exit(1)
    click.echo(f"True: the statement {findings.statement} is as it was issued.")
