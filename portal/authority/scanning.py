"""A scan on its way in and out. The portal never opens one: its first bytes name its kind; it leaves to be saved."""

from collections.abc import Callable

from flask import Response
from werkzeug.datastructures import FileStorage

from portal.authority.errors import NotAScan, ScanTooLarge
from portal.authority.models import PowerOfAttorney
from portal.authority.terms import LARGEST_SCAN_BYTES, Scan, kind_of_scan
from portal.errors import NotFound
from portal.web.byte_ranges import Span
from portal.web.files import ServedFile, send
from portal.web.unit_of_work import let_go, resources
from storage import TooLarge

HEAD_BYTES = 16
LARGEST_POST_BYTES = LARGEST_SCAN_BYTES + (4 << 20)
"""A little more than a scan: one that is a little too large is answered beside its field, with nothing lost."""


def take_in(file: FileStorage | None) -> Scan | None:
    """Keep the file's bytes in the store; None where no file was chosen. Lets the transaction go meanwhile.

    Raises NotAScan, ScanTooLarge, and the store's own errors.
    """
    if file is None or not file.filename:
        return None
    content_type = kind_of_scan(file.stream.read(HEAD_BYTES))
    file.stream.seek(0)
    let_go()
    try:
        received = resources().store.receive(file.stream, limit_bytes=LARGEST_SCAN_BYTES)
    except TooLarge as error:
        raise ScanTooLarge from error
    return Scan(received.key, file.filename, received.size_bytes, received.sha256, content_type)


def required(scan: Scan | None) -> Scan:
    """Raises NotAScan where no file was chosen."""
    if scan is None:
        raise NotAScan
    return scan


def serve(power: PowerOfAttorney) -> Response:
    """The scan as a file to save. Raises NotFound where there is none."""
    scan = power.scan
    if scan is None:
        raise NotFound
    file = ServedFile(
        key=scan["key"],
        name=scan["name"],
        size_bytes=scan["size_bytes"],
        sha256=scan["sha256"],
        modified_at=power.created_at,
        content_type=scan["content_type"],
    )
    let_go()
    return send(file, _ignored)


def _ignored(_span: Span | None) -> Callable[[Span], None]:
    return lambda _sent: None
