"""Commands of the record."""

import sys

import click

from portal.actors import PORTAL_COMMAND
from portal.audit import chain, checkpoints
from portal.audit.commands import open_for_command
from portal.resources import Resources


@click.group()
def audit() -> None:
    """The record of what was done."""


@audit.command()
def verify() -> None:
    """Hold the chain and its signed checkpoints together; name the first bad row and exit with 1 if there is one."""
    problems, said = examine(open_for_command())
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo(said)


@audit.command()
def checkpoint() -> None:
    """Sign the present end of the chain and keep it in the object store."""
    resources = open_for_command()
    key = checkpoints.write(resources, by=PORTAL_COMMAND, at=resources.clock())
    click.echo(key or "Nothing was recorded since the last checkpoint.")


def examine(resources: Resources) -> tuple[list[str], str]:
    """What is wrong with the record (nothing, if the list is empty), and a sentence for when all is well."""
    good, bad = checkpoints.read_all(resources.store, resources.keys.ring())
    with resources.sessions() as session:
        outcome = chain.verify(session, good)
        lost = checkpoints.missing(session, {one.key for one in good} | {one.key for one in bad})
    problems = [str(outcome)] if isinstance(outcome, chain.Fault) else []
    problems += [f"checkpoint {one.key}: {one.reason}" for one in bad]
    problems += [f"checkpoint {key}: it was removed from the object store" for key in lost]
    if not good:
        return problems, f"{_events(outcome)} No checkpoint yet: a cut tail would not be noticed."
    return (
        problems,
        f"{_events(outcome)} {len(good)} signed checkpoints agree, the last of {good[-1].at:%Y-%m-%d %H:%M}Z.",
    )


def _events(outcome: chain.Whole | chain.Fault) -> str:
    return f"The record is whole: {outcome.sequence} events."
