import csv
from io import StringIO

import pytest

from portal.inventory import sheets
from portal.inventory.errors import BadSheet
from portal.inventory.models import Device
from portal.releases.models import Product

HEAD = "product,serial,site,installed_version\n"


def device(**facts):
    given = {"serial": "SN-1", "name": "", "installed_version": None, **facts}
    return Device(product=Product(code="core"), **given)


def table(row):
    return "".join(sheets.written([sheets.COLUMNS, sheets.cells_of(row)]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", sheets.NO_HEAD),
        (b"\n\n", sheets.NO_HEAD),
        (b"serial,name\n", sheets.NO_HEAD),
        (b"\x89PNG\r\n\x1a\n", sheets.NOT_TEXT),
        ("товар".encode("cp1251"), sheets.NOT_TEXT),
        (b"\xff\xfe\x00", sheets.NOT_TEXT),
        ((HEAD + "core,S\0N\n").encode(), sheets.HOLDS_NUL),
        ((HEAD.replace("site", "place")).encode(), sheets.UNKNOWN_COLUMN),
        ((HEAD.replace("site", "serial")).encode(), sheets.UNKNOWN_COLUMN),
        (HEAD.encode(), sheets.EMPTY),
        ((HEAD + "core,SN-1\n" * 5001).encode(), sheets.TOO_LONG),
        ((HEAD + 'core,"SN-1\ncore,SN-2\n').encode(), sheets.NOT_CSV),
        ((HEAD + 'core,"SN"-1\n').encode(), sheets.NOT_CSV),
        ((HEAD + f'core,"{"x" * 200_000}"\n').encode(), sheets.NOT_CSV),
        (b"[" * 1_000_000, sheets.NOT_CSV),
        (b"[" * 1_100_000, sheets.TOO_LONG),
    ],
)  # fmt: skip
def test_what_is_no_table(content, reason):
    with pytest.raises(BadSheet) as caught:
        sheets.read(content)
    assert caught.value.facts["reason"] == reason
    assert "%(" not in caught.value.sentence_in(str)


def test_what_spreadsheets_write():
    for text in (HEAD + "core,SN-1,Hall,4.9\n", "\ufeff" + HEAD.replace(",", ";") + "core;SN-1;Hall;4.9\r\n",
                 "sep=;\n" + HEAD.replace(",", ";") + 'core;="SN-1";Hall;4.9\n',
                 HEAD.replace(",", "\t") + "core\tSN-1\tHall\t4.9\n",
                 " Product ,SERIAL,site,installed_version\n\n" + "core,SN-1,Hall,4.9,,,\n"):  # fmt: skip
        (line,) = sheets.read(text.encode())
        assert (line.product, line.serial, line.site, line.installed_version) == ("core", "SN-1", "Hall", "4.9")
    assert [line.number for line in sheets.read((HEAD + "core,a\n\ncore,b\n").encode())] == [2, 4]
    assert sheets.read((HEAD + "core,SN-1,Hall,4.9\n").encode("utf-16"))[0].serial == "SN-1"
    (line,) = sheets.read(b"serial,product,recommended\nSN-1,core,5.0\n")
    assert (line.product, line.serial, line.site, line.extra) == ("core", "SN-1", None, 0)
    assert sheets.read((HEAD + "core,SN-1,Hall,4.9,x\n").encode())[0].extra == 5


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "＝1+1", "=cmd|' /C calc'!A0", "'=1"]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("field", ["serial", "name", "installed_version"])
def test_no_cell_begins_as_a_formula(field, text):
    written = table(device(**{field: text}))
    row = list(csv.reader(StringIO(written, newline="")))[1]
    assert [cell for cell in row if cell.lstrip(" \u00a0\t\r")[:1] in "=+-@＝" and cell] == []
    assert f"'{text}" in row


@pytest.mark.parametrize("text", ["a-b", "SN=1", "4.9", "O'Hara", "«Мост»", 'say "x", y', *FORMULAS])
def test_what_is_written_is_read_as_it_was(text):
    (line,) = sheets.read(table(device(name=text)).encode())
    assert line.name == text
