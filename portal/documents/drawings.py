"""A signature as it comes from the page: a PNG of modest size that holds a drawing (ISO/IEC 15948), nothing else."""

import binascii
import struct
import zlib
from base64 import b64decode

from portal.documents.errors import SignatureEmpty, SignatureUnusable
from portal.errors import InvalidInput

MOST_URL_CHARS = 200 * 1024
MOST_SIDE_PIXELS = 2_400
MOST_PIXELS = 2_000_000
PREFIX = "data:image/png;base64,"
PNG = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Colour types without a palette, and how many samples a pixel has in each."""
DEPTH_BITS = 8
_HEADER = struct.Struct(">IIBBBBB")
_FRAME = struct.Struct(">I4s")


def drawn(data_url: str) -> bytes:
    """The PNG behind a `data:image/png;base64,…` address.

    Raises SignatureEmpty where there is no address or nothing was drawn (every sample is zero: transparent or black),
    SignatureUnusable for all that is not one still picture of at most 2 million pixels whose parts fit together.
    """
    if not data_url:
        raise SignatureEmpty
    if len(data_url) > MOST_URL_CHARS:
        raise _unusable("too large")
    if not data_url.startswith(PREFIX):
        raise _unusable("no PNG")
    try:
        picture = b64decode(data_url.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise _unusable("no base64") from error
    check(picture)
    return picture


def check(picture: bytes) -> None:
    """Raises SignatureUnusable, SignatureEmpty."""
    if not picture.startswith(PNG):
        raise _unusable("no PNG")
    parts = _parts(picture)
    if not parts or parts[0][0] != b"IHDR" or len(parts[0][1]) != _HEADER.size or parts[-1] != (b"IEND", b""):
        raise _unusable("parts out of order")
    if {name for name, _content in parts} & {b"acTL", b"PLTE"}:
        raise _unusable("not a plain still picture")
    width, row_bytes, height = _shape(parts[0][1])
    rows = _pixels(b"".join(content for name, content in parts if name == b"IDAT"), (row_bytes + 1) * height)
    if not any(rows[start + 1 : start + 1 + row_bytes].strip(b"\0") for start in range(0, len(rows), row_bytes + 1)):
        raise SignatureEmpty(width=width)


def _parts(picture: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks, each with its name and content; their check sums are right."""
    found, position = [], len(PNG)
    while position < len(picture):
        if len(picture) - position < _FRAME.size:
            raise _unusable("cut short")
        length, name = _FRAME.unpack_from(picture, position)
        content = picture[position + _FRAME.size :][:length]
        checksum = picture[position + _FRAME.size + length :][:4]
        if len(content) != length or checksum != zlib.crc32(name + content).to_bytes(4):
            raise _unusable("damaged")
        found.append((name, content))
        position += _FRAME.size + length + len(checksum)
    return found


def _shape(header: bytes) -> tuple[int, int, int]:
    """Width in pixels, bytes in a row, height in rows."""
    width, height, depth, colour, compression, filtering, interlace = _HEADER.unpack(header)
    if not (0 < width <= MOST_SIDE_PIXELS and 0 < height <= MOST_SIDE_PIXELS and width * height <= MOST_PIXELS):
        raise _unusable("no pixels, or too many")
    if depth != DEPTH_BITS or colour not in CHANNELS or (compression, filtering, interlace) != (0, 0, 0):
        raise _unusable("a kind of picture that no canvas makes")
    return width, width * CHANNELS[colour], height


def _pixels(packed: bytes, size_bytes: int) -> bytes:
    """The rows with their filter bytes: exactly as many bytes as the header promises, however far it would unpack."""
    unpacking = zlib.decompressobj()
    try:
        rows = unpacking.decompress(packed, size_bytes + 1)
    except zlib.error as error:
        raise _unusable("damaged") from error
    if len(rows) != size_bytes or unpacking.unconsumed_tail or not unpacking.eof or unpacking.unused_data:
        raise _unusable("not as many pixels as it says")
    return rows


def _unusable(reason: str) -> InvalidInput:
    return SignatureUnusable(reason=reason)
