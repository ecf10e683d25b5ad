"""Downloads over a real S3 server: through the portal, and straight from it by an address of five minutes."""

import subprocess
from secrets import token_hex
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

import pytest

from portal.config import Downloads
from portal.deliveries.states import DeliveryState
from storage import S3Settings, S3Store
from tests.deliveries.conftest import CONTENT, NAME, build
from tests.portals import open_test_portal
from tests.servers.seaweed import S3Address

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""The databases are tried elsewhere."""


@pytest.fixture
def address(monkeypatch):
    server = S3Address.from_environment()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    bucket = f"deliveries-{token_hex(6)}"
    S3Store(S3Settings(bucket, endpoint=server.endpoint))._client.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/objects?endpoint={quote(server.endpoint, safe='')}"


@pytest.fixture
def world_with(engine, tmp_path, address):
    return lambda **settings: build(open_test_portal(engine, tmp_path / "portal", store=address, **settings))


def test_ranges_through_the_portal(world_with):
    world = world_with()
    assert world.get("alpha", Range="bytes=1000-299999").data == CONTENT[1000:300000]
    assert world.get("alpha", Range="bytes=300000-").data == CONTENT[300000:]
    assert world.get("alpha", Range="bytes=-1000").data == CONTENT[-1000:]
    assert world.get("alpha", Range="bytes=0-999").data == CONTENT[:1000]
    assert world.deliveries()[0].state is DeliveryState.DELIVERED


def test_a_hung_up_client_leaves_no_connection_behind(world_with):
    world = world_with()
    for _ in range(80):  # more than the client keeps connections
        answer = world.portal.browser().get(world.address, headers=world.bearing("alpha"))
        next(answer.iter_encoded())
        answer.close()
    assert world.get("alpha").data == CONTENT


def test_an_address_of_the_store_is_handed_out_for_five_minutes_at_most(world_with):
    world = world_with(downloads=Downloads.PRESIGNED)
    answer = world.get("alpha")
    assert answer.status_code == 302
    place = answer.headers["Location"]
    assert parse_qs(urlsplit(place).query)["X-Amz-Expires"] == ["300"]
    with urlopen(place) as got:
        assert got.read() == CONTENT
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert quote(NAME) in got.headers["Content-Disposition"]
    [delivery] = world.deliveries()
    assert delivery.state is DeliveryState.DISPATCHED
    assert world.items()[0].is_unseen
    assert "no-store" in answer.headers["Cache-Control"]
    assert world.get("beta").status_code == 403


def test_head_is_answered_by_the_portal_and_names_no_tag_that_the_store_has_not(world_with):
    world = world_with(downloads=Downloads.PRESIGNED)
    answer = world.portal.browser().head(world.address, headers=world.bearing("alpha"))
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "ETag" not in answer.headers
    assert "Last-Modified" not in answer.headers
    assert world.deliveries() == []


def test_curl_resumes_at_the_store(world_with, tmp_path):
    world = world_with(downloads=Downloads.PRESIGNED)
    path = tmp_path / "got"
    path.write_bytes(CONTENT[:500_000])
    place = world.get("alpha", Range="bytes=500000-").headers["Location"]
    subprocess.run(["curl", "-sS", "-f", "-C", "-", "-o", str(path), place], check=True, timeout=60)
    assert path.read_bytes() == CONTENT
    world.withdraw()
    assert world.get("alpha", Range="bytes=500000-").get_json()["code"] == "withdrawn"
