"""What every backend holds: one suite over all of them, S3 on a real server."""

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Barrier

import pytest

from storage import (
    DigestMismatch,
    InvalidDigest,
    InvalidKey,
    ObjectExists,
    ObjectMissing,
    OutOfRange,
    Received,
    SizeMismatch,
    TooLarge,
    content_key,
)
from tests.storage.sources import MIB, Generated, ReadOnly, numbered

ANY = 1 << 40
# Empty; one byte; around one block; around one part of S3's; several parts with a rest.
SIZES = (0, 1, MIB - 1, MIB, MIB + 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 21 * MIB + 5)
DAY = timedelta(days=1)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(store, key: str, start: int = 0, length: int | None = None) -> bytes:
    with store.open_range(key, start, length) as reader:
        return b"".join(reader)


def keys(store, prefix: str = "") -> list[str]:
    return sorted(found.key for found in store.list(prefix))


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("size", SIZES)
def test_bytes_of_any_size_come_back_as_they_went(backend, size, declared):
    content = numbered(size)
    digest = sha256(content)
    said = {"expected_sha256": digest, "expected_size": size} if declared else {}
    received = backend.store.receive(BytesIO(content), limit_bytes=size, **said)
    assert received == Received(content_key(digest), digest, size, created=True)
    assert sha256(read(backend.store, received.key)) == digest
    assert backend.leftovers() == []


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("size", [0, 5, 9 * MIB])
def test_the_same_bytes_again_are_no_new_object(backend, size, declared):
    content = numbered(size)
    said = {"expected_sha256": sha256(content)} if declared else {}
    first = backend.store.receive(BytesIO(content), limit_bytes=ANY, **said)
    second = backend.store.receive(ReadOnly(content), limit_bytes=ANY, **said)
    assert (first.created, second.created) == (True, False)
    assert (first.key, first.size_bytes) == (second.key, second.size_bytes)
    assert keys(backend.store) == [first.key]
    assert backend.leftovers() == []


@pytest.mark.parametrize("size", [5, 9 * MIB])
@pytest.mark.parametrize("is_fresh", [True, False])
def test_bytes_that_are_not_fresh_may_go_while_the_same_ones_come(backend, size, is_fresh, monkeypatch):
    """What came then takes their place; were they fresh, nobody would have removed them."""
    content = numbered(size)
    first = backend.store.receive(BytesIO(content), limit_bytes=ANY)
    if not is_fresh:
        monkeypatch.setattr(backend.store, "_is_fresh", lambda _key: False)

    class Overtaken(ReadOnly):
        def read(self, count=-1):
            if not is_fresh:
                backend.store.delete(first.key)
            return super().read(count)

    second = backend.store.receive(Overtaken(content), limit_bytes=ANY, expected_sha256=first.sha256)
    assert second.created is not is_fresh
    assert keys(backend.store) == [first.key]
    assert backend.leftovers() == []


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("size", [3, 9 * MIB])
def test_of_two_at_once_one_creates_and_both_succeed(backend, size, declared):
    content = numbered(size)
    said = {"expected_sha256": sha256(content)} if declared else {}
    together = Barrier(2, timeout=60)

    class AtOnce(BytesIO):
        def readinto(self, buffer):
            if self.tell() in {0, size}:  # begin together, and reach the end together
                together.wait()
            return super().readinto(buffer)

    def send(_):
        return backend.store.receive(AtOnce(content), limit_bytes=ANY, **said)

    with ThreadPoolExecutor(2) as pool:
        received = list(pool.map(send, range(2)))
    assert sorted(one.created for one in received) == [False, True]
    assert read(backend.store, received[0].key) == content
    assert keys(backend.store) == [received[0].key]
    assert backend.leftovers() == []


@pytest.mark.parametrize("size", [0, 3, 9 * MIB])
def test_another_digest_than_declared_leaves_nothing(backend, size):
    with pytest.raises(DigestMismatch) as refused:
        backend.store.receive(BytesIO(numbered(size)), limit_bytes=ANY, expected_sha256="0" * 64)
    assert (refused.value.expected, refused.value.received) == ("0" * 64, sha256(numbered(size)))
    assert keys(backend.store) == []
    assert backend.leftovers() == []


def test_a_digest_already_kept_does_not_let_other_bytes_pass(backend):
    kept = backend.store.receive(BytesIO(numbered(9 * MIB)), limit_bytes=ANY)
    with pytest.raises(DigestMismatch):
        backend.store.receive(BytesIO(numbered(9 * MIB, seed=1)), limit_bytes=ANY, expected_sha256=kept.sha256)
    assert keys(backend.store) == [kept.key]


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, "../" + "0" * 61, "0" * 65, "0" * 64 + "\n"])
def test_a_digest_that_is_none_is_refused_before_reading(store, digest):
    source = Generated(10)
    with pytest.raises(InvalidDigest):
        store.receive(source, limit_bytes=ANY, expected_sha256=digest)
    assert source.given == 0


def test_a_digest_may_be_in_capitals(store):
    assert store.receive(BytesIO(b"abc"), limit_bytes=ANY, expected_sha256=sha256(b"abc").upper()).created


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("after", [0, 1, MIB, 17 * MIB])
def test_a_source_that_fails_midway_leaves_nothing_and_keeps_its_own_error(backend, after, declared):
    def cut(given):
        if given >= after:
            raise ConnectionResetError("the client went away")

    said = {"expected_sha256": "0" * 64} if declared else {}
    with pytest.raises(ConnectionResetError, match="the client went away"):
        backend.store.receive(Generated(25 * MIB, before=cut), limit_bytes=ANY, **said)
    assert keys(backend.store) == []
    assert backend.leftovers() == []


@pytest.mark.parametrize("size", [10, 9 * MIB])
@pytest.mark.parametrize("missing", [1, -1])
def test_fewer_or_more_bytes_than_declared_leave_nothing(backend, size, missing):
    with pytest.raises(SizeMismatch) as refused:
        backend.store.receive(BytesIO(numbered(size)), limit_bytes=ANY, expected_size=size + missing)
    assert (refused.value.expected, refused.value.received) == (size + missing, size)
    assert keys(backend.store) == []
    assert backend.leftovers() == []


@pytest.mark.parametrize("limit", [0, 1, 9 * MIB])
def test_the_limit_is_held_to_the_byte(backend, limit):
    assert backend.store.receive(BytesIO(numbered(limit)), limit_bytes=limit).size_bytes == limit
    with pytest.raises(TooLarge) as refused:
        backend.store.receive(BytesIO(numbered(limit + 1)), limit_bytes=limit)
    assert refused.value.limit_bytes == limit
    assert len(keys(backend.store)) == 1
    assert backend.leftovers() == []


def test_an_endless_source_is_stopped_soon_after_the_limit(backend):
    source = Generated(1 << 50)
    with pytest.raises(TooLarge):
        backend.store.receive(source, limit_bytes=20 * MIB)
    assert source.given <= 20 * MIB + 8 * MIB
    assert backend.leftovers() == []


def test_a_declared_size_above_the_limit_is_refused_before_reading(store):
    source = Generated(11)
    with pytest.raises(TooLarge):
        store.receive(source, limit_bytes=10, expected_size=11)
    assert source.given == 0


@pytest.mark.parametrize("size", [1, 4096, MIB])
def test_every_edge_of_a_range(store, size):
    content = numbered(size)
    key = store.receive(BytesIO(content), limit_bytes=ANY).key
    edges = sorted({0, 1, size // 2, size - 1, size})
    for start in edges:
        assert read(store, key, start) == content[start:]
        for end in edges:
            if end >= start:
                assert read(store, key, start, end - start) == content[start:end]


@pytest.mark.parametrize(
    ("start", "length"), [(11, None), (11, 0), (0, 11), (10, 1), (9, 2), (-1, None), (-1, 1), (0, -1), (5, -1)]
)
def test_a_range_outside_the_object_is_refused(store, start, length):
    key = store.receive(BytesIO(b"0123456789"), limit_bytes=ANY).key
    with pytest.raises(OutOfRange) as refused:
        store.open_range(key, start, length)
    assert (refused.value.start, refused.value.length) == (start, length)


def test_ranges_of_an_empty_object(store):
    key = store.receive(BytesIO(b""), limit_bytes=0).key
    assert read(store, key) == b""
    assert read(store, key, 0, 0) == b""
    with pytest.raises(OutOfRange):
        store.open_range(key, 0, 1)
    with pytest.raises(OutOfRange):
        store.open_range(key, 1)


def test_a_reader_gives_blocks_and_facts_and_is_a_source_itself(store):
    content = numbered(MIB + 1)
    key = store.receive(BytesIO(content), limit_bytes=ANY).key
    with store.open_range(key, 1, MIB) as reader:
        assert (reader.start, reader.length, reader.stored) == (1, MIB, store.stat(key))
        blocks = list(reader)
    assert [len(block) for block in blocks] == [256 * 1024] * 4
    with store.open_range(key, 1) as reader:
        assert store.receive(reader, limit_bytes=ANY).sha256 == sha256(content[1:])


def test_a_reader_may_be_closed_before_its_end_and_twice(store):
    key = store.receive(BytesIO(numbered(MIB)), limit_bytes=ANY).key
    reader = store.open_range(key, block_bytes=10)
    assert next(iter(reader)) == numbered(MIB)[:10]
    reader.close()
    reader.close()
    assert read(store, key) == numbered(MIB)


def test_many_readers_at_once(store):
    content = numbered(3 * MIB)
    key = store.receive(BytesIO(content), limit_bytes=ANY).key
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: sha256(read(store, key)), range(16))) == {sha256(content)}


def test_stat_tells_size_digest_and_time(store):
    before = datetime.now(UTC) - timedelta(seconds=2)  # S3 tells whole seconds
    received = store.receive(BytesIO(b"abc"), limit_bytes=ANY)
    stored = store.stat(received.key)
    assert (stored.key, stored.size_bytes, stored.sha256) == (received.key, 3, sha256(b"abc"))
    assert before < stored.modified_at < datetime.now(UTC) + timedelta(seconds=2)
    assert store.put("named/object", b"abc").sha256 is None


@pytest.mark.parametrize("key", ["nothing", "no/thing", content_key("0" * 64)])
def test_what_is_missing_is_said_to_be(store, key):
    with pytest.raises(ObjectMissing):
        store.stat(key)
    for length in (None, 0, 1):
        with pytest.raises(ObjectMissing):
            store.open_range(key, 0, length)
    store.delete(key)


def test_a_folder_is_no_object(store):
    store.put("folder/object", b"1")
    with pytest.raises(ObjectMissing):
        store.stat("folder")
    with pytest.raises(ObjectMissing):
        store.open_range("folder")
    store.delete("folder")
    assert keys(store) == ["folder/object"]


def test_a_name_is_given_once_and_the_same_bytes_again_are_no_error(store):
    first = store.put("checkpoints/000001.json", b"first")
    assert store.put("checkpoints/000001.json", BytesIO(b"first")) == first
    for other in (b"", b"other", b"First", b"first "):
        with pytest.raises(ObjectExists):
            store.put("checkpoints/000001.json", other)
    assert read(store, "checkpoints/000001.json") == b"first"


def test_of_two_giving_a_name_at_once_one_succeeds(backend):
    together = Barrier(2, timeout=60)

    def give(content):
        together.wait()
        try:
            return backend.store.put("checkpoints/head", content).size_bytes
        except ObjectExists:
            return None

    with ThreadPoolExecutor(2) as pool:
        sizes = list(pool.map(give, (b"1", b"22")))
    assert sizes.count(None) == 1
    assert {len(read(backend.store, "checkpoints/head"))} == {*sizes} - {None}
    assert backend.leftovers() == []


def test_a_named_object_has_a_limit(backend):
    with pytest.raises(TooLarge):
        backend.store.put("a", b"12345", limit_bytes=4)
    source = Generated(1 << 50)
    with pytest.raises(TooLarge):
        backend.store.put("a", source)
    assert source.given <= 9 * MIB
    assert keys(backend.store) == []


def test_listing_walks_over_all_pages_and_by_prefix(store):
    named = [f"page/{number:03}" for number in range(37)]
    for key in (*named, "pager", "other/one", "other/two/three"):
        store.put(key, key.encode())
    assert keys(store) == sorted([*named, "pager", "other/one", "other/two/three"])
    assert keys(store, "page/") == named
    assert keys(store, "page") == [*named, "pager"]
    assert keys(store, "page/00") == named[:10]
    assert keys(store, "other/tw") == ["other/two/three"]
    assert keys(store, "other/one") == ["other/one"]
    assert keys(store, "none") == keys(store, "none/") == []
    assert {found.size_bytes for found in store.list("page/")} == {8}


def test_deleting_twice_is_no_error(store):
    key = store.receive(BytesIO(b"abc"), limit_bytes=ANY).key
    store.delete(key)
    store.delete(key)
    assert keys(store) == []
    with pytest.raises(ObjectMissing):
        store.stat(key)
    assert store.receive(BytesIO(b"abc"), limit_bytes=ANY).created


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", ".incoming/a", "a\0b", "a\\b", "ключ", "x" * 256, "a/" * 257],
)
def test_no_verb_takes_a_key_that_names_nothing(store, key):
    verbs = (
        store.stat,
        store.delete,
        store.open_range,
        store.local_path,
        lambda key: store.put(key, b""),
        lambda key: store.presigned_get(key, expires_in=DAY),
    )
    for verb in verbs:
        with pytest.raises(InvalidKey):
            verb(key)


def test_check_is_silent_on_a_healthy_store_and_leaves_nothing(backend):
    backend.store.check()
    assert keys(backend.store) == []
    assert backend.leftovers() == []


def test_a_sweep_takes_only_what_is_old_enough_and_never_an_object(backend):
    key = backend.store.receive(BytesIO(b"abc"), limit_bytes=ANY).key
    begun: list[list[str]] = []
    swept: list[int] = []

    def sweep_meanwhile(given):
        if given == 20 * MIB:
            begun.append(backend.leftovers())
            swept.append(backend.store.sweep(older_than=datetime.now(UTC) - DAY))

    received = backend.store.receive(Generated(25 * MIB, before=sweep_meanwhile), limit_bytes=ANY)
    assert [len(one) for one in begun] == [1]
    assert swept == [0]
    assert backend.store.sweep(older_than=datetime.now(UTC) + DAY) == 0
    assert keys(backend.store) == sorted([key, received.key])


RECEIVE_FROM_STDIN = textwrap.dedent(
    """
    import sys
    from storage import open_store
    open_store(sys.argv[1], access_key=sys.argv[2] or None, secret_key=sys.argv[3] or None).receive(
        sys.stdin.buffer, limit_bytes=1 << 40, expected_sha256=sys.argv[4] or None)
    """
)


@pytest.mark.parametrize("digest", ["", "0" * 64], ids=["undeclared", "declared"])
def test_a_killed_process_leaves_no_object_and_its_rest_is_swept(backend, digest):
    if backend.settings:
        place = backend.settings
        address = f"s3://{place.bucket}/{place.prefix}?endpoint={place.endpoint}"
        arguments = [address, place.access_key, place.secret_key, digest]
    else:
        arguments = [f"file://{backend.store.root}", "", "", digest]
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", RECEIVE_FROM_STDIN, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=root) as upload:
        # The pipe holds 64 KiB: when all is written, all but that has been taken in, more than two parts.
        upload.stdin.write(numbered(25 * MIB))
        os.kill(upload.pid, signal.SIGKILL)
        upload.wait()
    assert keys(backend.store) == []
    assert len(backend.leftovers()) == 1
    assert backend.store.sweep(older_than=datetime.now(UTC) - DAY) == 0
    assert backend.store.sweep(older_than=datetime.now(UTC) + DAY) == 1
    assert backend.leftovers() == []
