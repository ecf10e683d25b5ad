"""A table of contracts as a file (CSV, RFC 4180, and what spreadsheets make of it): lines with their numbers.

Understood: UTF-8 with or without a byte order mark, UTF-16 with one ("Unicode text"), commas, semicolons or tabs, any
line ends, a first line `sep=;`, empty lines and columns at the end, `="17-204"`. Anything else is said, not guessed.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from portal.errors import InvalidInput, PortalError, mark

COLUMNS = (
    "contract", "customer", "programme", "starts_on", "ends_on", "time_zone", "product", "levels", "devices",
    "back_catalogue",
)  # fmt: skip
NEEDED = ("contract", "customer", "starts_on", "ends_on", "product", "levels")
MAX_SHEET_BYTES = 1 << 20
MAX_LINES = 20_000
CELL_CHARS = 1_000
DELIMITERS = (",", ";", "\t")

_FORMULA = re.compile(r'="(.*)"', re.DOTALL)


class NotText(InvalidInput):
    code = "sheet-not-text"
    sentence = mark("The file is not text in UTF-8: save it as “CSV UTF-8”.")


class HoldsNul(InvalidInput):
    code = "sheet-holds-nul"
    sentence = mark("The file holds a NUL character: it is no table, or it is damaged.")


class NotATable(InvalidInput):
    code = "sheet-not-a-table"
    sentence = mark("The quotes do not match from this line on; the rest of the file can't be read.")


class SheetTooLong(InvalidInput):
    code = "sheet-too-long"
    sentence = mark("The file is too long: at most %(lines)s lines and %(bytes)s bytes are read at once.")


class SheetEmpty(InvalidInput):
    code = "sheet-empty"
    sentence = mark("No line follows the names of the columns.")


class ColumnMissing(InvalidInput):
    code = "column-missing"
    sentence = mark("The first line does not name this column.")


class ColumnUnknown(InvalidInput):
    code = "column-unknown"
    sentence = mark("There is no column of this name; there are: %(columns)s.")


class ColumnTwice(InvalidInput):
    code = "column-twice"
    sentence = mark("The first line names this column twice.")


class TooManyCells(InvalidInput):
    code = "too-many-cells"
    sentence = mark("The line has %(cells)s cells, and there are %(columns)s columns.")


class CellTooLong(InvalidInput):
    code = "cell-too-long"
    sentence = mark("The cell has %(length)s characters; at most %(limit)s are possible.")


@dataclass(frozen=True)
class Problem:
    """Something wrong: `line` counts from 1, `column` is empty for a whole line."""

    line: int
    column: str
    error: PortalError


@dataclass(frozen=True)
class Line:
    """One line; `number` is that of its first physical line in the file, from 1."""

    number: int
    cells: dict[str, str]
    problems: tuple[Problem, ...] = ()

    def cell(self, column: str) -> str:
        return self.cells.get(column, "")


class Unreadable(Exception):
    """The file is no such table; `problems` says why. No line of it is to be trusted."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def read(content: bytes) -> list[Line]:
    """The lines below the first, those with too many or too long cells among them. Raises Unreadable."""
    text = _decoded(content)
    start = 0
    if re.match(r"sep=.\r?\n", text):
        start, text = 1, text.partition("\n")[2]
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    rows = _rows(text, delimiter, start)
    number, head = next(rows, (1, []))
    names = _names(number, head)
    lines = [_line(number, names, row) for number, row in rows if any(cell.strip() for cell in row)]
    if not lines:
        raise Unreadable([Problem(number, "", SheetEmpty())])
    if len(lines) > MAX_LINES:
        raise Unreadable([Problem(lines[MAX_LINES].number, "", _too_long())])
    return lines


def _decoded(content: bytes) -> str:
    if len(content) > MAX_SHEET_BYTES:
        raise Unreadable([Problem(1, "", _too_long())])
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 if is_utf16 else content.count(b"\n", 0, error.start) + 1
        raise Unreadable([Problem(line, "", NotText())]) from error
    if "\0" in text:
        raise Unreadable([Problem(text.count("\n", 0, text.index("\0")) + 1, "", HoldsNul())])
    return text


def _rows(text: str, delimiter: str, start: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = start
    try:
        for row in reader:
            yield number + 1, row
            number = start + reader.line_num
    except csv.Error as error:
        raise Unreadable([Problem(number + 1, "", NotATable())]) from error


def _names(number: int, head: list[str]) -> list[str]:
    names = [_plain(cell).lower().replace(" ", "_") for cell in head]
    while names and not names[-1]:
        names.pop()
    problems = [Problem(number, name, ColumnMissing()) for name in NEEDED if name not in names]
    problems += [Problem(number, n, ColumnUnknown(columns=", ".join(COLUMNS))) for n in names if n not in COLUMNS]
    problems += [Problem(number, name, ColumnTwice()) for name in COLUMNS if names.count(name) > 1]
    if problems:
        raise Unreadable(problems)
    return names


def _line(number: int, names: list[str], row: list[str]) -> Line:
    cells = dict(zip(names, map(_plain, row), strict=False))
    problems = [
        Problem(number, name, CellTooLong(length=len(cell), limit=CELL_CHARS))
        for name, cell in cells.items()
        if len(cell) > CELL_CHARS
    ]
    if any(cell.strip() for cell in row[len(names) :]):
        problems.append(Problem(number, "", TooManyCells(cells=len(row), columns=len(names))))
    return Line(number, cells, tuple(problems))


def _plain(cell: str) -> str:
    """A cell without spaces around it, and without the formula by which spreadsheets are kept from making dates."""
    formula = _FORMULA.fullmatch(cell.strip())
    return (formula.group(1).replace('""', '"') if formula else cell).strip()


def _too_long() -> SheetTooLong:
    return SheetTooLong(lines=MAX_LINES, bytes=MAX_SHEET_BYTES)
