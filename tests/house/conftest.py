"""The application as it is put together, without a database behind it: what reads it needs no rows."""

from pathlib import Path

import pytest
from flask import Flask

from portal.db import connect
from tests.portals import open_test_portal

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("house")
    return open_test_portal(connect(f"sqlite:///{folder}/none.sqlite"), folder).app


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the whole project."""
    return ROOT
