"""The schema's history, and the two verbs that use it."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy.engine import Engine

FOLDER = Path(__file__).parent


def settings() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to the newest schema (or to `revision`), in one transaction."""
    config = settings()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
