"""Signatures and codes as drawings that a paper can carry, and nothing else: no text, no links, no fonts, no bombs."""

import re
import struct

from portal.documents.errors import PictureUnusable
from portal.documents.paper import Exact

MAX_PICTURE_BYTES = 512 * 1024
MAX_PICTURE_PIXELS = 4_000
"""A side of a PNG; its 16 million pixels are 64 MB while it is drawn."""

_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">4sII")
_TAG = re.compile(r"</?\s*([^\s/>]*)")
_STROKES = {"svg", "g", "path", "polyline", "polygon", "line", "circle", "ellipse", "rect", "title", "?xml"}
_TOO_MUCH = ("<!", "href", "url(", "&", "style")


def drawable(picture: bytes) -> dict[str, object]:
    """The picture as a template's fact. Raises PictureUnusable for all but a PNG and an SVG of plain strokes."""
    if len(picture) > MAX_PICTURE_BYTES:
        raise PictureUnusable("too large")
    if picture.startswith(_PNG):
        return {"format": "png", "data": list(_checked_png(picture))}
    return {"format": "svg", "data": Exact(_checked_svg(picture))}


def _checked_png(picture: bytes) -> bytes:
    header = picture[len(_PNG) + 4 :][: _IHDR.size]
    if len(header) < _IHDR.size:
        raise PictureUnusable("cut short")
    name, width, height = _IHDR.unpack(header)
    if name != b"IHDR" or not (0 < width <= MAX_PICTURE_PIXELS and 0 < height <= MAX_PICTURE_PIXELS):
        raise PictureUnusable("no pixels, or too many")
    return picture


def _checked_svg(picture: bytes) -> str:
    try:
        text = picture.decode().strip()
    except UnicodeDecodeError as error:
        raise PictureUnusable("neither PNG nor SVG") from error
    if "<svg" not in text[:200] or set(_TAG.findall(text)) - _STROKES:
        raise PictureUnusable("not a drawing of plain strokes")
    if any(part in text for part in _TOO_MUCH):
        raise PictureUnusable("more than plain strokes")
    return text
