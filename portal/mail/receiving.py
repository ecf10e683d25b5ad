"""Mail that comes in: one message at a time, offered to those who may take it.

A domain names a taker once (`@takes("name")`). Each is asked in the order of their names until one takes the message.
What a machine wrote is offered only to takers that ask for it (`automatic=True`): an answer to an automatic answer
would go round for ever (RFC 3834).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from enum import StrEnum

from portal.errors import Unavailable, mark
from portal.mail.reports import header, is_automatic, read
from portal.resources import Resources

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of a message: somebody took it, it needs nobody, or nobody could place it."""

    TAKEN = "taken"
    IGNORED = "ignored"
    ASIDE = "aside"


class NotYet(Unavailable):
    """The message is about something that is still being written; offered again, it will be taken."""

    code = "mail-too-early"
    sentence = mark("This message is about one that is just being sent. Offer it again in a minute.")


@dataclass(frozen=True)
class Incoming:
    """A message that came in, parsed; `content` are its bytes."""

    message: EmailMessage
    content: bytes


Taker = Callable[[Resources, Incoming, datetime], Outcome | None]
"""None: not mine, ask the next. Opens its own transactions, and is safe to be offered the same message twice."""


@dataclass(frozen=True)
class _Named:
    taker: Taker
    is_for_automatic: bool


TAKERS: dict[str, _Named] = {}


def takes(name: str, *, automatic: bool = False) -> Callable[[Taker], Taker]:
    """Name a function that may take messages; with `automatic`, it is offered also what machines wrote."""

    def register(taker: Taker) -> Taker:
        TAKERS[name] = _Named(taker, automatic)
        return taker

    return register


def receive(resources: Resources, content: bytes, *, at: datetime) -> Outcome:
    """Offer one message to the takers. Raises BadMessage for good, Unavailable and what the database raises for now."""
    incoming = Incoming(read(content), content)
    written_by_machine = is_automatic(incoming.message)
    for _, named in sorted(TAKERS.items()):
        if written_by_machine and not named.is_for_automatic:
            continue
        outcome = named.taker(resources, incoming, at)
        if outcome is not None:
            return outcome
    if written_by_machine:
        return Outcome.IGNORED
    log.warning("nobody takes the message %s", header(incoming.message, "Message-ID")[:200] or "without an id")
    return Outcome.ASIDE
