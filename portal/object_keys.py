"""Which columns name objects of the store, and that no row comes to name one that is gone (DESIGN 5).

A domain says it where it defines a column: `info=NAMES_OBJECT` where the value is a key, `info=HOLDS_OBJECT_KEYS` for
JSON with keys somewhere in it. Everything else reads that from the tables: what may be removed from the store, what is
missing there, and which keys a transaction has begun to name.
"""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from sqlalchemy import Column, Text, cast, event, func, inspect, select
from sqlalchemy.orm import Session

from portal.db import Base, Sessions
from portal.errors import Unavailable, mark
from storage import ObjectMissing, ObjectStore, digest_in

ROLE = "objects"
NAMES_OBJECT = {ROLE: "names"}
HOLDS_OBJECT_KEYS = {ROLE: "holds"}
CONTENT = "sha256/"
"""How keys begin that state the digest of their bytes. Only these are ever looked for inside JSON, or removed."""
NEWLY_NAMED = "object keys that this transaction begins to name"
_LOCK_DIGITS, _LOCK_OFFSET = 16, 1 << 63


class ObjectGone(Unavailable):
    """The tidying-up of the store was faster: nobody had named these bytes for long."""

    code = "object-gone"
    sentence = mark("The bytes of a file are not in the store any more. Nothing was changed; send the file again.")


def naming_columns() -> list[Column[Any]]:
    """Every column of every table that was declared to name objects."""
    return [column for table in Base.metadata.sorted_tables for column in table.columns if ROLE in column.info]


def keys_in(column: Column[Any], value: object) -> Iterator[str]:
    """The keys of objects that a value of the column names."""
    if column.info[ROLE] == NAMES_OBJECT[ROLE]:
        if isinstance(value, str) and value:
            yield value
    else:
        yield from _content_keys(value)


def _content_keys(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if digest_in(value):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _content_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _content_keys(inner)


def all_named(session: Session) -> Iterator[tuple[str, str]]:
    """(key, `table.column`) for every mention of an object in any row, in no order, a thousand rows at a time."""
    for column in naming_columns():
        rows = select(column).where(column.is_not(None))
        if column.info == HOLDS_OBJECT_KEYS:
            rows = rows.where(cast(column, Text).contains(CONTENT))
        for value in session.scalars(rows.execution_options(yield_per=1000)):
            for key in keys_in(column, value):
                yield key, str(column)


def is_named(session: Session, key: str) -> bool:
    """Whether any committed row, or one of this transaction, names the object."""
    return any(_names(session, column, key) for column in naming_columns())


def _names(session: Session, column: Column[Any], key: str) -> bool:
    is_key = column.info == NAMES_OBJECT
    rows = select(column).where(column == key if is_key else cast(column, Text).contains(key, autoescape=True))
    return any(key in keys_in(column, value) for value in session.scalars(rows))


def hold(session: Session, key: str, *, alone: bool) -> None:
    """Until the transaction ends: `alone`, nobody else begins to name the object; otherwise it is not removed.

    SQLite has one writer at a time, so a transaction that may write holds everything.
    """
    digest = digest_in(key) or ""
    if session.connection().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
        session.execute(select(lock(int(digest[:_LOCK_DIGITS], 16) - _LOCK_OFFSET)))


def keep_named(sessions: Sessions, store: ObjectStore) -> None:
    """Let no transaction of these sessions commit a newly named object that is not in the store.

    An upload may find its bytes there, unnamed for long, in the moment before they are removed. So the object is looked
    for once more just before the commit, while a lock keeps it from being removed; whoever comes to remove it
    afterwards finds it named. Listen before the audit chain does: its lock comes last, everywhere.
    """
    event.listen(sessions, "after_flush", _collect)
    event.listen(sessions, "before_commit", partial(_require_there, store))
    event.listen(sessions, "after_rollback", lambda session: session.info.pop(NEWLY_NAMED, None))


def _collect(session: Session, _context: object) -> None:
    for row in (*session.new, *session.dirty):
        for name, column in _naming_attributes(row.__class__):
            added = inspect(row).attrs[name].history.added or ()
            keys = (key for value in added for key in keys_in(column, value) if digest_in(key))
            session.info.setdefault(NEWLY_NAMED, set()).update(keys)


@cache
def _naming_attributes(kind: type[Base]) -> tuple[tuple[str, Column[Any]], ...]:
    mapper = inspect(kind)
    columns = (column for column in naming_columns() if column.table is kind.__table__)
    return tuple((mapper.get_property_by_column(column).key, column) for column in columns)


def _require_there(store: ObjectStore, session: Session) -> None:
    """Raises ObjectGone, and what the store raises."""
    session.flush()  # what is still to be written names objects too
    for key in sorted(session.info.pop(NEWLY_NAMED, ())):
        hold(session, key, alone=False)
        try:
            store.stat(key)
        except ObjectMissing as error:
            raise ObjectGone from error
