"""The portal as commands of the domains open it: with its audit chain, without its pages."""

from portal.audit.service import chain_on
from portal.config import from_environment
from portal.resources import Resources, open_resources


def open_for_command() -> Resources:
    """Raises ConfigError."""
    resources = open_resources(from_environment())
    chain_on(resources.sessions)
    return resources
