"""Commands of the audit room."""

import click


@click.group()
def audit() -> None:
    """Work on audit."""
