"""Bytes on their way out, over a real store, without the rest of the portal."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from urllib.parse import unquote

import pytest
from flask import Flask
from werkzeug.http import parse_options_header

from portal.config import Downloads
from portal.web import errors, files
from portal.web.byte_ranges import Span
from portal.web.files import ServedFile, content_disposition
from storage import FileStore

CONTENT = bytes(range(256)) * 4096  # 1 MiB, two blocks
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MODIFIED = datetime(2026, 3, 10, 12, 0, 5, 999, tzinfo=UTC)


@dataclass
class Settings:
    downloads: Downloads = Downloads.PORTAL
    max_downloads: int = 2
    accel_prefix: str = "/_objects/"
    presigned_for: timedelta = timedelta(minutes=5)


@dataclass
class Things:
    """As much of the portal's resources as serving a file needs."""

    store: FileStore
    config: Settings = field(default_factory=Settings)


class Log:
    def __init__(self) -> None:
        self.granted, self.sent = [], []

    def grant(self, span):
        self.granted.append(span)
        return self.sent.append


@pytest.fixture
def things(tmp_path):
    return Things(FileStore(tmp_path / "objects"))


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def client(things, log):
    key = things.store.receive(BytesIO(CONTENT), limit_bytes=len(CONTENT)).key
    app = Flask("files")
    app.testing = True
    app.extensions["portal"] = things
    file = ServedFile(key, "прошивка.bin", len(CONTENT), DIGEST, MODIFIED)
    app.add_url_rule("/f", view_func=lambda: files.send(file, log.grant))
    app.register_error_handler(files.TooManyDownloads, lambda e: (e.code, errors.status_of(e)))
    return app.test_client()


def test_the_whole_file_with_all_that_is_known_of_it(client, log):
    answer = client.get("/f", buffered=True)
    assert answer.status_code == 200
    assert answer.data == CONTENT
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Last-Modified"] == "Tue, 10 Mar 2026 12:00:05 GMT"
    assert answer.headers["Repr-Digest"].startswith("sha-256=:")
    assert "Content-Range" not in answer.headers
    assert log.granted == [Span(0, len(CONTENT))]
    assert log.sent == [Span(0, len(CONTENT))]


def test_a_part_of_it(client, log):
    answer = client.get("/f", headers={"Range": "bytes=1000-300000", "If-Range": f'"{DIGEST}"'}, buffered=True)
    assert answer.status_code == 206
    assert answer.data == CONTENT[1000:300001]
    assert answer.headers["Content-Range"] == f"bytes 1000-300000/{len(CONTENT)}"
    assert answer.headers["Content-Length"] == "299001"
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert log.sent == [Span(1000, 300001)]


def test_a_range_past_the_end_takes_nothing_and_is_no_grant(client, log):
    answer = client.get("/f", headers={"Range": f"bytes={len(CONTENT)}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert answer.data == b""
    assert log.granted == []


def test_what_the_client_has_is_not_sent_again(client, log):
    answer = client.get("/f", headers={"If-None-Match": f'"{DIGEST}"'})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert client.get("/f", headers={"If-Match": '"other"'}).status_code == 412
    assert log.granted == []


def test_head_tells_everything_and_opens_nothing(client, log, things):
    answer = client.head("/f", headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert log.granted == []


def test_an_interrupted_transfer_tells_how_far_it_came(client, log):
    with client.get("/f", buffered=False) as answer:
        blocks = answer.iter_encoded()
        assert len(next(blocks)) == files.BLOCK_BYTES
        assert log.sent == []
    answer.close()
    assert log.sent == [Span(0, files.BLOCK_BYTES)]


def test_no_more_transfers_at_once_than_allowed(client, log):
    first, second = client.get("/f", buffered=False), client.get("/f", buffered=False)
    refused = client.get("/f")
    assert (refused.status_code, refused.text) == (503, "too-many-downloads")
    assert len(log.granted) == 2
    assert client.head("/f").status_code == 200
    first.close()
    assert client.get("/f").data == CONTENT
    second.close()


def test_a_grant_that_fails_keeps_no_place(client, log, monkeypatch):
    def fail(span):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(log, "grant", fail)
        key = client.application.extensions["portal"].store.list().__next__().key
        file = ServedFile(key, "x", len(CONTENT), DIGEST, MODIFIED)
        for _ in range(3):
            with client.application.test_request_context("/f"), pytest.raises(ZeroDivisionError):
                files.send(file, fail)
    assert client.get("/f").status_code == 200


def test_an_answer_that_is_never_sent_gives_its_place_back(client, log):
    key = next(client.application.extensions["portal"].store.list()).key
    file = ServedFile(key, "x", len(CONTENT), DIGEST, MODIFIED)
    for _ in range(5):
        with client.application.test_request_context("/f"):
            files.send(file, log.grant)  # and dropped, as when the commit fails
    assert log.sent == [Span(0, 0)] * 5
    assert client.get("/f").status_code == 200


def test_an_object_that_ends_early_breaks_the_answer(client, log, things):
    [stored] = things.store.list()
    path = things.store.local_path(stored.key)
    answer = client.get("/f", buffered=False)
    blocks = answer.iter_encoded()
    next(blocks)
    path.chmod(0o600)
    path.write_bytes(CONTENT[: files.BLOCK_BYTES + 10])
    next(blocks)
    with pytest.raises(Exception, match="bytes were expected"):
        next(blocks)
    answer.close()
    assert log.sent == [Span(0, files.BLOCK_BYTES + 10)]


def test_a_record_that_fails_at_the_end_spoils_nothing(client, log, caplog):
    log.sent = None
    log.grant = lambda span: lambda sent: 1 / 0
    key = next(client.application.extensions["portal"].store.list()).key
    file = ServedFile(key, "x", len(CONTENT), DIGEST, MODIFIED)
    for _ in range(3):
        with client.application.test_request_context("/f"):
            files.send(file, log.grant).close()
    assert "could not be recorded" in caplog.text


def test_nginx_is_told_where_the_bytes_are(client, log, things):
    things.config.downloads = Downloads.ACCEL
    answer = client.get("/f", headers={"Range": "bytes=0-1", "If-Match": '"nginx has its own"'})
    [stored] = things.store.list()
    assert answer.status_code == 200
    assert answer.headers["X-Accel-Redirect"] == f"/_objects/{stored.key}"
    assert "ETag" not in answer.headers
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    assert answer.data == b""
    assert log.granted == [None]
    assert client.head("/f").headers["X-Accel-Redirect"]
    assert log.granted == [None]


def test_a_store_without_addresses_of_its_own_is_served_by_the_portal(client, log, things):
    things.config.downloads = Downloads.PRESIGNED
    answer = client.get("/f")
    assert answer.data == CONTENT
    assert answer.headers["ETag"] == f'"{DIGEST}"'


NAMES = [
    "plain.bin",
    "with space.tar.gz",
    "прошивка 4.10.bin",
    "固件.img",
    'quo"te.bin',
    "per%41cent.bin",
    "back\\slash",
    "semi;colon=.bin",
    "o'clock.bin",
    "new\r\nSet-Cookie: x=1",
    "nul\0.bin",
    "emoji \U0001f600.bin",
    "bidi\u202etxt.exe",
    "é",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_reaches_the_client_in_one_harmless_line(name):
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    plain = re.fullmatch(r'attachment; filename="([^"\\%]*)"(; filename\*=UTF-8\'\'[A-Za-z0-9!#$&+.^_`|~%-]*)?', header)
    assert plain
    extended = plain.group(2)
    told = unquote(extended.partition("''")[2]) if extended else plain.group(1)
    assert told == name
    assert parse_options_header(header)[1]["filename"] == name


def test_an_ascii_name_is_told_once():
    assert content_disposition("plain-1.2.bin") == 'attachment; filename="plain-1.2.bin"'


def test_a_long_transfer_tells_now_and_then_how_far_it_has_come(client, log, monkeypatch):
    monkeypatch.setattr(files, "REPORT_SECONDS", 0)
    client.get("/f", buffered=True)
    steps = range(0, len(CONTENT) + 1, files.BLOCK_BYTES)
    assert log.sent == [Span(0, end) for end in (*steps, len(CONTENT))]
