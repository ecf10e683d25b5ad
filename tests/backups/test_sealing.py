"""What is sealed opens to the same bytes, in whole and in part; what was touched does not open at all."""

import hashlib
from io import BytesIO
from uuid import UUID, uuid4

import pytest

from portal.backups.errors import BackupCut, BackupDamaged, BackupDiffers, BackupMissing, BackupUnreadable
from portal.backups.reading import SEALED_BLOCK_BYTES, BackupReader, Kept, verify
from portal.backups.receiving import receive
from portal.backups.sealing import BLOCK_BYTES, Sealer, Sealing, last_block, sealed_size
from portal.config import MIB
from portal.releases.errors import DeclaredDigestWrong, UploadCut, UploadTooLarge
from portal.releases.receiving import Announced
from storage import FileStore

KEY, HOME, NAME = b"k" * 32, UUID(int=1), UUID(int=2)
SIZES = (0, 1, 15, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, 5 * MIB)


def content(size):
    return hashlib.shake_256(str(size).encode()).digest(size)


def announced(size=None, sha256=None):
    return Announced(size, sha256, is_terminated=True)


def put(store, plain, sealer=None):
    sealer = sealer or Sealer(KEY, HOME, NAME)
    stored = receive(store, BytesIO(plain), announced(len(plain)), sealer, limit_bytes=16 * MIB)
    assert (stored.size_bytes, stored.sha256) == (len(plain), hashlib.sha256(plain).hexdigest())
    return Kept(stored.key, stored.size_bytes, sealer)


def raw(store, key):
    with store.open_range(key) as reader:
        return reader.read()


def read(store, kept, start=0, length=None):
    reader = BackupReader(store, kept, start, kept.size_bytes - start if length is None else length)
    try:
        return b"".join(iter(lambda: reader.read(300_000), b""))
    finally:
        reader.close()


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(store, size):
    plain = content(size)
    kept = put(store, plain)
    stored = raw(store, kept.key)
    assert len(stored) == sealed_size(size)
    assert not size or plain[:32] not in stored or size < 15
    assert read(store, kept) == plain
    verify(store, kept, hashlib.sha256(plain).hexdigest())
    with pytest.raises(BackupDiffers):
        verify(store, kept, "0" * 64)


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 1), (BLOCK_BYTES - 1, 2), (BLOCK_BYTES, BLOCK_BYTES), (2 * BLOCK_BYTES, 7), (3, 2 * BLOCK_BYTES), (9, 0)],
)
def test_any_part_can_be_read(store, start, length):
    plain = content(2 * BLOCK_BYTES + 7)
    assert read(store, put(store, plain), start, length) == plain[start : start + length]


def swapped(sealed):
    first, second = sealed[:SEALED_BLOCK_BYTES], sealed[SEALED_BLOCK_BYTES : 2 * SEALED_BLOCK_BYTES]
    return second + first + sealed[2 * SEALED_BLOCK_BYTES :]


@pytest.mark.parametrize(
    ("touch", "size", "error"),
    [
        (swapped, None, BackupDamaged),
        (lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), None, BackupDamaged),
        (lambda sealed: bytes([sealed[0] ^ 1]) + sealed[1:], None, BackupDamaged),
        (lambda sealed: sealed[:-1], None, BackupCut),
        (lambda sealed: sealed[:SEALED_BLOCK_BYTES], None, BackupCut),
        (lambda sealed: sealed + b"\0", None, BackupCut),
        # the row is altered with the object: no block but the last opens as the last
        (lambda sealed: sealed[: 2 * SEALED_BLOCK_BYTES], 2 * BLOCK_BYTES, BackupDamaged),
    ],
    ids=["two blocks in each other's place", "last byte", "first byte", "a byte less", "only the first block",
         "a byte more", "cut at a border, and said so"],
)  # fmt: skip
def test_what_was_touched_does_not_open(store, touch, size, error):
    plain = content(2 * BLOCK_BYTES + 7)
    kept = put(store, plain)
    altered = store.put("altered", touch(raw(store, kept.key)), limit_bytes=16 * MIB)
    touched = Kept(altered.key, size or kept.size_bytes, kept.sealer)
    with pytest.raises(error):
        read(store, touched)
    with pytest.raises(BackupUnreadable):
        verify(store, touched, hashlib.sha256(plain).hexdigest())


@pytest.mark.parametrize(
    "sealer",
    [Sealer(b"l" * 32, HOME, NAME), Sealer(KEY, uuid4(), NAME), Sealer(KEY, HOME, uuid4())],
    ids=["another key", "another customer", "another backup"],
)
def test_nothing_opens_under_another_name_or_key(store, sealer):
    kept = put(store, b"")
    with pytest.raises(BackupDamaged) as caught:
        read(store, Kept(kept.key, kept.size_bytes, sealer))
    assert caught.value.code == "backup-damaged"


def test_a_lost_object_is_told(store):
    with pytest.raises(BackupMissing):
        read(store, Kept("gone", 5, Sealer(KEY, HOME, NAME)))


@pytest.mark.parametrize(
    ("said", "limit", "error"),
    [
        (announced(101), 1000, UploadCut),
        (announced(None, "0" * 64), 1000, DeclaredDigestWrong),
        (announced(None, "0" * 64), 99, UploadTooLarge),
    ],
)
def test_a_bad_upload_leaves_nothing(store, said, limit, error):
    with pytest.raises(error):
        receive(store, BytesIO(b"x" * 100), said, Sealer(KEY, HOME, NAME), limit_bytes=limit)
    assert list(store.list()) == []


def test_a_source_may_give_as_little_as_it_likes():
    class Drops(BytesIO):
        def read(self, size, /):
            return super().read(min(size, 70_001))

    plain, sealer = content(BLOCK_BYTES + 5), Sealer(KEY, HOME, NAME)
    sealing = Sealing(Drops(plain), sealer, lambda _sha256, _size: None)
    sealed = b"".join(iter(lambda: sealing.read(99_999), b""))
    assert sealer.open(0, sealed[:SEALED_BLOCK_BYTES], is_last=False) == plain[:BLOCK_BYTES]
    assert sealer.open(1, sealed[SEALED_BLOCK_BYTES:], is_last=True) == plain[BLOCK_BYTES:]
    assert last_block(len(plain)) == 1
    assert KEY.decode() not in repr(sealer)
