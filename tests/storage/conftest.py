from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

import pytest

from storage import FileStore, ObjectStore, S3Settings, S3Store
from tests.servers.seaweed import S3Address, seaweed


@dataclass(frozen=True)
class Backend:
    """A store and a look behind it: what `receive` has begun and not ended."""

    store: ObjectStore
    leftovers: Callable[[], list[str]]
    settings: S3Settings | None = None


@pytest.fixture(scope="session")
def s3_address(tmp_path_factory) -> Iterator[S3Address]:
    running = S3Address.from_environment()
    if running:
        yield running
        return
    with seaweed(tmp_path_factory.mktemp("seaweed")) as address:
        yield address


@pytest.fixture(scope="session")
def s3_bucket(s3_address) -> S3Settings:
    settings = S3Settings(
        f"storage-{token_hex(6)}",
        endpoint=s3_address.endpoint,
        access_key=s3_address.access_key,
        secret_key=s3_address.secret_key,
    )
    S3Store(settings)._client.create_bucket(Bucket=settings.bucket)
    return settings


@pytest.fixture
def s3_settings(s3_bucket) -> S3Settings:
    """A part of the bucket that is this test's own."""
    return replace(s3_bucket, prefix=f"tests/{token_hex(6)}")


@pytest.fixture
def s3(s3_settings) -> Backend:
    # Pages of ten, so that a few dozen objects already need several.
    store = S3Store(s3_settings, page_keys=10)

    def leftovers() -> list[str]:
        client, place = store._client, {"Bucket": s3_settings.bucket, "Prefix": s3_settings.prefix}
        objects = client.list_objects_v2(**{**place, "Prefix": f"{s3_settings.prefix}/.incoming/"}).get("Contents", [])
        uploads = client.list_multipart_uploads(**place).get("Uploads", [])
        return [found["Key"] for found in (*objects, *uploads)]

    return Backend(store, leftovers, s3_settings)


@pytest.fixture
def files(tmp_path: Path) -> Backend:
    store = FileStore(tmp_path / "objects")
    incoming = store.root / ".incoming"
    return Backend(store, lambda: [path.name for path in incoming.iterdir()] if incoming.exists() else [])


@pytest.fixture(params=["files", "s3"])
def backend(request) -> Backend:
    return request.getfixturevalue(request.param)


@pytest.fixture
def store(backend) -> ObjectStore:
    return backend.store
