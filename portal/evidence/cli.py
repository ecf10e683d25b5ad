"""`portal evidence verify`: for anybody who was given a pack, with no account and no network."""

import sys
from pathlib import Path

import click

from portal.evidence.reading import read_for_check
from portal.evidence.verifying import verify


@click.group()
def evidence() -> None:
    """Evidence packs of deliveries."""


@evidence.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The vendor's public key (PEM), got by another way than the pack; may be given several times.",
)
def verify_pack(file: Path, key_files: tuple[Path, ...]) -> None:
    """Say whether FILE is true, or name what was changed.

    Exit status: 0 true, 1 something was changed, 2 nothing is known: the pack is whole by its own keys only, or it
    could not be read.
    """
    data, ring = read_for_check(file, key_files)
    findings = verify(data, ring if key_files else None)
    for fault in findings.faults:
        click.echo(f"CHANGED  {fault}")
    if not findings.is_true:
        click.echo(f"The evidence of delivery {findings.delivery or '?'} is NOT as it was sealed.")
        sys.exit(1)
    if findings.keys_within:
        click.echo(f"The pack of delivery {findings.delivery} is whole, but only by the keys that lie in it.")
        click.echo("That proves nothing until you name the vendor's key, got by another way: --key vendor.pem")
        sys.exit(2)
    click.echo(f"True: the evidence of delivery {findings.delivery} is as it was sealed.")
