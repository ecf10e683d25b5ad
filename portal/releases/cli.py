"""Commands of the releases room: a vendor's build uploads and submits from afar, with a token and no database."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from portal.releases.client import LocalFile, PortalClient, artifact_path
from portal.releases.command_errors import CommandFailed
from portal.releases.models import ArtifactRole
from portal.releases.notes_file import split_notes
from portal.releases.payloads import LEVELS

TOKEN_VARIABLE = "RELEASE_PORTAL_TOKEN"  # noqa: S105 - a variable's name
URL_VARIABLE = "RELEASE_PORTAL_URL"


@click.group()
def releases() -> None:
    """Work on releases from afar.

    The portal's address comes from --url or RELEASE_PORTAL_URL, the token from --token-file or RELEASE_PORTAL_TOKEN.
    Exit status: 0 done, 1 refused (one line with a code), 2 misused, 3 the portal does not answer.
    """


def remote(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that every remote command has."""
    command = click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))(command)
    return click.option("--url", envvar=URL_VARIABLE, required=True, help="https://portal.example")(command)


def _connect(url: str, token_file: Path | None) -> PortalClient:
    token = token_file.read_text().strip() if token_file else os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise CommandFailed("token-missing", f"Give a token by --token-file or {TOKEN_VARIABLE}.")
    return PortalClient(url, token)


@releases.command()
@click.argument("product")
@click.argument("version")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--level", type=click.Choice(list(LEVELS)), default="minor", show_default=True)
@click.option("--train", default="", help="The name of the train.")
@click.option("--role", type=click.Choice([role.value for role in ArtifactRole]), default="image", show_default=True)
@click.option("--platform", default="")
@click.option("--notes", multiple=True, metavar="LANGUAGE=FILE", help="Markdown; # rollback begins a section.")
@remote
def upload(product: str, version: str, files: tuple[Path, ...], **options: Any) -> None:  # noqa: ANN401 - click's own
    """Put FILES into the draft of VERSION of PRODUCT, made if there is none; prints digests as sha256sum does."""
    client = _connect(options["url"], options["token_file"])
    notes = dict(_notes(text) for text in options["notes"])
    limit_bytes = int(client.get("/limits")["max_artifact_bytes"])
    for path in files:
        if path.stat().st_size > limit_bytes:
            raise CommandFailed(
                "too-large", f"{path} is larger than {limit_bytes} bytes, the most that the portal takes."
            )
    release = _find(client, product, version) or client.send(
        "POST", "/releases",
        {"product": product, "version": version, "level": options["level"], "train": options["train"]},
    )  # fmt: skip
    there = {one["name"]: one["sha256"] for one in client.get(f"/releases/{release['id']}")["artifacts"]}
    for path in files:
        _put(client, release["id"], path, there, options)
    if notes:
        client.send("PUT", f"/releases/{release['id']}/notes", notes)
    click.echo(f"{product} {version}: {len(files)} files, {release['state']}", err=True)


def _put(client: PortalClient, release_id: str, path: Path, there: dict[str, str], options: dict[str, Any]) -> None:
    file = LocalFile(path)
    if there.get(path.name) != file.sha256:
        target = artifact_path(release_id, path.name, role=options["role"], platform=options["platform"])
        shown = click.progressbar(length=file.size_bytes, label=path.name, file=sys.stderr)
        with shown as bar:
            kept = client.put_file(target, file, bar.update)
        if kept["sha256"] != file.sha256:
            raise CommandFailed("digest-mismatch", f"The portal has {kept['sha256']} for {path}, not {file.sha256}.")
    click.echo(f"{file.sha256}  {path.name}")


def _notes(text: str) -> tuple[str, dict[str, str]]:
    language, equals, name = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text} is not of the form en=notes.md", param_hint="--notes")
    try:
        return language, split_notes(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{name}: {error}", param_hint="--notes") from error


@releases.command()
@click.argument("product")
@click.argument("version")
@remote
def submit(product: str, version: str, url: str, token_file: Path | None) -> None:
    """Send a draft to review; refused, with the problems, while any remains."""
    client = _connect(url, token_file)
    release = client.send("POST", f"/releases/{_existing(client, product, version)['id']}/submit", {})
    click.echo(f"{product} {version}: {release['state']}")


@releases.command()
@click.argument("product")
@click.argument("version")
@remote
def status(product: str, version: str, url: str, token_file: Path | None) -> None:
    """Print the state of a release, its files and what stands in its way."""
    client = _connect(url, token_file)
    release = client.get(f"/releases/{_existing(client, product, version)['id']}")
    click.echo(f"state    {release['state']}")
    for one in release["artifacts"]:
        words = {None: "being read back", True: "read back", False: "DAMAGED"}[one["read_back"]]
        click.echo(f"file     {one['sha256']}  {one['name']} ({words})")
    for one in release["problems"]:
        if not one["waived"]:
            click.echo(f"problem  {one['code']} {one['about']}".rstrip())


def _existing(client: PortalClient, product: str, version: str) -> dict[str, Any]:
    found = _find(client, product, version)
    if found is None:
        raise CommandFailed("not-found", f"{product} has no release {version}.")
    return found


def _find(client: PortalClient, product: str, version: str) -> dict[str, Any] | None:
    listed = client.get(f"/products/{quote(product, safe='')}/releases")["releases"]
    return next((release for release in listed if release["version"] == version), None)
