"""Hold rows and store against each other; say what is missing; remove what nobody names, after a time of grace.

Only objects under the digest of their bytes are ever removed. Each is looked up once more, in the rows and in the
store, while nobody else can begin to name it (`portal.object_keys.hold`); so an upload that finds the same bytes there
either has named them by then, or learns before its commit that they are gone.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.actors import Actor
from portal.audit import checkpoints
from portal.audit.models import AuditEvent
from portal.audit.service import Tag, record
from portal.db import reading
from portal.object_keys import all_named, hold, is_named
from portal.reconciliation.errors import StoreIsAnothers, TooManyUnnamed
from portal.reconciliation.tally import Tally
from portal.resources import Resources
from storage import ObjectMissing, StoredObject

log = logging.getLogger(__name__)

MOST_MISSING = 1000
"""So many missing ones are looked at singly; more are one and the same disaster."""
UPLOADS_LAST = timedelta(days=7)
"""What a broken-off upload left behind is removed after this long; no upload under way is that old."""
FEW = 100
MOST_SHARE = 0.25
"""Above the few, more than this share of the store unnamed looks like the wrong database or the wrong store."""


@dataclass(frozen=True)
class Findings:
    """`missing` are (key, where it is named), MOST_MISSING at most. `unnamed` lie under a digest and are named nowhere,
    `unknown` neither; `waiting` of the unnamed are younger than the time of grace."""

    count: int
    missing: tuple[tuple[str, str], ...]
    unnamed: int
    unnamed_bytes: int
    waiting: int
    unknown: tuple[str, ...]


def examine(resources: Resources, *, at: datetime) -> Findings:
    """Change nothing. What is missing was looked for twice: it may have come, or its row gone, in between."""
    before = at - resources.config.unnamed_objects_for
    unknown: list[str] = []
    unnamed = unnamed_bytes = waiting = 0
    with _tally(resources) as tally:
        for found in tally.unnamed():
            if found.sha256 is None:
                unknown += [found.key] if not found.key.startswith(checkpoints.PREFIX) else []
                continue
            unnamed, unnamed_bytes = unnamed + 1, unnamed_bytes + found.size_bytes
            waiting += found.modified_at > before
        missing = tuple(_missing(resources, tally))
        return Findings(tally.count_kept(), missing, unnamed, unnamed_bytes, waiting, tuple(unknown[:MOST_MISSING]))


def tidy(resources: Resources, *, by: Actor, at: datetime, however_many: bool = False) -> int:
    """Remove what broken-off uploads left, and objects that nobody has named for the time of grace. How many objects.

    Raises StoreIsAnothers, TooManyUnnamed (unless `however_many`), and what the store raises.
    """
    require_own(resources)
    resources.store.sweep(older_than=at - UPLOADS_LAST)
    before = at - resources.config.unnamed_objects_for
    with _tally(resources) as tally:
        if not however_many:
            _require_few(tally, before)
        return sum(_remove(resources, found.key, before, by=by, at=at) for found in _removable(tally, before))


def require_own(resources: Resources) -> None:
    """The newest checkpoint in the store must be one that this database's record leads to. Raises StoreIsAnothers.

    A database restored from a copy does not know the objects of the days since, and must not have them removed.
    """
    newest = checkpoints.newest(resources.store, resources.keys.ring())
    if newest is None:
        return
    if isinstance(newest, checkpoints.Checkpoint):
        with resources.sessions() as session:
            reading(session)
            if session.scalar(select(AuditEvent.hash).where(AuditEvent.sequence == newest.sequence)) == newest.hash:
                return
    raise StoreIsAnothers(checkpoint=newest.key)


@contextmanager
def _tally(resources: Resources) -> Iterator[Tally]:
    """The store is listed first, so that what is kept and named meanwhile is not in question."""
    with Tally() as tally:
        tally.keep(resources.store.list())
        with resources.sessions() as session:
            reading(session)
            tally.name(all_named(session))
        yield tally


def _missing(resources: Resources, tally: Tally) -> Iterator[tuple[str, str]]:
    for number, (key, place) in enumerate(tally.missing()):
        if number == MOST_MISSING:
            return
        try:
            resources.store.stat(key)
        except ObjectMissing:
            with resources.sessions() as session:
                reading(session)
                if is_named(session, key):
                    yield key, place


def _removable(tally: Tally, before: datetime) -> Iterator[StoredObject]:
    return (one for one in tally.unnamed() if one.sha256 is not None and one.modified_at <= before)


def _require_few(tally: Tally, before: datetime) -> None:
    unnamed, count = sum(1 for _ in _removable(tally, before)), tally.count_kept()
    if unnamed > max(FEW, count * MOST_SHARE):
        raise TooManyUnnamed(unnamed=unnamed, count=count)


def _remove(resources: Resources, key: str, before: datetime, *, by: Actor, at: datetime) -> bool:
    """Remove the object unless it is named, gone, or has come anew. The object goes last: if it can't, nothing did."""
    with resources.sessions.begin() as session:
        hold(session, key, alone=True)
        if is_named(session, key):
            return False
        try:
            stored = resources.store.stat(key)
        except ObjectMissing:
            return False
        if stored.modified_at > before:
            return False
        record(session, Tag.OBJECT_REMOVE, by=by, at=at, named=key, size_bytes=stored.size_bytes,
               modified_at=stored.modified_at)  # fmt: skip
        log.info("removing %s, %d bytes of %s, which nothing names", key, stored.size_bytes, stored.modified_at)
        resources.store.delete(key)
    return True
