"""The schema as its history makes it, and as the models mean it: the same, on both databases, from nothing and back."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine, make_url

from portal import migrations
from portal.audit.models import AuditHead
from portal.audit.service import GENESIS
from portal.db import connect, sessions_on
from portal.models import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path}/empty.sqlite")
        yield engine
        engine.dispose()
        return
    server, name = os.environ["PORTAL_TEST_PG_URI"], f"empty_{uuid4().hex}"
    maker = connect(server).execution_options(isolation_level="AUTOCOMMIT")
    with maker.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = connect(make_url(server).set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with maker.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    maker.dispose()


def downgrade(engine: Engine) -> None:
    config = migrations.settings()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def differences(engine: Engine) -> list:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        return compare_metadata(context, metadata)


def test_the_models_are_what_the_migrations_make(empty):
    migrations.upgrade(empty)
    assert differences(empty) == []


def test_a_difference_would_be_seen(empty):
    migrations.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("ALTER TABLE tickets ADD COLUMN colour VARCHAR(10)"))
        connection.execute(text("DROP TABLE ticket_releases"))
    assert len(differences(empty)) >= 2


def test_from_nothing_and_back_and_again(empty):
    migrations.upgrade(empty)
    assert tables(empty) == {*metadata.tables, "alembic_version"}
    downgrade(empty)
    assert tables(empty) <= {"alembic_version"}
    migrations.upgrade(empty)
    assert tables(empty) == {*metadata.tables, "alembic_version"}


def test_upgrading_twice_is_upgrading_once(empty):
    migrations.upgrade(empty)
    migrations.upgrade(empty)
    with sessions_on(empty)() as session:
        head = session.get_one(AuditHead, 1)
        assert (head.sequence, head.hash) == (0, GENESIS)


def test_each_database_keeps_keys_in_the_order_of_bytes(empty):
    """Version keys are compared in SQL: `a` after `Z`, whatever the server's own language."""
    migrations.upgrade(empty)
    column = "version_key"
    collation = {"sqlite": "BINARY", "postgresql": '"C"'}[empty.dialect.name]
    with empty.connect() as connection:
        words = " UNION ALL ".join(f"SELECT '{word}' AS {column}" for word in ("a", "Z", "0", "!"))
        ordered = connection.execute(text(f"SELECT {column} FROM ({words}) AS t ORDER BY {column} COLLATE {collation}"))
        assert list(ordered.scalars()) == ["!", "0", "Z", "a"]
    if empty.dialect.name == "postgresql":
        with empty.connect() as connection:
            kept = connection.execute(text(
                "SELECT table_name, column_name, collation_name FROM information_schema.columns "
                "WHERE column_name IN ('version_key', 'lowest_from_key')"
            )).all()  # fmt: skip
        assert len(kept) >= 2
        assert {row.collation_name for row in kept} == {"C"}


def test_there_is_one_line_of_history():
    script = ScriptDirectory.from_config(migrations.settings())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    for revision in script.walk_revisions():
        assert not revision.is_merge_point


def test_a_migration_does_not_lean_on_todays_models():
    """What a migration did must stay what it did: models change, history does not."""
    for path in (migrations.FOLDER / "versions").glob("*.py"):
        for line in path.read_text().splitlines():
            if line.startswith(("import ", "from ")) and "portal" in line:
                assert line.startswith("from portal.db import"), line


def test_a_failed_upgrade_leaves_nothing_half_done(empty, tmp_path, monkeypatch):
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    head = ScriptDirectory.from_config(migrations.settings()).get_current_head()
    (folder / "versions" / "9999_broken.py").write_text(
        f'revision = "9999"\ndown_revision = "{head}"\nfrom alembic import op\n\n'
        "def upgrade():\n    op.execute('CREATE TABLE half (id INTEGER)')\n    raise RuntimeError('power cut')\n\n"
        "def downgrade():\n    pass\n"
    )
    migrations.upgrade(empty)
    before = tables(empty)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.upgrade(empty)
    assert tables(empty) == before
