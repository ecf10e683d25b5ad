"""A customer with a contract, its people, and the vendor's side; one portal for each test of pages."""

import pytest

from tests.portals import Portal
from tests.worlds import World, make_world


@pytest.fixture
def world(portal: Portal) -> World:
    return make_world(portal)
