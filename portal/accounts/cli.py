"""Commands of the accounts room."""

import click


@click.group()
def accounts() -> None:
    """Work on accounts."""
