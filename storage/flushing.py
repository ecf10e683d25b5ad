"""Pushing a file's bytes towards the disk while more of them arrive, so that the last flush finds little left to do."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

EVERY_BYTES = 16 * 1024 * 1024


class Flusher:
    """Tell it how many bytes were written; now and then it flushes them in a thread.

    The caller flushes for good in the end. It must call `finish` before: the kernel tells of a failed write once, so
    an error that a flush here has met is not met again.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = 0
        self._running: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flush")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()  # before the descriptor is closed, and perhaps becomes another file's

    def written(self, count: int) -> None:
        """So many more bytes were written. Raises OSError when an earlier flush failed."""
        self._pending += count
        if self._pending < EVERY_BYTES or (self._running is not None and not self._running.done()):
            return
        self.finish()
        self._pending = 0
        self._running = self._thread.submit(os.fdatasync, self._descriptor)

    def finish(self) -> None:
        """Wait for the flush that runs. Raises the OSError that it met."""
        if self._running is not None:
            self._running.result()
