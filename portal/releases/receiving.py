"""The raw body of a request on its way into the store: one pass, no limit but the setting, no whole file in memory."""

from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from portal.releases.errors import DeclaredDigestWrong, LengthRequired, UploadCut, UploadTooLarge
from storage import DigestMismatch, ObjectStore, Received, SizeMismatch, TooLarge


@dataclass(frozen=True)
class Announced:
    """What the request says of its body before it is read.

    `is_terminated`: the web server marks the end of a body without a length (chunked), so that reading it ends.
    """

    size_bytes: int | None
    sha256: str | None
    is_terminated: bool

    def require_fit(self, limit_bytes: int) -> None:
        """Raises UploadTooLarge, LengthRequired before a byte is read."""
        if self.size_bytes is not None and self.size_bytes > limit_bytes:
            raise UploadTooLarge(limit_bytes=limit_bytes)
        if self.size_bytes is None and not (self.is_terminated and self.sha256):
            raise LengthRequired


class Body:
    """A request's stream as a source that says plainly when the client is gone."""

    def __init__(self, stream: Any, announced: Announced, limit_bytes: int) -> None:  # noqa: ANN401 - the server's own
        self._stream, self._announced, self._limit_bytes = stream, announced, limit_bytes
        self._received = 0

    def readinto(self, room: memoryview) -> int:
        try:
            count: int = self._stream.readinto(room) or 0
        except RequestEntityTooLarge as error:
            raise UploadTooLarge(limit_bytes=self._limit_bytes) from error
        except (ClientDisconnected, OSError) as error:
            raise self.cut() from error
        self._received += count
        return count

    def read(self, size: int, /) -> bytes:
        room = bytearray(size)
        return bytes(room[: self.readinto(memoryview(room))])

    def cut(self) -> UploadCut:
        return UploadCut(expected=self._announced.size_bytes, received=self._received)


def receive(store: ObjectStore, stream: Any, announced: Announced, *, limit_bytes: int) -> Received:  # noqa: ANN401
    """Keep the body's bytes, or nothing at all.

    Raises UploadTooLarge, UploadCut, DeclaredDigestWrong, and the store's own StoreFull, StoreUnavailable…
    """
    body = Body(stream, announced, limit_bytes)
    try:
        return store.receive(
            body, limit_bytes=limit_bytes, expected_sha256=announced.sha256, expected_size=announced.size_bytes
        )
    except TooLarge as error:
        raise UploadTooLarge(limit_bytes=limit_bytes) from error
    except SizeMismatch as error:
        raise UploadCut(expected=error.expected, received=error.received) from error
    except DigestMismatch as error:
        raise DeclaredDigestWrong(expected=error.expected, received=error.received) from error
