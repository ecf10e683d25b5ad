"""Contracts from tables: what spreadsheets do to them, and every bad line told with its column."""

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from portal.actors import PORTAL_COMMAND
from portal.entitlements import cli
from portal.entitlements.importing import import_contracts
from portal.entitlements.models import Contract, ContractLine
from portal.entitlements.sheet import MAX_SHEET_BYTES, NEEDED
from portal.releases.models import ALL_LEVELS, Level, ProductFamily
from tests.factories import make_organisation, make_product
from tests.portals import START

HEAD = "contract,customer,programme,starts_on,ends_on,time_zone,product,levels,devices,back_catalogue"


@pytest.fixture
def names(sessions):
    with sessions.begin() as session:
        customer = make_organisation(session, time_zone="Asia/Yekaterinburg")
        products = [make_product(session), make_product(session)]
        session.add(ProductFamily(name="Access nodes"))
        return customer.code, *(product.code for product in products)


def run(sessions, content, *, keep_going=False):
    content = content.encode() if isinstance(content, str) else content
    with sessions.begin() as session:
        return import_contracts(session, content, keep_going=keep_going, by=PORTAL_COMMAND, at=START)


def told(report):
    return [(problem.line, problem.column, problem.error.code) for problem in report.problems]


def count(sessions):
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(Contract))


def row(names, number="A-1", **cells):
    customer, product, _ = names
    given = {"contract": number, "customer": customer, "programme": "", "starts_on": "2026-01-01",
             "ends_on": "2026-12-31", "time_zone": "UTC", "product": product, "levels": "all", "devices": "",
             "back_catalogue": "", **cells}  # fmt: skip
    return ",".join(given.values())


def table(*rows):
    return "\n".join([HEAD, *rows]) + "\n"


def test_all_is_taken_as_it_is_written(sessions, names):
    _, _, second = names
    report = run(
        sessions,
        table(
            row(names, programme="Expert", devices="40", back_catalogue="no", levels="patch hotfix"),
            row(names, product=second, programme="Expert", time_zone="UTC"),
            row(names, "A-2", product="Access nodes", time_zone=""),
        ),
    )
    assert told(report) == []
    assert report.imported == ["A-1", "A-2"]
    with sessions() as session:
        one, two = session.scalars(select(Contract).order_by(Contract.number))
        assert (one.programme, one.time_zone, two.programme, two.time_zone) == (
            "Expert", "UTC", "Expert 24X7", "Asia/Yekaterinburg",
        )  # fmt: skip
        lines = session.scalars(select(ContractLine).where(ContractLine.contract_id == one.id)).all()
        facts = {(line.levels, line.devices, line.has_back_catalogue) for line in lines}
        assert facts == {(Level.PATCH | Level.HOTFIX, 40, False), (ALL_LEVELS, None, True)}
        family = session.scalars(select(ContractLine).where(ContractLine.contract_id == two.id)).one()
        assert family.family_id is not None
        assert family.product_id is None


def semicolons(text):
    return text.replace(",", ";").encode()


SPREADSHEETS = {
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "semicolons": semicolons,
    "tabs in UTF-16, as Unicode text": lambda text: text.replace(",", "\t").encode("utf-16"),
    "sep= in front": lambda text: b"sep=;\r\n" + semicolons(text),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "quoted": lambda text: "\n".join(",".join(f'"{c}"' for c in r.split(",")) for r in text.splitlines()).encode(),
    "empty lines and columns at the end": lambda text: text.replace("\n", ",,,\n").encode() + b",,,,,,,,,,,,\n\n",
    "numbers kept by a formula": lambda text: text.replace("A-1,", '"=""A-1""",').encode(),
    "dates with dots": lambda text: text.replace("2026-12-31", "31.12.2026").encode(),
    "no line end at the end": lambda text: text.rstrip("\n").encode(),
    "capitals and spaces in the head": lambda text: text.replace("starts_on", " Starts on ").encode(),
    "no-break spaces": lambda text: text.replace("A-1,", "\xa0A-1\xa0,").encode(),
}


@pytest.mark.parametrize("way", SPREADSHEETS)
def test_what_spreadsheets_make_of_it_is_understood(sessions, names, way):
    report = run(sessions, SPREADSHEETS[way](table(row(names))))
    assert told(report) == []
    assert report.imported == ["A-1"]


BAD_CELLS = [
    ("contract", "", "text-missing"),
    ("contract", "1" * 61, "text-too-long"),
    ("contract", "A\x07", "text-unkeepable"),
    ("customer", "NOBODY", "unknown-customer"),
    ("customer", "", "unknown-customer"),
    ("programme", "p" * 101, "text-too-long"),
    ("programme", "p" * 1001, "cell-too-long"),
    ("starts_on", "", "not-a-day"),
    ("starts_on", "03/31/2026", "not-a-day"),
    ("starts_on", "46112", "not-a-day"),
    ("starts_on", "2026-02-30", "not-a-day"),
    ("starts_on", "0001-01-01", "not-a-day"),
    ("ends_on", "9999-12-31", "not-a-day"),
    ("ends_on", "2025-12-31", "ends-before-it-starts"),
    ("time_zone", "Moscow", "not-a-time-zone"),
    ("time_zone", "/etc/localtime", "not-a-time-zone"),
    ("product", "NOTHING", "unknown-product"),
    ("product", "", "unknown-product"),
    ("levels", "", "not-levels"),
    ("levels", "all patch", "not-levels"),
    ("levels", "huge", "not-levels"),
    ("devices", "-1", "not-a-device-count"),
    ("devices", "0", "not-a-device-count"),
    ("devices", "1.5", "not-a-device-count"),
    ("devices", "9" * 400, "not-a-device-count"),
    ("devices", "٣", "not-a-device-count"),
    ("back_catalogue", "perhaps", "not-yes-or-no"),
]


@pytest.mark.parametrize(("column", "cell", "code"), BAD_CELLS)
def test_a_bad_cell_is_told_and_nothing_is_imported(sessions, names, column, cell, code):
    report = run(sessions, table(row(names, "GOOD"), row(names, **{column: cell})))
    assert (3, column, code) in told(report)
    assert {line for line, _, _ in told(report)} == {3}
    assert report.imported == []
    assert count(sessions) == 0


def test_every_bad_line_is_told_at_once_by_its_line_in_the_file(sessions, names):
    broken = '"A-2\nwith a line end in it"' + row(names).removeprefix("A-1")
    report = run(
        sessions,
        table(
            row(names, "A-1", customer="NOBODY", levels="huge"),
            "",
            broken,
            row(names, "A-3", ends_on="2020-01-01"),
            row(names, "A-4") + ",one,two",
        ),
    )
    assert told(report) == [
        (2, "customer", "unknown-customer"),
        (2, "levels", "not-levels"),
        (6, "ends_on", "ends-before-it-starts"),
        (7, "", "too-many-cells"),
    ]


def test_lines_of_one_contract_agree_and_name_each_product_once(sessions, names):
    _, _, second = names
    report = run(
        sessions,
        table(row(names), row(names), row(names, product=second, ends_on="2027-12-31", time_zone="Europe/Berlin")),
    )
    assert told(report) == [
        (3, "product", "line-repeated"),
        (4, "ends_on", "differs-from-first-line"),
        (4, "time_zone", "differs-from-first-line"),
    ]
    assert "“2026-12-31”" in str(report.problems[1].error)


def test_a_contract_that_is_there_already_is_told(sessions, names):
    run(sessions, table(row(names)))
    assert told(run(sessions, table(row(names)))) == [(2, "contract", "contract-number-taken")]
    assert count(sessions) == 1


def test_keep_going_takes_the_contracts_that_are_good_as_a_whole(sessions, names):
    _, _, second = names
    report = run(
        sessions,
        table(
            row(names, "HALF"), row(names, "HALF", product="NOTHING"), row(names, "GOOD"), row(names, "WIDE") + ",x",
            row(names, "WIDE", product=second), row(names, "", product=second),
        ),
        keep_going=True,
    )  # fmt: skip
    assert report.imported == ["GOOD"]
    assert told(report) == [
        (3, "product", "unknown-product"), (5, "", "too-many-cells"), (7, "contract", "text-missing"),
    ]  # fmt: skip
    assert count(sessions) == 1


UNREADABLE = {
    "wrong encoding": (table("Договор").encode("cp1251"), [(2, "", "sheet-not-text")]),
    "cut UTF-16": (table("A").encode("utf-16")[:-1], [(1, "", "sheet-not-text")]),
    "NUL": (table("A", "B\0").encode(), [(3, "", "sheet-holds-nul")]),
    "an open quote": (table('"A', "B").encode(), [(2, "", "sheet-not-a-table")]),
    "a cell without end": (table("A" * 200_000).encode(), [(2, "", "sheet-not-a-table")]),
    "too large": (b"A" * (MAX_SHEET_BYTES + 1), [(1, "", "sheet-too-long")]),
    "too many lines": (table(*["A"] * 20_001).encode(), [(20_002, "", "sheet-too-long")]),
    "nothing": (b"", [(1, column, "column-missing") for column in NEEDED]),
    "only a head": (table().encode(), [(1, "", "sheet-empty")]),
    "another table": (
        b"contract,customer,starts_on,ends_on,product,price,price\nA",
        [(1, "levels", "column-missing"), (1, "price", "column-unknown"), (1, "price", "column-unknown")],
    ),
    "a column twice": (
        b"contract,customer,starts_on,ends_on,product,levels,levels\nA", [(1, "levels", "column-twice")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREADABLE)
@pytest.mark.parametrize("keep_going", [False, True])
def test_what_is_no_such_table_is_told(sessions, what, keep_going):
    content, expected = UNREADABLE[what]
    report = run(sessions, content, keep_going=keep_going)
    assert told(report) == expected
    assert report.imported == []


def test_the_command(portal, names, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "open_for_command", lambda: portal.resources)
    run_command = lambda *words: CliRunner().invoke(cli.entitlements, ["import", *words])  # noqa: E731
    file = tmp_path / "contracts.csv"
    file.write_text(table(row(names, "GOOD"), row(names, "BAD", levels="huge")))
    answer = run_command(str(file))
    assert answer.exit_code == 1
    assert "line 3, levels: “huge” names no levels" in answer.output
    assert "0 contracts imported, 1 problems" in answer.output
    answer = run_command(str(file), "--keep-going")
    assert answer.exit_code == 1
    assert "1 contracts imported" in answer.output
    assert count(portal.sessions) == 1
    file.write_text(table(row(names, "NEXT")))
    assert run_command(str(file)).exit_code == 0
