import hashlib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from storage import S3Store, StoreDenied, StoreMissing, StoreUnavailable, s3_multipart
from tests.servers.cutting_proxy import cutting_proxy
from tests.storage.sources import MIB, Generated, numbered

ANY = 1 << 40
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


# Every verb that speaks to the server.
VERBS = {
    "receive": lambda store: store.receive(BytesIO(b"abc"), limit_bytes=3),
    "receive in parts": lambda store: store.receive(Generated(9 * MIB), limit_bytes=ANY),
    "receive declared": lambda store: store.receive(Generated(9 * MIB), limit_bytes=ANY, expected_sha256="0" * 64),
    "put": lambda store: store.put("a", b"abc"),
    "open_range": lambda store: store.open_range("a"),
    "open an empty range": lambda store: store.open_range("a", 0, 0),
    "stat": lambda store: store.stat("a"),
    "list": lambda store: list(store.list()),
    "delete": lambda store: store.delete("a"),
    "sweep": lambda store: store.sweep(older_than=datetime.now(UTC)),
    "check": lambda store: store.check(),
}


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:  # bound, so that nobody else gets it, and not listening
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_presigned_url_fetches_under_the_given_name(s3):
    key = s3.store.receive(BytesIO(b"firmware"), limit_bytes=ANY).key
    disposition = "attachment; filename*=UTF-8''%D0%BF%D1%80%D0%BE%D1%88%D0%B8%D0%B2%D0%BA%D0%B0.bin"
    url = s3.store.presigned_get(
        key, expires_in=MINUTE, content_disposition=disposition, content_type="application/x-firmware"
    )
    status, headers, body = fetch(url)
    assert (status, body) == (200, b"firmware")
    assert headers["Content-Disposition"] == disposition
    assert headers["Content-Type"] == "application/x-firmware"


def test_an_altered_presigned_url_is_refused(s3):
    key = s3.store.receive(BytesIO(b"firmware"), limit_bytes=ANY).key
    other = s3.store.receive(BytesIO(b"not paid for"), limit_bytes=ANY).key
    url = s3.store.presigned_get(key, expires_in=MINUTE)
    for altered in (
        url.replace(key, other),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        url + "&response-content-type=text%2Fhtml",
        url.partition("?")[0],
    ):
        assert altered != url
        assert fetch(altered)[0] == 403
    assert fetch(url)[0] == 200


def test_a_presigned_url_expires(s3):
    key = s3.store.receive(BytesIO(b"firmware"), limit_bytes=ANY).key
    url = s3.store.presigned_get(key, expires_in=timedelta(seconds=1))
    end = time.monotonic() + 10  # the server's clock decides and cannot be set
    while (status := fetch(url)[0]) == 200 and time.monotonic() < end:
        time.sleep(0.1)
    assert status == 403


def test_presigned_urls_are_made_for_the_address_that_customers_reach(s3):
    store = S3Store(replace(s3.settings, public_endpoint="https://files.example.net"))
    store.check()  # by the endpoint of its own
    url = store.presigned_get("a", expires_in=MINUTE)
    assert url.startswith(f"https://files.example.net/{s3.settings.bucket}/{s3.settings.prefix}/a?")


def test_a_store_has_its_prefix_to_itself(s3):
    outer = S3Store(replace(s3.settings, prefix=""))
    sibling = S3Store(replace(s3.settings, prefix=f"{s3.settings.prefix}-sibling"))
    sibling.put("a", b"1")
    s3.store.put("a", b"2")
    assert [found.key for found in s3.store.list()] == ["a"]
    assert outer.stat(f"{s3.settings.prefix}/a").size_bytes == 1
    with pytest.raises(ConnectionError):
        sibling.receive(Generated(20 * MIB, before=sweeping_from(s3.store)), limit_bytes=ANY)


def sweeping_from(store):
    def before(given):
        if given > 18 * MIB:
            assert store.sweep(older_than=datetime.now(UTC) + DAY) == 0
            raise ConnectionError

    return before


def test_an_upload_swept_away_while_it_runs_says_so(s3):
    def sweep(given):
        if given == 18 * MIB:
            s3.store.sweep(older_than=datetime.now(UTC) + DAY)

    with pytest.raises(StoreUnavailable):
        s3.store.receive(Generated(40 * MIB, before=sweep), limit_bytes=ANY)
    assert list(s3.store.list()) == []
    assert s3.leftovers() == []


def test_a_large_object_is_copied_in_several_requests(s3, monkeypatch):
    monkeypatch.setattr(s3_multipart, "COPY_PART_BYTES", 6 * MIB)  # instead of half a GiB
    content = numbered(20 * MIB + 1)
    received = s3.store.receive(BytesIO(content), limit_bytes=ANY)
    with s3.store.open_range(received.key) as reader:
        assert reader.read() == content
    assert received.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("verb", VERBS)
def test_a_server_that_is_down_is_told_soon(s3_settings, closed_port, verb):
    store = S3Store(replace(s3_settings, endpoint=f"http://127.0.0.1:{closed_port}"))
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        VERBS[verb](store)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("verb", VERBS)
def test_a_bucket_that_does_not_exist_is_told_apart(s3_settings, verb):
    store = S3Store(replace(s3_settings, bucket="no-such-bucket"))
    with pytest.raises(StoreMissing):
        VERBS[verb](store)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_credentials_are_told_apart(s3_settings, verb, wrong):
    store = S3Store(replace(s3_settings, **{wrong: "x" * 20}))
    with pytest.raises(StoreDenied) as refused:
        VERBS[verb](store)
    assert s3_settings.secret_key not in str(refused.value)


def test_without_credentials_anywhere_it_is_denied(s3_settings, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreDenied):
        S3Store(replace(s3_settings, access_key=None, secret_key=None)).check()


def test_settings_do_not_show_their_keys(s3_settings):
    assert s3_settings.secret_key not in repr(s3_settings)
    assert s3_settings.access_key not in repr(s3_settings)


@contextmanager
def through_proxy(settings, **how) -> Iterator[S3Store]:
    with cutting_proxy(settings.endpoint, **how) as proxy:
        store = S3Store(replace(settings, endpoint=proxy.endpoint))
        yield store
        store._client.close()


@pytest.mark.parametrize(("start", "length"), [(0, None), (5, None), (MIB, 3 * MIB)])
def test_a_download_cut_midway_is_an_error_and_never_a_short_object(s3, start, length):
    key = s3.store.receive(Generated(5 * MIB), limit_bytes=ANY).key
    with (
        through_proxy(s3.settings, after_bytes=2 * MIB, downwards=True) as cut,
        cut.open_range(key, start, length) as reader,
    ):
        received: list[bytes] = []
        with pytest.raises(StoreUnavailable):
            received.extend(reader)
    assert 0 < sum(map(len, received)) <= 2 * MIB


@pytest.mark.parametrize("digest", [None, "0" * 64], ids=["undeclared", "declared"])
def test_an_upload_cut_midway_leaves_no_object_and_its_rest_is_swept(s3, digest):
    with through_proxy(s3.settings, after_bytes=3 * MIB, downwards=False) as cut, pytest.raises(StoreUnavailable):
        cut.receive(Generated(25 * MIB), limit_bytes=ANY, expected_sha256=digest)
    assert list(s3.store.list()) == []
    s3.store.sweep(older_than=datetime.now(UTC) + DAY)
    assert s3.leftovers() == []


def test_a_small_upload_cut_midway_leaves_nothing(s3):
    with through_proxy(s3.settings, after_bytes=MIB, downwards=False) as cut, pytest.raises(StoreUnavailable):
        cut.receive(Generated(5 * MIB), limit_bytes=ANY)
    assert list(s3.store.list()) == []
    assert s3.leftovers() == []


@pytest.mark.parametrize("size", [5 * MIB, 25 * MIB])
def test_a_short_interruption_is_lived_through(s3, size):
    with cutting_proxy(s3.settings.endpoint, after_bytes=MIB, downwards=False, cuts=1) as proxy:
        store = S3Store(replace(s3.settings, endpoint=proxy.endpoint))
        received = store.receive(Generated(size), limit_bytes=ANY)
        assert proxy.cuts < 1
        store._client.close()
    with s3.store.open_range(received.key) as reader:
        assert hashlib.sha256(reader.read()).hexdigest() == received.sha256
    assert s3.leftovers() == []


# The server first says `HTTP/1.1 100 Continue` and an empty line, 25 bytes, and then waits for the body.
@pytest.mark.parametrize("after_bytes", [0, 25], ids=["before the body", "before the answer"])
def test_a_small_upload_is_repeated_when_its_answer_is_lost(s3, after_bytes):
    with cutting_proxy(s3.settings.endpoint, after_bytes=after_bytes, downwards=True, cuts=1) as proxy:
        store = S3Store(replace(s3.settings, endpoint=proxy.endpoint))
        received = store.receive(BytesIO(b"abc"), limit_bytes=ANY)
        assert proxy.cuts < 1
        proxy.cuts = 1
        store._client.close()
        assert S3Store(replace(s3.settings, endpoint=proxy.endpoint)).put("named", b"def").size_bytes == 3
        assert proxy.cuts < 1
    assert {found.key: found.size_bytes for found in s3.store.list()} == {received.key: 3, "named": 3}
