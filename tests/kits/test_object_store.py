"""Kits over a real S3 server: read, kept, written and in ranges."""

from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

import pytest

from portal.kits import service as kits
from portal.kits.errors import KitDamaged
from storage import S3Settings, S3Store, StoreUnavailable
from tests.kits.conftest import Workshop, publish
from tests.portals import open_test_portal
from tests.servers.seaweed import S3Address


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_kit_is_made_out_of_objects_in_s3(engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    server = S3Address.from_environment()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    bucket = f"kits-{token_hex(6)}"
    S3Store(S3Settings(bucket, endpoint=server.endpoint))._client.create_bucket(Bucket=bucket)
    address = f"s3://{bucket}/objects?endpoint={quote(server.endpoint, safe='')}"
    portal = open_test_portal(engine, tmp_path / "portal", store=address)
    workshop = Workshop(portal, publish(portal))
    record = workshop.prepared(keep=True)
    kits.write(portal.store, record, tmp_path / "kit.tar")
    kits.read_back(record, tmp_path / "kit.tar")
    written = (tmp_path / "kit.tar").read_bytes()
    with portal.store.open_range(record.kept_key) as kept:
        assert kept.read() == written
    with kits.open_kit(portal.store, record, 70_000, 40_000) as reader:
        assert reader.read() == written[70_000:110_000]
    portal.store.delete(record.files[-1]["key"])
    with pytest.raises(KitDamaged), kits.open_kit(portal.store, record) as reader:
        reader.read()
    nowhere = S3Store(S3Settings(bucket, endpoint="http://127.0.0.1:9", access_key="a", secret_key="b"))
    with pytest.raises(StoreUnavailable), kits.open_kit(nowhere, record) as reader:
        reader.read()
