"""A backup on its way into the store: read once, hashed, sealed and stored as it streams."""

from dataclasses import dataclass
from typing import Any

from portal.backups.sealing import Sealer, Sealing, sealed_size
from portal.releases.errors import DeclaredDigestWrong, UploadTooLarge
from portal.releases.receiving import Announced, Body
from storage import ObjectStore, TooLarge


@dataclass(frozen=True)
class Stored:
    """What came and where it lies: size and digest are of the plain bytes."""

    key: str
    sha256: str
    size_bytes: int


def receive(store: ObjectStore, stream: Any, announced: Announced, sealer: Sealer, *, limit_bytes: int) -> Stored:  # noqa: ANN401 - the server's own
    """Keep the body's bytes sealed, or nothing at all.

    Raises UploadTooLarge, UploadCut, DeclaredDigestWrong, and the store's own StoreFull, StoreUnavailable…
    """
    body = Body(stream, announced, limit_bytes)

    def check(sha256: str, size_bytes: int) -> None:
        if size_bytes > limit_bytes:
            raise UploadTooLarge(limit_bytes=limit_bytes)
        if announced.size_bytes is not None and size_bytes != announced.size_bytes:
            raise body.cut()
        if announced.sha256 is not None and sha256 != announced.sha256:
            raise DeclaredDigestWrong(expected=announced.sha256, received=sha256)

    sealing = Sealing(body, sealer, check)
    try:
        received = store.receive(sealing, limit_bytes=sealed_size(limit_bytes))
    except TooLarge as error:
        raise UploadTooLarge(limit_bytes=limit_bytes) from error
    return Stored(received.key, sealing.sha256, sealing.size_bytes)
