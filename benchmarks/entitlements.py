"""How fast the portal decides, beside raw SQL that fetches the same facts; how fast it lists the newest 50.

A vendor of the largest size that the portal promises: 100,000 customers, 150,000 contracts, 1,000,000 lines, 2,000
products, 50,000 releases, on SQLite and on PostgreSQL. `python -m benchmarks.entitlements` builds both (a minute or
two; kept in the folder that PORTAL_TEST_BENCHMARKS names) and prints the rows.
"""

import gc
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from uuid import UUID

from sqlalchemy import Table, insert, inspect
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from benchmarks.rows import Row, interleaved, seconds
from portal import migrations
from portal.accounts.models import EndUse, Organisation
from portal.db import connect, reading
from portal.entitlements.facts import statement_of
from portal.entitlements.models import Contract, ContractLine, ContractState, Grant, ReceivedRelease, day_begins
from portal.entitlements.queries import newest_takeable
from portal.entitlements.rules import decide
from portal.inventory.models import Device, HowKnown
from portal.permissions import OrganisationKind
from portal.releases.models import (
    ALL_LEVELS,
    Category,
    ExportRule,
    Level,
    Product,
    ProductFamily,
    Release,
    ReleaseAudience,
    ReleaseState,
)
from portal.releases.versions import Scheme
from tests.servers.postgres import postgres

CUSTOMERS, CONTRACTS, LINES, PRODUCTS, RELEASES = 100_000, 150_000, 1_000_000, 2_000, 50_000
FAMILIES = 100
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST = date(2016, 1, 1)
DAYS = 365 * 11
LARGE = UUID(int=1)
BATCH = 10_000
ROUNDS = 300


def ids(kind: int, count: int) -> list[UUID]:
    return [
        UUID(int=(kind << 96) | random.Random(kind * 1_000_003 + n).getrandbits(64) << 24 | n) for n in range(count)
    ]


def fill(engine: Engine) -> None:
    """All rows, drawn from one number: both databases hold the same."""
    draw = random.Random(2026)
    products, customers = ids(1, PRODUCTS), [LARGE, *ids(2, CUSTOMERS - 1)]
    families, releases, contracts = ids(3, FAMILIES), ids(4, RELEASES), ids(5, CONTRACTS)
    put(engine, ProductFamily, ({"id": f, "name": f"Family {n}"} for n, f in enumerate(families)))
    put(engine, Product, (product_row(p, n, families) for n, p in enumerate(products)))
    put(engine, Organisation, (customer_row(c, n) for n, c in enumerate(customers)))
    put(engine, Release, (release_row(r, n, products, draw) for n, r in enumerate(releases)))
    owners = [LARGE] * 3 + [draw.choice(customers[1:]) for _ in range(CONTRACTS - 3)]
    put(engine, Contract, (contract_row(c, n, owners[n], draw) for n, c in enumerate(contracts)))
    put(engine, ContractLine, line_rows(contracts, products, families, draw))
    put(engine, Device, (device_row(n, draw.choice(customers), draw.choice(products)) for n in range(200_000)))
    put(engine, Grant, (grant_row(n, draw.choice(customers), draw.choice(releases)) for n in range(5_000)))
    received = {(draw.choice(customers), draw.choice(releases)) for _ in range(200_000)}
    put(engine, ReceivedRelease, ({"organisation_id": c, "release_id": r, "first_at": AT} for c, r in sorted(received)))
    named = {(draw.choice(releases), draw.choice(customers)) for _ in range(20_000)}
    put(engine, ReleaseAudience, ({"release_id": r, "organisation_id": c, "opens_at": AT} for r, c in sorted(named)))
    put(
        engine,
        ExportRule,
        (
            {
                "id": UUID(int=9 << 96 | n),
                "product_id": draw.choice(products),
                "country": "AQ",
                "end_use": None,
                "clause": "rule",
            }
            for n in range(300)
        ),
    )


def put(engine: Engine, model: type, rows: Iterator[dict]) -> None:
    batch: list[dict] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            put_batch(engine, model, batch)
            batch = []
    if batch:
        put_batch(engine, model, batch)


def put_batch(engine: Engine, model: type, batch: list[dict]) -> None:
    table = inspect(model).local_table
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(insert(table), batch)
        else:
            copy(connection, table, batch)


def copy(connection: Connection, table: Table, batch: list[dict]) -> None:
    columns = [table.c[name] for name in batch[0]]
    process = [column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for column in columns]
    cursor = connection.connection.cursor()
    names = ", ".join(column.name for column in columns)
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as out:
        for row in batch:
            out.write_row([p(v) if p else v for p, v in zip(process, row.values(), strict=True)])


def product_row(product: UUID, n: int, families: list[UUID]) -> dict:
    return {
        "id": product,
        "code": f"P-{n}",
        "name": f"Product {n}",
        "category": Category.FIRMWARE,
        "scheme": Scheme.SEMANTIC,
        "family_id": families[n % FAMILIES] if n % 2 else None,
        "is_listed": True,
        "description": "",
        "release_counter": 25,
        "created_at": AT,
    }


def customer_row(customer: UUID, n: int) -> dict:
    return {
        "id": customer,
        "kind": OrganisationKind.CUSTOMER,
        "code": f"C-{n}",
        "name": f"Customer {n}",
        "country": "DE",
        "end_use": EndUse.CIVIL,
        "time_zone": "UTC",
        "language": "en",
        "created_at": AT,
    }


def release_row(release: UUID, n: int, products: list[UUID], draw: random.Random) -> dict:
    published = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(seconds=draw.randrange(0, 10 * 365 * 86_400))
    state = ReleaseState.WITHDRAWN if draw.random() < 0.03 else ReleaseState.PUBLISHED
    number = n // PRODUCTS
    return {
        "id": release,
        "product_id": products[n % PRODUCTS],
        "version": f"1.{number}",
        "version_key": f"{number:04}",
        "level": draw.choice(list(Level)),
        "state": state,
        "published_at": published,
        "open_from": None if draw.random() < 0.02 else published,
        "counter": number,
        "is_required": False,
        "is_security_fix": False,
        "is_free_security_fix": draw.random() < 0.02,
        "created_at": published,
    }


def contract_row(contract: UUID, n: int, owner: UUID, draw: random.Random) -> dict:
    starts_on = FIRST + timedelta(days=draw.randrange(DAYS))
    ends_on = starts_on + timedelta(days=draw.choice([365, 730, 1095]))
    if owner == LARGE:
        starts_on, ends_on = date(2016 + 4 * n, 1, 1), date(2020 + 4 * n, 12, 31)
    held = owner != LARGE and draw.random() < 0.02
    return {
        "id": contract,
        "organisation_id": owner,
        "number": f"17-{n}",
        "programme": "Expert 24X7",
        "starts_on": starts_on,
        "ends_on": ends_on,
        "time_zone": "UTC",
        "starts_at": day_begins(starts_on, "UTC"),
        "ends_at": day_begins(ends_on + timedelta(days=1), "UTC"),
        "created_at": AT,
        "state": ContractState.ON_HOLD if held else ContractState.ACTIVE,
    }


def line_rows(contracts: list[UUID], products: list[UUID], families: list[UUID], draw: random.Random) -> Iterator[dict]:
    """The first three contracts cover every product; the others share what is left of the million."""
    number = 0
    for contract in contracts[:3]:
        for product in products:
            yield line_row(number := number + 1, contract, product, None)
    left = LINES - number
    for n in range(left):
        contract = contracts[3 + n % (CONTRACTS - 3)]
        if draw.random() < 0.02:
            yield line_row(number := number + 1, contract, None, draw.choice(families))
        else:
            yield line_row(number := number + 1, contract, draw.choice(products), None)


def line_row(n: int, contract: UUID, product: UUID | None, family: UUID | None) -> dict:
    return {
        "id": UUID(int=6 << 96 | n),
        "contract_id": contract,
        "product_id": product,
        "family_id": family,
        "levels": ALL_LEVELS if n % 3 else Level.PATCH | Level.HOTFIX,
        "has_back_catalogue": n % 5 != 0,
    }


def device_row(n: int, customer: UUID, product: UUID) -> dict:
    return {
        "id": UUID(int=7 << 96 | n),
        "organisation_id": customer,
        "product_id": product,
        "serial": f"S{n}",
        "name": "",
        "since": AT,
        "how_known": HowKnown.REPORTED,
    }


def grant_row(n: int, customer: UUID, release: UUID) -> dict:
    return {
        "id": UUID(int=8 << 96 | n),
        "organisation_id": customer,
        "release_id": release,
        "reason": "trial",
        "until": AT + timedelta(days=30),
        "created_at": AT,
    }


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, Engine]]:
    """Both databases, built where they are missing."""
    with ExitStack() as stack:
        engines = {
            "SQLite": connect(f"sqlite:///{folder}/entitlements.sqlite"),
            "PostgreSQL": connect(stack.enter_context(postgres(folder / "postgres"))),
        }
        for name, engine in engines.items():
            stack.callback(engine.dispose)
            if not inspect(engine).has_table("contract_lines"):
                print(f"building {name} …", flush=True)
                migrations.upgrade(engine)
                fill(engine)
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT", sqlite_begin="DEFERRED") as c:
                    c.exec_driver_sql("ANALYZE")
        yield engines


def milliseconds(span: float) -> str:
    return f"{span * 1000:.3f} ms"


def measure_decide(name: str, engine: Engine) -> list[Row]:
    draw = random.Random(7)
    with Session(engine) as session:
        reading(session)
        releases = session.query(Release).filter(Release.state == ReleaseState.PUBLISHED).limit(ROUNDS).all()
        customers = ordinary_customers(session, draw, ROUNDS)
        rows = []
        for kind, who in (("an ordinary customer", customers), ("a customer with every product", [LARGE] * ROUNDS)):
            asked = list(zip(who, releases, strict=True))
            medians = warm(
                3 * ROUNDS,
                {
                    "ours": timed(lambda c, r: decide(session, organisation_id=c, release=r, at=AT), asked),
                    "raw": timed(raw_facts(session), asked),
                },
            )
            rows.append(
                Row(
                    f"decide, {kind}, {name}",
                    milliseconds(medians["ours"]),
                    f"raw SQL {milliseconds(medians['raw'])}",
                    f"{medians['ours'] / medians['raw']:.2f}",
                    "under 1 ms, ratio under 2",
                )
            )
        return rows


def timed(act: Callable[[UUID, Release], object], asked: list[tuple[UUID, Release]]) -> Callable[[], float]:
    """Seconds of the act on the next pair, round and round."""
    turn = cycle(asked)

    def once() -> float:
        customer, release = next(turn)
        return seconds(lambda: act(customer, release))

    return once


def warm(rounds: int, ways: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Medians of interleaved rounds after one walk through all arguments, without the collector's pauses."""
    interleaved(ROUNDS, ways)
    gc.collect()
    gc.disable()
    try:
        return interleaved(rounds, ways)
    finally:
        gc.enable()


def raw_facts(session: Session) -> Callable[[UUID, Release], object]:
    """The same facts as one would write it by hand for the driver: the text of the statement, ids and instants turned
    into what the driver takes, and the instants of the answer turned back, because the reasons need them."""
    dialect = session.get_bind().dialect
    compiled = statement_of().compile(dialect=dialect)
    text, order, cursor = str(compiled), compiled.positiontup, session.connection().connection.cursor()
    dates = [
        place for place, column in enumerate(statement_of().selected_columns) if column.type.python_type is datetime
    ]

    def on_sqlite(customer: UUID, release: Release) -> list[list]:
        given = {
            "organisation": customer.hex,
            "release": release.id.hex,
            "product": release.product_id.hex,
            "at": AT.replace(tzinfo=None).isoformat(" ", "microseconds"),
            "state_1": "on-hold",
        }
        rows = [list(row) for row in cursor.execute(text, [given[name] for name in order]).fetchall()]
        for row in rows:
            for place in dates:
                if row[place] is not None:
                    row[place] = datetime.fromisoformat(row[place]).replace(tzinfo=UTC)
        return rows

    def on_postgresql(customer: UUID, release: Release) -> list:
        given = {
            "organisation": customer,
            "release": release.id,
            "product": release.product_id,
            "at": AT,
            "state_1": "on-hold",
        }
        return cursor.execute(text, given).fetchall()

    return on_sqlite if dialect.name == "sqlite" else on_postgresql


def ordinary_customers(session: Session, draw: random.Random, count: int) -> list[UUID]:
    found = session.query(Contract.organisation_id).filter(Contract.organisation_id != LARGE).limit(20_000).all()
    return [row[0] for row in draw.sample(found, count)]


def measure_newest(name: str, engine: Engine) -> list[Row]:
    draw = random.Random(11)
    rows = []
    with Session(engine) as session:
        reading(session)
        customers = ordinary_customers(session, draw, 100)
        for kind, who in (("an ordinary customer", customers), ("a customer with every product", [LARGE])):
            turn = cycle(who)

            def newest(turn: Iterator[UUID] = turn) -> float:
                customer = next(turn)
                session.expunge_all()
                return seconds(lambda: newest_takeable(session, customer, AT))

            span = warm(ROUNDS, {"ours": newest})["ours"]
            rows.append(Row(f"newest 50, {kind}, {name}", milliseconds(span), "", "", "under 5 ms"))
    return rows


def run() -> list[Row]:
    kept = os.environ.get("PORTAL_TEST_BENCHMARKS")
    with ExitStack() as stack:
        folder = Path(kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-benchmarks-")))
        folder.mkdir(parents=True, exist_ok=True)
        engines = stack.enter_context(databases(folder))
        return [
            row
            for name, engine in engines.items()
            for row in (*measure_decide(name, engine), *measure_newest(name, engine))
        ]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:55} {row.measured:>12} {row.against:>22} {row.ratio:>6}   {row.aim}")
