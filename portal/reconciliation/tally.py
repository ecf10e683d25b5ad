"""Two long lists held against each other in a temporary file, so that memory does not depend on their length."""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from storage import StoredObject, digest_in

_TABLES = """
    CREATE TABLE named (key TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID;
    CREATE TABLE kept (key TEXT PRIMARY KEY, size_bytes INTEGER, modified_at REAL) WITHOUT ROWID;
"""


class Tally:
    """Fill it with what is named and what is kept, then ask. Use it with `with`; the file is gone at the end."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # SQLite's own temporary file, which has no name
        self._database.executescript(_TABLES)

    def name(self, mentions: Iterable[tuple[str, str]]) -> None:
        """(key, where it is named); the first mention of a key counts."""
        self._database.executemany("INSERT OR IGNORE INTO named VALUES (?, ?)", mentions)

    def keep(self, objects: Iterable[StoredObject]) -> None:
        rows = ((one.key, one.size_bytes, one.modified_at.timestamp()) for one in objects)
        self._database.executemany("INSERT OR IGNORE INTO kept VALUES (?, ?, ?)", rows)

    def count_kept(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM kept").fetchone()[0]
        return count

    def missing(self) -> Iterator[tuple[str, str]]:
        """(key, where it is named) of what is named and not kept, by key."""
        rows = "SELECT key, place FROM named WHERE key NOT IN (SELECT key FROM kept) ORDER BY key"
        yield from self._database.execute(rows)

    def unnamed(self) -> Iterator[StoredObject]:
        """What is kept and not named, by key."""
        rows = "SELECT key, size_bytes, modified_at FROM kept WHERE key NOT IN (SELECT key FROM named) ORDER BY key"
        for key, size_bytes, modified_at in self._database.execute(rows):
            yield StoredObject(key, size_bytes, digest_in(key), datetime.fromtimestamp(modified_at, UTC))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
