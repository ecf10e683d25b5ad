"""The mailbox folder: what a mail server puts there is taken once a minute and moved away.

A folder of `.eml` files, or a Maildir (its `new` and `cur`). A message is moved after it was taken: should the process
die between, it is offered again, and takers are safe against that.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import OperationalError

from portal.errors import Unavailable
from portal.jobs import service as jobs
from portal.mail.receiving import Outcome, receive
from portal.mail.reports import LARGEST_MESSAGE_BYTES, BadMessage
from portal.resources import Resources

log = logging.getLogger(__name__)

DONE, BAD, ASIDE = "done", "bad", "aside"
MOST_AT_ONCE = 500
QUIET_SECONDS = 2
"""A file of a plain folder that changed just now may still be growing; a Maildir's never is."""


@jobs.handles("mail.collect", every=timedelta(minutes=1))
def collect(resources: Resources, *, at: datetime) -> None:
    """Take every message of the folder that PORTAL_MAIL_INBOX names; nothing is done where none is named."""
    inbox = Path(resources.config.mail_inbox)
    if not resources.config.mail_inbox or not inbox.is_dir():
        return
    for _, path in zip(range(MOST_AT_ONCE), _waiting(inbox, at), strict=False):
        try:
            _move(path, inbox / _take(resources, path, at))
        except (Unavailable, OperationalError) as error:
            log.info("%s stays in the mailbox: %s", path.name, error)
        except OSError as error:
            log.warning("%s can't be read or moved: %s", path.name, error)
        except Exception:  # one message that nobody foresaw must not keep all that came after it waiting
            log.exception("%s stays in the mailbox", path.name)


def _waiting(inbox: Path, at: datetime) -> Iterator[Path]:
    """The oldest first. A link could name any file of the machine, so none is followed."""
    maildir = (inbox / "new", inbox / "cur")
    found = [path for folder in maildir if folder.is_dir() for path in folder.iterdir()]
    found += [path for path in inbox.glob("*.eml") if path.lstat().st_mtime + QUIET_SECONDS <= at.timestamp()]
    yield from sorted((path for path in found if path.is_file() and not path.is_symlink()), key=lambda p: p.name)


def _take(resources: Resources, path: Path, at: datetime) -> str:
    try:
        outcome = receive(resources, _bytes_of(path), at=at)
    except BadMessage as error:
        log.warning("%s: %s", path.name, error)
        return BAD
    return ASIDE if outcome is Outcome.ASIDE else DONE


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_MESSAGE_BYTES + 1)  # one more than is read, and it is refused


def _move(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    number = 1
    while target.exists():
        number += 1
        target = folder / f"{path.name}.{number}"
    path.rename(target)
