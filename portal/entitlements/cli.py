"""Commands of the entitlements room."""

import click


@click.group()
def entitlements() -> None:
    """Work on entitlements."""
