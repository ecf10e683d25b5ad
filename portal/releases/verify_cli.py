"""`portal verify`: for a customer with no account and no network."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from portal.releases.command_errors import NotChecked
from signing import KEYS_FOLDER, KeyRing, SigningError, keys_within, read_public_key, render, to_json, verify_folder


@dataclass(frozen=True)
class Believed:
    """The keys that the reader named; `is_within`: the kit's own keys are used, and nobody has vouched for them."""

    ring: KeyRing
    is_within: bool


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The vendor's public key (PEM), got by another way than the files; may be given several times.",
)
@click.option(
    "--fingerprint",
    "fingerprints",
    multiple=True,
    help="The fingerprint, known from elsewhere, of a key that lies in the kit; may be given several times.",
)
@click.option("--customer", help="The code of your organisation: refuse a kit that was made for another.")
@click.option("--installed-counter", type=click.IntRange(min=1), help="Refuse a release older than this counter.")
@click.option("--json", "as_json", is_flag=True, help="The findings for a program.")
def verify(
    folder: Path,
    key_files: tuple[Path, ...],
    fingerprints: tuple[str, ...],
    customer: str | None,
    installed_counter: int | None,
    *,
    as_json: bool,
) -> None:
    """Check that FOLDER, a release's files or a kit, holds exactly what the vendor signed.

    Exit status: 0 verified, 1 not verified (do not install), 2 something could not be read or no key was named from
    elsewhere, so nothing is known.
    """
    believed = _believed(folder, key_files, fingerprints)
    report = verify_folder(
        folder,
        believed.ring,
        installed_counter=installed_counter,
        key_files=key_files,
        customer=customer,
        keys_are_within=believed.is_within,
    )
    click.echo(to_json(report) if as_json else render(report, at=datetime.now(UTC)), nl=as_json)
    sys.exit(report.exit_code)


def _believed(folder: Path, key_files: tuple[Path, ...], fingerprints: tuple[str, ...]) -> Believed:
    """Keys in files, and those of the kit's own that a fingerprint means; with neither, all of the kit's own."""
    try:
        given = tuple(read_public_key(path) for path in key_files)
    except SigningError as error:
        raise NotChecked(error.code, str(error)) from error
    ring = KeyRing.of(*given)
    if fingerprints or not given:
        ring = KeyRing((*ring, *keys_within(folder, fingerprints or None)))
    kept_in = folder.resolve() / KEYS_FOLDER
    is_within = not fingerprints and all(path.parent.resolve() == kept_in for path in key_files)
    return Believed(ring, is_within)
