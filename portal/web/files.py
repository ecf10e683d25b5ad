"""Bytes on their way out: a file of the object store as an answer to GET or HEAD.

Three ways (`Config.downloads`): through the portal in large blocks, by nginx (`X-Accel-Redirect`), or by a short-lived
address of the object store itself. Whoever serves a file says with `on_grant` what is to be written before the first
byte leaves; what really left is told meanwhile and when the transfer ends, however it ends.
"""

import logging
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from time import monotonic
from typing import Protocol, Self
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.http import http_date

from portal.config import KIB, Downloads
from portal.errors import Unavailable, mark
from portal.web.byte_ranges import Answer, Span, Status, Validators, answer_to
from portal.web.unit_of_work import resources

log = logging.getLogger(__name__)

# Werkzeug's own wrapper reads 8 KiB at a time, and then the cost per block is the whole cost. Eight downloads at once,
# beside nginx: 0.67 of its speed with 64 KiB, 0.84 with 256 KiB, 1.0 with this; more gains nothing.
BLOCK_BYTES = 512 * KIB
TRANSFERS = "portal.transfers"
REPORT_SECONDS = 30
RETRY_SECONDS = 20
EXT_VALUE_SAFE = "!#$&+-.^_`|~"  # RFC 8187's attr-char beyond letters and digits
QUOTED_TOO_MUCH = '"\\/%'  # legal in a quoted-string, and misread by one client or another (RFC 6266, appendix D)

OnSent = Callable[[Span], None]
"""Told which bytes were handed to the connection so far: now and then while it lasts, and after the last of them."""
OnGrant = Callable[[Span | None], OnSent]
"""Told which bytes are about to leave (None: another server sends, and the portal will not see what)."""


class TooManyDownloads(Unavailable):
    code = "too-many-downloads"
    sentence = mark("Too many downloads are under way. Try again in a minute; what you have is not lost.")


class Reader(Protocol):
    """Bytes on their way: at most so many at a time, none at the end."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class ServedFile:
    """One object and how it is called. The bytes under `key` never change, so its digest is its strong tag.

    `made_by(start, length)` makes the bytes where no one object holds them; then the portal itself sends them.
    """

    key: str
    name: str
    size_bytes: int
    sha256: str
    modified_at: datetime
    content_type: str = "application/octet-stream"
    made_by: Callable[[int, int], Reader] | None = None

    @property
    def validators(self) -> Validators:
        return Validators(self.sha256, self.modified_at.replace(microsecond=0))


class Transfer:
    """A WSGI body: the blocks of a reader, counted.

    It raises when the object ends early: the server then breaks the connection instead of ending the answer, and the
    client sees that bytes are missing. `close` frees the place among the running transfers. What was sent is reported
    then, and before at intervals: should the process die, little of a long download is forgotten.
    """

    def __init__(self, reader: Reader, span: Span, places: BoundedSemaphore, on_sent: OnSent) -> None:
        self._reader, self._span, self._places, self._on_sent = reader, span, places, on_sent
        self._sent = 0
        self._is_open = True
        self._report_at = monotonic() + REPORT_SECONDS

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if monotonic() >= self._report_at:
            self._report()
            self._report_at = monotonic() + REPORT_SECONDS
        block = self._reader.read(BLOCK_BYTES)
        if not block:
            raise StopIteration
        self._sent += len(block)
        return block

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._places.release()
        try:
            self._reader.close()
        finally:
            self._report()

    def __del__(self) -> None:
        self.close()  # an answer that was never sent, because the commit before it failed

    def _report(self) -> None:
        try:
            self._on_sent(Span(self._span.start, self._span.start + self._sent))
        except Exception:  # nobody is left to tell; the bytes have gone
            log.exception("%s bytes of a transfer could not be recorded", self._sent)


def send(file: ServedFile, on_grant: OnGrant) -> Response:
    """The answer to this request for the file; `on_grant` is called only when bytes will leave.

    Raises TooManyDownloads, and what the store raises, before `on_grant`; call it with no transaction open.
    """
    way = _way(file)
    if way is Downloads.ACCEL:
        return _by_nginx(file, on_grant)
    if way is Downloads.PRESIGNED:
        return _by_the_store(file, on_grant)
    answer = answer_to(request.method, request.headers, size_bytes=file.size_bytes, validators=file.validators)
    if request.method == "HEAD" or not answer.has_content:
        return _described(file, answer, Response())
    return _by_the_portal(file, answer, on_grant)


def send_text(name: str, content: bytes, *, content_type: str) -> Response:
    """A small document that the portal keeps in its rows, as a file to save."""
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = content_disposition(name)
    return response


def content_disposition(name: str) -> str:
    """`attachment` with the name in ASCII, and in UTF-8 where that differs (RFC 6266, RFC 8187)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in QUOTED_TOO_MUCH else "_" for c in name)
    if plain == name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, EXT_VALUE_SAFE, errors='replace')}"


def _way(file: ServedFile) -> Downloads:
    way, store = resources().config.downloads, resources().store
    if file.made_by is not None:
        return Downloads.PORTAL
    if way is Downloads.ACCEL and store.local_path(file.key) is None:
        return Downloads.PORTAL
    if way is Downloads.PRESIGNED and _presigned(file) is None:
        return Downloads.PORTAL
    return way


def _presigned(file: ServedFile) -> str | None:
    return resources().store.presigned_get(
        file.key,
        expires_in=resources().config.presigned_for,
        content_disposition=content_disposition(file.name),
        content_type=file.content_type,
    )


def _by_the_portal(file: ServedFile, answer: Answer, on_grant: OnGrant) -> Response:
    places = _places()
    if not places.acquire(blocking=False):
        raise TooManyDownloads(retry_after=RETRY_SECONDS)
    try:
        reader = _reader(file, answer.span)
        try:
            on_sent = on_grant(answer.span)
        except BaseException:
            reader.close()
            raise
    except BaseException:
        places.release()
        raise
    response = _described(file, answer, Response(Transfer(reader, answer.span, places, on_sent)))
    response.direct_passthrough = True
    return response


def _reader(file: ServedFile, span: Span) -> Reader:
    if file.made_by is not None:
        return file.made_by(span.start, span.length)
    return resources().store.open_range(file.key, span.start, span.length, block_bytes=BLOCK_BYTES)


def _by_nginx(file: ServedFile, on_grant: OnGrant) -> Response:
    """Let nginx send it. It answers ranges and conditions itself, by its own tag and date of the same file."""
    if request.method == "GET":
        on_grant(None)
    response = Response(content_type=file.content_type)
    response.headers["X-Accel-Redirect"] = resources().config.accel_prefix + quote(file.key)
    response.headers["Content-Disposition"] = content_disposition(file.name)
    response.headers["Repr-Digest"] = _digest(file)
    return response


def _by_the_store(file: ServedFile, on_grant: OnGrant) -> Response:
    address = _presigned(file)
    if request.method == "HEAD":  # the address is signed for GET alone; the store has a tag and a date of its own
        response = _described(file, Answer(Status.WHOLE, Span(0, file.size_bytes)), Response())
        response.headers.remove("ETag")
        response.headers.remove("Last-Modified")
        return response
    on_grant(None)
    response = Response(status=302)
    response.headers["Location"] = address or ""
    return response


def _described(file: ServedFile, answer: Answer, response: Response) -> Response:
    response.status_code = int(answer.status)
    headers = response.headers
    headers["Accept-Ranges"] = "bytes"
    headers["ETag"] = file.validators.entity_tag
    headers["Last-Modified"] = http_date(file.validators.modified_at)
    if answer.has_content:
        headers["Content-Type"] = file.content_type
        headers["Content-Length"] = str(answer.span.length)
        headers["Content-Disposition"] = content_disposition(file.name)
        headers["Repr-Digest"] = _digest(file)
        if answer.status is Status.PART:
            headers["Content-Range"] = answer.span.content_range(file.size_bytes)
    else:
        headers.remove("Content-Type")
        if answer.status is Status.UNSATISFIABLE:
            headers["Content-Range"] = f"bytes */{file.size_bytes}"
    return response


def _digest(file: ServedFile) -> str:
    """RFC 9530: the digest of the whole file, also on a part of it."""
    return f"sha-256=:{b64encode(bytes.fromhex(file.sha256)).decode()}:"


def _places() -> BoundedSemaphore:
    fresh = BoundedSemaphore(resources().config.max_downloads)
    places: BoundedSemaphore = current_app.extensions.setdefault(TRANSFERS, fresh)
    return places
