"""How a command says no: one line with a stable code, and an exit status that a script can read."""

from typing import IO, Any

import click


class CommandFailed(click.ClickException):
    """`code` is the portal's own where it answered."""

    exit_code = 1

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"{self.code}: {self.message}", err=file is None, file=file)


class NotChecked(CommandFailed):
    """Something could not be read, so nothing is known."""

    exit_code = 2


class Unreachable(CommandFailed):
    """Nobody answered; the same command may work later."""

    exit_code = 3
