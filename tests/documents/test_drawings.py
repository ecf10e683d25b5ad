"""A signature is a small still picture with something on it."""

import struct
import zlib

import pytest

from portal.documents.drawings import PNG, check, drawn
from portal.documents.errors import SignatureEmpty, SignatureUnusable
from tests.handovers.conftest import data_url, part, png


def made(header=(10, 10, 8, 6, 0, 0, 0), rows=None, before=(), after=(), end=True):
    width, height = header[:2]
    rows = (b"\0" + b"\1" * 4 * width) * height if rows is None else rows
    parts = [part(b"IHDR", struct.pack(">IIBBBBB", *header)), *before, part(b"IDAT", zlib.compress(rows)), *after]
    return PNG + b"".join(parts) + (part(b"IEND") if end else b"")


BAD = {
    "no PNG": b"GIF89a",
    "cut short": png()[:-6],
    "flipped bit": png()[:60] + bytes([png()[60] ^ 1]) + png()[61:],
    "something after the end": png() + b"<script>",
    "another picture after the end": png() + png(),
    "no end": made(end=False),
    "no width": made((0, 10, 8, 6, 0, 0, 0), rows=b""),
    "too wide": made((2401, 1, 8, 6, 0, 0, 0)),
    "too many pixels": made((2400, 2400, 8, 6, 0, 0, 0), rows=b"\0"),
    "sixteen bits": made((10, 10, 16, 6, 0, 0, 0)),
    "a palette": made((10, 10, 8, 3, 0, 0, 0)),
    "interlaced": made((10, 10, 8, 6, 0, 0, 1)),
    "an animation": made(before=[part(b"acTL", bytes(8))]),
    "fewer rows than promised": made(rows=(b"\0" + b"\1" * 40) * 9),
    "more rows than promised, a bomb": made(rows=bytes(5_000_000)),
    "not packed": made()[:33] + part(b"IDAT", b"plain") + part(b"IEND"),
    "header too long": PNG + part(b"IHDR", bytes(20)) + part(b"IEND"),
    "a length that lies": PNG + struct.pack(">I4s", 1 << 31, b"IHDR") + bytes(30),
}


@pytest.mark.parametrize("picture", BAD.values(), ids=BAD.keys())
def test_what_is_no_signature_is_refused(picture):
    with pytest.raises(SignatureUnusable):
        check(picture)


@pytest.mark.parametrize("address", ["x", "data:image/png;base64,%%%", "data:image/jpeg;base64,AAAA", "A" * 300_000])
def test_an_address_of_something_else_is_refused(address):
    with pytest.raises(SignatureUnusable):
        drawn(address)


def test_nothing_drawn_is_told_from_something():
    for nothing in ("", data_url(png(ink=bytes(4)))):
        with pytest.raises(SignatureEmpty):
            drawn(nothing)
    assert drawn(data_url(png())) == png()
    check(made())
