"""`portal verify`: for a customer with no account and no network."""

import sys
from pathlib import Path

import click

from portal.releases.command_errors import NotChecked
from signing import KeyRing, SigningError, read_public_key, render, verify_folder


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_files",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="The vendor's public key (PEM), got by another way than the files; may be given several times.",
)
@click.option("--installed-counter", type=click.IntRange(min=1), help="Refuse a release older than this counter.")
def verify(folder: Path, key_files: tuple[Path, ...], installed_counter: int | None) -> None:
    """Check that FOLDER holds exactly what the vendor signed.

    Exit status: 0 verified, 1 not verified (do not install), 2 something could not be read, so nothing is known.
    """
    try:
        ring = KeyRing.of(*(read_public_key(path) for path in key_files))
    except SigningError as error:
        raise NotChecked(error.code, str(error)) from error
    report = verify_folder(folder, ring, installed_counter=installed_counter, key_files=key_files)
    click.echo(render(report), nl=False)
    sys.exit(report.exit_code)
