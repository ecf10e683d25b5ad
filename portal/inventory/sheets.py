"""Devices as a table in a file (CSV, RFC 4180): read strictly, written so that no spreadsheet runs what it opens.

Understood as the table of contracts is: UTF-8 with or without a byte order mark, UTF-16 with one, commas, semicolons
or tabs, any line ends, a first line `sep=;`, empty lines, empty columns at the end. A cell that begins with `=`, `+`,
`-` or `@` is a text like any other, and never a formula.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO

from portal.errors import mark
from portal.inventory.errors import BadSheet
from portal.inventory.models import Device
from portal.web.spreadsheets import STARTS_FORMULA, neutral

COLUMNS = ("product", "serial", "name", "site", "site_name", "installed_version")
NEEDED = ("product", "serial")
TOLD = ("customer", "since", "how_known", "recommended", "end_of_support")
"""Columns of the list as the portal writes it that a table may keep; they are not read."""
MAX_SHEET_BYTES = 1 << 20
MAX_ROWS = 5_000
DELIMITERS = (",", ";", "\t")

NOT_TEXT = mark("it is not text in UTF-8.")
TOO_LONG = mark("it has more than %(limit)s lines or %(bytes)s bytes.")
NO_HEAD = mark("its first line must name the columns, “product” and “serial” among them: %(columns)s.")
UNKNOWN_COLUMN = mark("there is no column “%(column)s”, or it is named twice; there are: %(columns)s.")
EMPTY = mark("no line follows the first one.")
NOT_CSV = mark("line %(line)s is broken: its quotes do not match, or a cell is far too long.")
HOLDS_NUL = mark("it holds a NUL character: it is no table, or it is damaged.")

_EXACT_TEXT = re.compile(r'="(.*)"', re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One device as it stands in the file; `number` is the line's, the first being 1.

    A column that the file does not have is None; `extra` counts cells beyond the columns.
    """

    number: int
    product: str
    serial: str
    name: str | None = None
    site: str | None = None
    site_name: str | None = None
    installed_version: str | None = None
    extra: int = 0


def read(content: bytes) -> list[Line]:
    """The lines of a file of ours or of a spreadsheet's. Raises BadSheet when it is no such table at all."""
    text = _decoded(content)
    skipped = 0
    if re.match(r"sep=.\r?\n", text):
        skipped, text = 1, text.partition("\n")[2]
    head = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(DELIMITERS, key=head.count), strict=True)
    rows: list[tuple[int, list[str]]] = []
    number = skipped
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((number + 1, row))
            number = skipped + reader.line_num
    except csv.Error as error:
        raise BadSheet(reason=NOT_CSV, line=number + 1) from error
    names = _names(rows[0][1] if rows else [])
    if len(rows) == 1:
        raise BadSheet(reason=EMPTY)
    if len(rows) > MAX_ROWS + 1:
        raise BadSheet(reason=TOO_LONG, limit=MAX_ROWS, bytes=MAX_SHEET_BYTES)
    return [_line(number, names, row) for number, row in rows[1:]]


def _decoded(content: bytes) -> str:
    if len(content) > MAX_SHEET_BYTES:
        raise BadSheet(reason=TOO_LONG, limit=MAX_ROWS, bytes=MAX_SHEET_BYTES)
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSheet(reason=NOT_TEXT) from error
    if "\0" in text:
        raise BadSheet(reason=HOLDS_NUL)
    return text


def _names(head: list[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in head]
    while names and not names[-1]:
        names.pop()
    columns = ", ".join(COLUMNS)
    if any(name not in names for name in NEEDED):
        raise BadSheet(reason=NO_HEAD, columns=columns)
    for name in names:
        if name not in (*COLUMNS, *TOLD) or names.count(name) > 1:
            raise BadSheet(reason=UNKNOWN_COLUMN, column=name[:60], columns=columns)
    return names


def _line(number: int, names: list[str], row: list[str]) -> Line:
    cells = dict.fromkeys(names, "") | dict(zip(names, (_plain(cell) for cell in row), strict=False))
    known = {name: cell for name, cell in cells.items() if name in COLUMNS}
    return Line(number, extra=len(row) if any(cell.strip() for cell in row[len(names) :]) else 0, **known)


def cells_of(device: Device) -> tuple[str, ...]:
    """What stands under COLUMNS."""
    site = (device.site.code, device.site.name) if device.site else ("", "")
    return (device.product.code, device.serial, device.name, *site, device.installed_version or "")


def written(lines: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table, line by line. A cell that a spreadsheet would run as a formula begins with an apostrophe."""
    return (_written(cells) for cells in lines)


def _written(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow([_neutral(cell) for cell in cells])
    return line.getvalue()


def _neutral(cell: str) -> str:
    """As `neutral`, and such that what is read again is what was written."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith((*STARTS_FORMULA, "'")) else neutral(cell)


def _plain(cell: str) -> str:
    """What was neutralised comes back as it was; `="007"`, by which spreadsheets keep zeros, is its text."""
    if cell.startswith("'") and _neutral(cell[1:]) != cell[1:]:
        return cell[1:]
    exact = _EXACT_TEXT.fullmatch(cell.strip())
    return exact.group(1).replace('""', '"') if exact else cell
