"""Devices as a table in a file (CSV, RFC 4180): read strictly, written so that no spreadsheet runs what it opens."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO

from portal.errors import mark
from portal.inventory.errors import BadSheet
from portal.inventory.models import Device

COLUMNS = ("product", "serial", "site", "installed_version")
MAX_SHEET_BYTES = 1 << 20
MAX_ROWS = 5_000

NOT_TEXT = mark("it is not text in UTF-8.")
TOO_LONG = mark("it has more than %(limit)s lines.")
NO_HEAD = mark("its first line must name the columns: %(columns)s.")
EMPTY = mark("no line follows the first one.")
NOT_CSV = mark("line %(line)s is broken: its quotes do not match, or a cell is far too long.")

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class Line:
    """One device as it stands in the file; `number` is the line's, the first being 1."""

    number: int
    product: str
    serial: str
    site: str
    installed_version: str


def read(content: bytes) -> list[Line]:
    """The lines of a file of ours or of a spreadsheet's. Raises BadSheet when it is no such table at all."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSheet(reason=NOT_TEXT) from error
    head, _, _ = text.partition("\n")
    reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadSheet(reason=NOT_CSV, line=reader.line_num) from error
    if not rows or tuple(cell.strip().lower() for cell in rows[0][1]) != COLUMNS:
        raise BadSheet(reason=NO_HEAD, columns=", ".join(COLUMNS))
    if len(rows) == 1:
        raise BadSheet(reason=EMPTY)
    if len(rows) > MAX_ROWS + 1:
        raise BadSheet(reason=TOO_LONG, limit=MAX_ROWS)
    width = len(COLUMNS)
    return [Line(number, *(_plain(cell) for cell in [*row, *[""] * width][:width])) for number, row in rows[1:]]


def written(devices: Iterable[Device]) -> Iterator[str]:
    """The same table, line by line. A cell that a spreadsheet would run as a formula begins with an apostrophe."""
    yield _line(COLUMNS)
    for device in devices:
        yield _line((device.product.code, device.serial, device.site, device.installed_version or ""))


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow([_neutral(cell) for cell in cells])
    return line.getvalue()


def _neutral(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith((*_FORMULA_SIGNS, "'")) else cell


def _plain(cell: str) -> str:
    """What was neutralised comes back as it was."""
    return cell[1:] if cell.startswith("'") and _neutral(cell[1:]) != cell[1:] else cell
