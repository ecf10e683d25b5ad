from io import BytesIO
from itertools import islice

import pytest

from storage import TooLarge
from storage.streams import Expected, Intake, read_small
from tests.storage.sources import MIB, Generated, ReadOnly, numbered


def taken(source, *, block_bytes: int = 1000, block_count: int = 3) -> tuple[list[bytes], Intake]:
    with Intake(source, Expected(1 << 40), block_bytes=block_bytes, block_count=block_count) as intake:
        return [bytes(block.view) for block in intake], intake


@pytest.mark.parametrize("source", [BytesIO, ReadOnly, lambda content: ReadOnly(content, most=7)])
@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 2999, 3000, 3001, 10_000])
def test_all_blocks_but_the_last_are_full(source, size):
    content = numbered(size)
    blocks, intake = taken(source(content))
    assert b"".join(blocks) == content
    assert {len(block) for block in blocks[:-1]} <= {1000}
    assert b"" not in blocks
    assert intake.size_bytes == size


def test_a_source_is_read_once():
    source = Generated(10 * MIB)
    taken(source, block_bytes=MIB)
    assert source.given == 10 * MIB


def test_a_source_that_does_not_block_is_refused_and_not_taken_for_ended():
    class Pausing(Generated):
        def readinto(self, buffer):
            return None if self.given else super().readinto(buffer)

    with pytest.raises(BlockingIOError):
        taken(Pausing(10 * MIB))


def test_a_buffer_waits_for_whoever_uses_it():
    error = OSError("the part was lost")

    class Lost:
        def result(self):
            raise error

    with Intake(Generated(10_000), Expected(1 << 40), block_bytes=1000, block_count=3) as intake:
        blocks = iter(intake)
        next(blocks).busy.append(Lost())
        with pytest.raises(OSError, match="the part was lost"):
            list(islice(blocks, 3))


@pytest.mark.parametrize("content", [b"12345", ReadOnly(b"12345")])
def test_a_small_content_is_read_whole(content):
    assert read_small(content, limit_bytes=5) == b"12345"


@pytest.mark.parametrize("content", [b"123456", ReadOnly(b"123456"), Generated(1 << 50)])
def test_a_small_content_has_a_limit(content):
    with pytest.raises(TooLarge):
        read_small(content, limit_bytes=5)
