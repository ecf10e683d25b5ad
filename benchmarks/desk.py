"""How fast the desk answers with 10,000 open tickets and 1,000,000 closed, on PostgreSQL.

The engineers' board and the search of the list, as the pages ask them: every statement, and the clocks of what is
shown computed from the events; whole pages through the application; the jobs that keep watch. `python -m benchmarks
desk` builds the database (some minutes; kept in the folder that PORTAL_TEST_BENCHMARKS names, until the schema changes)
and prints the rows, each with how busy the machine was.
"""

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from os import cpu_count, getloadavg
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import func, inspect, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from benchmarks.entitlements import customer_row, milliseconds, product_row, put
from benchmarks.rows import Row, interleaved, seconds
from portal import migrations
from portal.accounts.models import Organisation, Person, PersonRole
from portal.accounts.passwords import hash_of
from portal.actors import Actor, Via
from portal.db import connect
from portal.entitlements.models import Contract, ContractLine, ContractState, day_begins
from portal.permissions import OrganisationKind, Role, permissions_of
from portal.releases.models import ALL_LEVELS, Product, ProductFamily
from portal.texts import folded
from portal.tickets import alarms, board, queries
from portal.tickets.models import (
    Ticket,
    TicketChannel,
    TicketEvent,
    TicketEventKind,
    TicketKind,
    TicketSeverity,
    TicketState,
)
from portal.tickets.queries import Wanted
from portal.web.paging import PER_PAGE
from tests.portals import PASSWORD, Portal, open_test_portal
from tests.servers.postgres import postgres

WHO = 3
OPEN, CLOSED, CUSTOMERS, PRODUCTS, ENGINEERS = 10_000, 1_000_000, 2_000, 20, 30
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
ROUNDS, ROUNDS_OF_JOBS = 40, 5
SPACE = UUID(int=2026)
NOUNS = ("link", "route", "card", "fan", "licence", "session", "queue", "port", "мост", "порт", "канал", "плата")
VERBS = ("flaps", "drops", "restarts", "is lost", "overheats", "hangs", "падает", "сбоит", "теряется")
PLACES = 5_000
OPEN_STATES = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING_FOR_CUSTOMER, TicketState.WAITING_FOR_RELEASE)
SHARES = (1, 5, 3, 1)


def uid(kind: str, n: int) -> UUID:
    return uuid5(SPACE, f"{kind}:{n}")


def fill(engine: Engine) -> None:
    """All rows, drawn from one number."""
    customers, products = [uid("customer", n) for n in range(CUSTOMERS)], [uid("product", n) for n in range(PRODUCTS)]
    families = [uid("family", 0)]
    put(engine, ProductFamily, ({"id": f, "name": f"Family {n}"} for n, f in enumerate(families)))
    put(engine, Product, (product_row(p, n, families * 100) for n, p in enumerate(products)))
    support = customer_row(uid("support", 0), CUSTOMERS) | {"kind": OrganisationKind.SUPPORT}
    put(engine, Organisation, iter([*(customer_row(c, n) for n, c in enumerate(customers)), support]))
    put(engine, Person, (engineer_row(n) for n in range(ENGINEERS)))
    put(engine, Contract, (contract_row(n, c) for n, c in enumerate(customers)))
    put(engine, ContractLine, (line_row(n, products) for n in range(CUSTOMERS)))
    numbers = range(1, OPEN + CLOSED + 1)
    plain = defaults(Ticket)
    put(engine, Ticket, (plain | ticket_row(n, customers, products) for n in numbers))
    plain_event = defaults(TicketEvent)
    put(engine, TicketEvent, (plain_event | row for n in numbers for row in event_rows(n)))


def defaults(model: type) -> dict:
    """What the model itself fills in where nothing is said."""
    columns = inspect(model).local_table.columns
    return {column.name: column.default.arg for column in columns if column.default and column.default.is_scalar}


def engineer_row(n: int) -> dict:
    return {"id": uid("engineer", n), "organisation_id": uid("support", 0), "email": f"e{n}@tsc.example",
            "name": f"Engineer {n}", "language": "en", "password_hash": "x", "session_epoch": 0,
            "created_at": AT}  # fmt: skip


def contract_row(n: int, customer: UUID) -> dict:
    first, last = date(2024, 1, 1), date(2027, 12, 31)
    return {"id": uid("contract", n), "organisation_id": customer, "number": f"17-{n}", "programme": "Expert 24X7",
            "starts_on": first, "ends_on": last, "time_zone": "UTC", "starts_at": day_begins(first, "UTC"),
            "ends_at": day_begins(last + timedelta(days=1), "UTC"), "created_at": AT,
            "state": ContractState.ACTIVE}  # fmt: skip


def line_row(n: int, products: list[UUID]) -> dict:
    return {"id": uid("line", n), "contract_id": uid("contract", n), "product_id": products[n % PRODUCTS],
            "levels": ALL_LEVELS, "has_back_catalogue": True}  # fmt: skip


def ticket_row(n: int, customers: list[UUID], products: list[UUID]) -> dict:
    """Every hundredth or so is open: the newest hold most of them, as they do in life, but not all."""
    draw = random.Random(n)
    state = state_of(n, draw)
    title = f"{draw.choice(NOUNS)} {draw.choice(VERBS)} at node {draw.randrange(PLACES)}".capitalize()
    is_open = state is not TicketState.CLOSED
    return {
        "id": uid("ticket", n),
        "number": n,
        "organisation_id": customers[draw.randrange(CUSTOMERS)],
        "kind": TicketKind.INCIDENT,
        "channel": draw.choice(list(TicketChannel)),
        "severity": draw.choice(list(TicketSeverity)),
        "state": state,
        "title": title,
        "search_text": folded(title),
        "product_id": products[draw.randrange(PRODUCTS)],
        "created_at": opened_at(n),
        "assigned_to": uid("engineer", draw.randrange(ENGINEERS)) if is_open and draw.random() < 0.6 else None,
    }


def state_of(n: int, draw: random.Random) -> TicketState:
    every = (OPEN + CLOSED) // OPEN
    return draw.choices(OPEN_STATES, SHARES)[0] if n % every == 0 and n // every <= OPEN else TicketState.CLOSED


def opened_at(n: int) -> datetime:
    """A year of tickets, one every half a minute."""
    return AT - timedelta(seconds=(OPEN + CLOSED - n) * 31 + 60)


def event_rows(n: int) -> Iterator[dict]:
    """An opening; for all but the new ones an answer and a change of state, a few more answers where it is open."""
    draw = random.Random(n)
    state = state_of(n, draw)
    at = opened_at(n)
    yield event_row(n, 1, TicketEventKind.OPENED, at, by_staff=False)
    if state is TicketState.NEW:
        return
    messages = 1 if state is TicketState.CLOSED else draw.randrange(1, 8)
    for number in range(messages):
        yield event_row(
            n, number + 2, TicketEventKind.MESSAGE, at + timedelta(minutes=11 * (number + 1)), by_staff=True
        )
    late = at + timedelta(minutes=12 * messages)
    yield event_row(n, messages + 2, TicketEventKind.STATE, late, by_staff=True) | {"detail": state.value}


def event_row(n: int, sequence: int, kind: TicketEventKind, at: datetime, *, by_staff: bool) -> dict:
    return {"id": uid("event", n * 16 + sequence), "ticket_id": uid("ticket", n), "sequence": sequence, "kind": kind,
            "at": at, "person_name": "Somebody", "by_staff": by_staff, "body": "What happens is told here. " * 4,
            "detail": "", "is_automatic": False}  # fmt: skip


def engineer() -> Actor:
    return Actor(Via.SESSION, "Engineer 3", uid("engineer", WHO), uid("support", 0), OrganisationKind.SUPPORT,
                 frozenset({Role.TSC_ENGINEER}), permissions_of([Role.TSC_ENGINEER]))  # fmt: skip


def customer() -> Actor:
    return Actor(Via.SESSION, "Customer", None, uid("customer", 7), OrganisationKind.CUSTOMER,
                 frozenset({Role.CUSTOMER_ENGINEER}), permissions_of([Role.CUSTOMER_ENGINEER]))  # fmt: skip


def asked_searches() -> dict[str, tuple[Wanted, Actor]]:
    return {
        "newest tickets": (Wanted(), engineer()),
        "search, a frequent word": (Wanted(text="link"), engineer()),
        "search, a rare text": (Wanted(text="сбоит at node 4711"), engineer()),
        "search, nothing found": (Wanted(text="no such thing"), engineer()),
        "search, a number": (Wanted(text="T-123456"), engineer()),
        "search, two letters": (Wanted(text="по"), engineer()),
        "search, two letters that nothing has": (Wanted(text="zq"), engineer()),
        "list, open ones": (Wanted(state=TicketState.OPEN), engineer()),
        "list, one customer": (Wanted(customer="Customer 1234"), engineer()),
        "list, one product, waiting": (Wanted(state=TicketState.WAITING_FOR_RELEASE, product_id=uid("product", 3)),
                                       engineer()),
        "a customer's own list": (Wanted(), customer()),
        "a customer's own search": (Wanted(text="4711"), customer()),
    }  # fmt: skip


def ways(engine: Engine) -> dict[str, Callable[[], float]]:
    def on_board() -> object:
        with Session(engine) as session:
            return board.board(session, visible_to=engineer(), at=AT)

    def listed(wanted: Wanted, by: Actor) -> object:
        with Session(engine) as session:
            return session.scalars(queries.tickets(wanted, visible_to=by).limit(PER_PAGE + 1)).unique().all()

    found: dict[str, Callable[[], float]] = {"the engineers' board": lambda: seconds(on_board)}
    for name, (wanted, by) in asked_searches().items():
        found[name] = lambda wanted=wanted, by=by: seconds(lambda: listed(wanted, by))
    return found


def pages(portal: Portal) -> dict[str, Callable[[], float]]:
    """The same through the application, whole answers for a signed-in engineer: guard, statements, template."""
    browser = portal.signed_in(f"e{WHO}@tsc.example")
    tag = browser.get("/desk/state").headers["ETag"]

    def asked(address: str, status: int = 200, **headers: str) -> float:
        def ask() -> None:
            answer = browser.get(address, headers=headers)
            if answer.status_code != status:
                raise RuntimeError(f"{address}: {answer.status_code}")

        return seconds(ask)

    return {
        "page of the board": lambda: asked("/desk"),
        "the board asked again after a change": lambda: asked("/desk/state"),
        "the board asked again, nothing changed": lambda: asked("/desk/state", 304, If_None_Match=tag),
        "page of the list": lambda: asked("/tickets"),
        "page of the list, a rare text": lambda: asked("/tickets?q=сбоит at node 4711"),
        "page of the list, two frequent words": lambda: asked("/tickets?q=канал теряется"),
        "page of a ticket": lambda: asked("/tickets/T-000101"),
    }


def jobs(portal: Portal) -> dict[str, Callable[[], float]]:
    """Going over what is kept of the clocks, every hour; looking for somebody to be warned, every minute."""
    resources = portal.resources
    return {
        f"going over {OPEN:,} open tickets (of {OPEN + CLOSED:,})": lambda: seconds(
            lambda: alarms.recount(resources, at=AT)
        ),
        "looking for alarms, none due": lambda: seconds(lambda: alarms.watch(resources, at=AT - timedelta(days=9999))),
    }


def made(name: str) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=f"{name}-")


def let_in(engine: Engine) -> None:
    """The engineer of these measurements can sign in."""
    with Session(engine) as session, session.begin():
        session.get_one(Person, uid("engineer", WHO)).password_hash = hash_of(PASSWORD)
        session.add(PersonRole(person_id=uid("engineer", WHO), role=Role.TSC_ENGINEER))


def build(engine: Engine, portal: Portal) -> None:
    print("building the desk …", flush=True)
    migrations.upgrade(engine)
    fill(engine)
    let_in(engine)
    analysed(engine)
    alarms.recount(portal.resources, at=AT)  # what the verbs would have kept beside each open ticket
    analysed(engine)


def analysed(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def written(span: float) -> str:
    return milliseconds(span) if span < 1 else f"{span:.1f} s"


def rows_of(rounds: int, ways: dict[str, Callable[[], float]], aim: str) -> list[Row]:
    """Medians, each beside the load of the machine meanwhile: how many processes wanted a core."""
    before = getloadavg()[0]
    medians = interleaved(rounds, ways)
    load = f"load {before:.1f} to {getloadavg()[0]:.1f} on {cpu_count()} cores"
    return [Row(f"{name}, PostgreSQL", written(span), load, "", aim) for name, span in medians.items()]


def run() -> list[Row]:
    kept = os.environ.get("PORTAL_TEST_BENCHMARKS")
    with ExitStack() as stack:
        folder = Path(kept or stack.enter_context(made("portal-benchmarks")))
        engine = connect(stack.enter_context(postgres(folder / "desk")))
        stack.callback(engine.dispose)
        portal = open_test_portal(engine, Path(stack.enter_context(made("desk-portal"))) / "portal")
        if not inspect(engine).has_table("tickets"):
            build(engine, portal)
        with Session(engine) as session:
            states = dict(session.execute(select(Ticket.state, func.count()).group_by(Ticket.state)).all())
        print({state.value: number for state, number in states.items()}, flush=True)
        return [
            *rows_of(ROUNDS, {**ways(engine), **pages(portal)}, "under 100 ms"),
            *rows_of(ROUNDS_OF_JOBS, jobs(portal), "within their hour or minute"),
        ]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:60} {row.measured:>12}   {row.against:32} {row.aim}")
