"""What every test may ask for: a database of each kind, a store of each kind, a portal on them, people to use it."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

from portal import migrations
from portal.audit.service import GENESIS, chain_on
from portal.db import Base, Sessions, connect, sessions_on
from tests.portals import Portal, open_test_portal
from tests.servers.postgres import postgres
from tests.servers.seaweed import seaweed
from tests.sparing import cheap_secrets, rules_written_once


@pytest.fixture(autouse=True, scope="session")
def _sparing() -> Iterator[None]:
    with cheap_secrets(), rules_written_once():
        yield


USED_TABLES = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
    AND relname NOT IN ('alembic_version', 'audit_head')
"""
servers = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the real servers once, in the process that starts the workers; they find them in the environment."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    stack = config.stash[servers] = ExitStack()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-tests-", ignore_cleanup_errors=True)))
    os.environ.setdefault("PORTAL_TEST_PG_URI", stack.enter_context(postgres(folder / "postgres")))
    if "PORTAL_TEST_S3_ENDPOINT" not in os.environ:
        address = stack.enter_context(seaweed(folder / "s3"))
        os.environ["PORTAL_TEST_S3_ENDPOINT"] = address.endpoint
        os.environ["PORTAL_TEST_S3_ACCESS_KEY"] = address.access_key
        os.environ["PORTAL_TEST_S3_SECRET_KEY"] = address.secret_key


def pytest_unconfigure(config: pytest.Config) -> None:
    if servers in config.stash:
        config.stash[servers].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: what is left at the end is small and keeps every worker busy."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def pytest_collection_finish() -> None:
    """What has been imported and collected stays to the end: looking through it for garbage took a tenth of the run.

    What a test leaves behind is looked through less often than usual: another twentieth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the newest schema, to be copied for each test."""
    path = tmp_path_factory.mktemp("template") / "portal.sqlite"
    engine = connect(f"sqlite:///{path}")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def sqlite_engine(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An SQLite file of this worker's own with the newest schema, renewed after each test.

    The engine stays, and with it the statements that it has compiled.
    """
    path = tmp_path_factory.mktemp("sqlite") / "portal.sqlite"
    shutil.copy(sqlite_template, path)
    engine = connect(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def _renew(engine: Engine, template: Path) -> None:
    """Whoever still holds the old file holds a file without a name."""
    engine.dispose()
    path = Path(str(engine.url.database))
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    shutil.copy(template, path)


@pytest.fixture(scope="session")
def postgres_engine() -> Iterator[Engine]:
    """A PostgreSQL database of this worker's own with the newest schema; emptied after each test."""
    server = os.environ["PORTAL_TEST_PG_URI"]
    name = f"portal_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    maker = connect(server)
    with maker.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    maker.dispose()
    engine = connect(make_url(server).set(database=name).render_as_string(hide_password=False))
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


def _empty(engine: Engine) -> None:
    """As TRUNCATE of all tables does, which takes four times as long: it makes new files for every table and index.

    The lock sees to it that nobody is still at work; triggers and foreign keys do not fire for a replica. VACUUM gives
    back the room, so that rows lie in the order in which the next test writes them.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not (used := connection.exec_driver_sql(USED_TABLES).scalars().all()):
            return
        connection.exec_driver_sql(";".join((
            "BEGIN",
            f"LOCK TABLE audit_head, {', '.join(used)}",
            "SET LOCAL session_replication_role = replica",
            *(f"DELETE FROM {table}" for table in used),
            f"UPDATE audit_head SET sequence = 0, hash = '{GENESIS}'",
            "COMMIT",
        )))  # fmt: skip
        connection.exec_driver_sql(f"VACUUM (SKIP_DATABASE_STATS) {', '.join(used)}")
        if connection.exec_driver_sql(USED_TABLES).first():  # an older snapshot still sees what was there
            tables = ", ".join(table.name for table in Base.metadata.sorted_tables if table.name != "audit_head")
            connection.exec_driver_sql(f"TRUNCATE {tables}")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """The whole suite runs on both databases."""
    if request.param == "sqlite":
        engine = request.getfixturevalue("sqlite_engine")
        yield engine
        _renew(engine, request.getfixturevalue("sqlite_template"))
    else:
        engine = request.getfixturevalue("postgres_engine")
        yield engine
        _empty(engine)


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    made = sessions_on(engine)
    chain_on(made)
    return made


@pytest.fixture
def portal(engine: Engine, tmp_path: Path) -> Portal:
    """A portal on an empty database, over files."""
    return open_test_portal(engine, tmp_path / "portal")
