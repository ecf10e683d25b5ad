"""The command that a mail server pipes messages into."""

import sys

import click
from sqlalchemy.exc import OperationalError

from portal.audit.commands import open_for_command
from portal.errors import Unavailable
from portal.mail.receiving import receive as offer
from portal.mail.reports import LARGEST_MESSAGE_BYTES, BadMessage
from portal.mailings import bounces

TAKEN, BAD_DATA, TRY_AGAIN = 0, 65, 75
TAKERS = (bounces.take,)
"""Named here so that they are known where no page is."""


@click.group()
def mail() -> None:
    """Mail that comes in."""


@mail.command()
def receive() -> None:
    """Read one message (RFC 5322) from standard input: bounces and delays of what the portal sent.

    Exit status, as a pipe of sendmail or Postfix expects (sysexits.h): 0 taken, ignored or put aside, 65 not a message
    or larger than 30 MiB, 75 try again later.
    """
    content = sys.stdin.buffer.read(LARGEST_MESSAGE_BYTES + 1)
    try:
        resources = open_for_command()
        outcome = offer(resources, content, at=resources.clock())
    except BadMessage as error:
        click.echo(f"{error.code}: {error}", err=True)
        sys.exit(BAD_DATA)
    except (Unavailable, OperationalError, OSError) as error:
        click.echo(f"try again: {type(error).__name__}", err=True)
        sys.exit(TRY_AGAIN)
    click.echo(outcome.value)
    sys.exit(TAKEN)
