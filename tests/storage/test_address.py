from pathlib import Path

import pytest

from storage import FileStore, InvalidAddress, S3Settings, S3Store, open_store


def test_a_folder():
    store = open_store("file:///srv/with%20space/objects")
    assert isinstance(store, FileStore)
    assert store.root == Path("/srv/with space/objects")


def test_a_bucket_at_an_endpoint():
    store = open_store(
        "s3://releases/portal/one?endpoint=https://s3.example.net:9000&region=eu-1"
        "&public_endpoint=https://files.example.net",
        access_key="key",
        secret_key="secret",
    )
    assert isinstance(store, S3Store)
    assert store.settings == S3Settings(
        "releases",
        prefix="portal/one",
        endpoint="https://s3.example.net:9000",
        public_endpoint="https://files.example.net",
        region="eu-1",
        access_key="key",
        secret_key="secret",
    )


@pytest.mark.parametrize("address", ["s3://releases", "s3://releases/"])
def test_a_bucket_alone_is_one_of_aws(address):
    assert open_store(address).settings == S3Settings("releases")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "objects",
        "/srv/objects",
        "http://s3.example.net/bucket",
        "file:objects",
        "file://objects",
        "file://host/objects",
        "file:///objects?region=eu",
        "s3:",
        "s3:///prefix",
        "s3://bucket/../other",
        "s3://bucket?endpoint=s3.example.net",
        "s3://bucket?endpoint=file:///etc",
        "s3://bucket?regoin=eu",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidAddress):
        open_store(address)


def test_an_address_holds_no_secret_and_the_refusal_does_not_repeat_it():
    with pytest.raises(InvalidAddress) as refused:
        open_store("s3://key:hunter2@bucket")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(InvalidAddress):
        open_store("s3://bucket", access_key="half")
