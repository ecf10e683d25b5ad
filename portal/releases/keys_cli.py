"""Commands for the release keys of this portal."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from portal.actors import PORTAL_COMMAND
from portal.audit.commands import open_for_command
from portal.audit.service import Tag, record
from portal.releases.command_errors import CommandFailed
from portal.resources import Resources
from signing import KeyRecord, SigningError


@click.group()
def keys() -> None:
    """The keys that sign releases."""


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except SigningError as error:
        raise CommandFailed(error.code, str(error)) from error


def _note(resources: Resources, act: str, key: KeyRecord) -> None:
    with resources.sessions.begin() as session:
        record(session, Tag.KEY_ROTATE, by=PORTAL_COMMAND, at=resources.clock(), named=key.key_id, act=act)


@keys.command()
@click.option("--address", help="The key of a key service (awskms:…, hsm:…); without it, a new encrypted file.")
def create(address: str | None) -> None:
    """Make the first key, or take over the one that a key service holds."""
    resources = open_for_command()
    with _explained():
        key = resources.keys.create(
            lambda _name: resources.config.key_passphrase, at=resources.clock(), address=address
        )
    _note(resources, "create", key)
    click.echo(f"{key.key_id}\n{key.fingerprint}")


@keys.command("list")
def list_keys() -> None:
    """Every key that ever signed, the newest first: state, since when, until when, id."""
    with _explained():
        records = open_for_command().keys.records()
    for key in records:
        since = f"{key.active_from:%Y-%m-%d}" if key.active_from else "—"
        until = f"{key.active_until:%Y-%m-%d}" if key.active_until else "—"
        click.echo(f"{key.state:<8} {since:<10} {until:<10} {key.key_id}")


@keys.command()
@click.option("--address", help="The key of a key service (awskms:…, hsm:…); without it, a new encrypted file.")
@click.option("--replacing", help="The id of the key believed active: of two rotations at once only one is done.")
def rotate(address: str | None, replacing: str | None) -> None:
    """Make a new key active and retire the old one; what the old one signed until now stays good."""
    resources = open_for_command()
    with _explained():
        key = resources.keys.rotate(
            lambda _name: resources.config.key_passphrase, at=resources.clock(), address=address, replacing=replacing
        )
    _note(resources, "rotate", key)
    click.echo(f"{key.key_id}\n{key.fingerprint}")


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """A retired key was stolen: nothing that it signed is believed from now on."""
    resources = open_for_command()
    with _explained():
        key = resources.keys.revoke(key_id, at=resources.clock())
    _note(resources, "revoke", key)
    click.echo(f"{key.key_id} is revoked")
