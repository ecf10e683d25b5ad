"""Commands of the releases room."""

import click


@click.group()
def releases() -> None:
    """Work on releases."""
