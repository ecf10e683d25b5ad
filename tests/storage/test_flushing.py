"""Flushing beside the writing: nothing is lost of it, an error least of all."""

import errno
import hashlib
import os

import pytest

from storage import FileStore, StoreFull, flushing
from tests.storage.sources import MIB, Generated

MANY = 9 * MIB


@pytest.fixture
def often(monkeypatch) -> None:
    monkeypatch.setattr(flushing, "EVERY_BYTES", 2 * MIB)


def test_what_was_flushed_meanwhile_is_whole(tmp_path, often):
    received = FileStore(tmp_path).receive(Generated(MANY), limit_bytes=MANY)
    assert received.size_bytes == MANY
    kept = FileStore(tmp_path).open_range(received.key)
    with kept:
        assert hashlib.sha256(b"".join(kept)).hexdigest() == received.sha256


def test_an_error_met_by_a_flush_is_told_though_the_last_flush_meets_none(tmp_path, often, monkeypatch):
    flushed = []

    def fail(descriptor: int) -> None:
        flushed.append(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", fail)  # as the kernel does: once, to whoever asks first
    store = FileStore(tmp_path)
    with pytest.raises(StoreFull):
        store.receive(Generated(MANY), limit_bytes=MANY)
    assert flushed
    assert list(store.list()) == []
