"""Contracts from a table: all that is wrong with it is said at once, by line and column.

Nothing is imported unless all of it is good; with `keep_going` the contracts whose every line is good are imported
whole, and the rest is reported.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.days import parse_day
from portal.entitlements import service
from portal.entitlements.errors import EndsBeforeItStarts, NumberTaken, UnknownCustomer, UnknownProduct
from portal.entitlements.models import Contract
from portal.entitlements.sheet import Line, Problem, Unreadable, read
from portal.entitlements.terms import (
    LineTerms,
    Terms,
    parse_devices,
    parse_levels,
    parse_number,
    parse_programme,
    parse_time_zone,
    parse_yes,
)
from portal.errors import InvalidInput, PortalError, mark
from portal.permissions import OrganisationKind
from portal.releases.models import Product, ProductFamily

T = TypeVar("T")
CHUNK = 500
"""How many names one statement looks up; SQLite limits what it is given."""


class DiffersFromFirst(InvalidInput):
    code = "differs-from-first-line"
    sentence = mark("Line %(line)s says otherwise of the same contract: “%(first)s”.")


class LineRepeated(InvalidInput):
    code = "line-repeated"
    sentence = mark("The contract has this product already, in line %(line)s.")


@dataclass
class Report:
    """What was imported (contract numbers), and all that is wrong, by line."""

    imported: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Parsed:
    """One good line."""

    line: Line
    customer: Organisation
    terms: Terms
    covers: LineTerms


@dataclass(frozen=True)
class Known:
    """What the table's names mean in this portal."""

    customers: dict[str, Organisation]
    products: dict[str, UUID]
    families: dict[str, UUID]
    numbers: frozenset[str]


def import_contracts(session: Session, content: bytes, *, keep_going: bool, by: Actor, at: datetime) -> Report:
    """Read the table and make its contracts; whatever is wrong is in the report, and nothing is raised for it."""
    report = Report()
    try:
        lines = read(content)
    except Unreadable as error:
        report.problems = error.problems
        return report
    contracts, bad = _contracts(lines, _known(session, lines), report)
    if report.problems and not keep_going:
        return report
    for number, rows in contracts.items():
        if number not in bad:
            covers = [row.covers for row in rows]
            service.create_contract(session, rows[0].customer, rows[0].terms, covers, by=by, at=at)
            report.imported.append(number)
    if report.imported:
        audit.record(session, Tag.CONTRACT_IMPORT, by=by, at=at, named=str(len(report.imported)),
                     contracts=report.imported, refused=len({problem.line for problem in report.problems}))  # fmt: skip
    return report


def _contracts(lines: list[Line], known: Known, report: Report) -> tuple[dict[str, list[Parsed]], set[str]]:
    """The good lines by contract, and the numbers of the contracts that have a bad one."""
    contracts: dict[str, list[Parsed]] = defaultdict(list)
    bad: set[str] = set()
    for line in lines:
        problems = list(line.problems)
        parsed = None if problems else _parsed(line, known, problems)
        if parsed is not None:
            problems += _beside(parsed, contracts[parsed.terms.number])
            contracts[parsed.terms.number].append(parsed)
        if problems:
            bad.add(" ".join(line.cell("contract").split()))
            report.problems += problems
    return contracts, bad


def _parsed(line: Line, known: Known, problems: list[Problem]) -> Parsed | None:
    cells = _Cells(line, problems)
    number = cells.ask("contract", parse_number)
    if number in known.numbers:
        cells.refuse("contract", NumberTaken(number=number))
    customer = known.customers.get(line.cell("customer").upper())
    if customer is None:
        cells.refuse("customer", UnknownCustomer(text=line.cell("customer")))
    programme = cells.ask("programme", parse_programme)
    starts_on, ends_on = cells.ask("starts_on", parse_day), cells.ask("ends_on", parse_day)
    if starts_on and ends_on and ends_on < starts_on:
        cells.refuse("ends_on", EndsBeforeItStarts(starts_on=starts_on, ends_on=ends_on))
    zone_of_customer = customer.time_zone if customer else "UTC"
    zone = cells.ask("time_zone", lambda text: parse_time_zone(text or zone_of_customer))
    covers = _covers(cells, known)
    if problems or not (number and customer and programme and starts_on and ends_on and zone and covers):
        return None
    return Parsed(line, customer, Terms(number, programme, starts_on, ends_on, zone), covers)


def _covers(cells: "_Cells", known: Known) -> LineTerms | None:
    name = cells.line.cell("product")
    product_id, family_id = known.products.get(name), known.families.get(name)
    if product_id is None and family_id is None:
        cells.refuse("product", UnknownProduct(text=name))
    levels = cells.ask("levels", parse_levels)
    devices = cells.ask("devices", parse_devices)
    has_back_catalogue = cells.ask("back_catalogue", lambda text: parse_yes(text, otherwise=True))
    if levels is None or has_back_catalogue is None:
        return None
    return LineTerms(product_id, None if product_id else family_id, levels, devices, has_back_catalogue)


def _beside(parsed: Parsed, others: list[Parsed]) -> Iterator[Problem]:
    """What a line says against the lines of the same contract before it."""
    number = parsed.line.number
    for other in others[:1]:
        for column, mine, first in (
            ("customer", parsed.customer.code, other.customer.code),
            ("programme", parsed.terms.programme, other.terms.programme),
            ("starts_on", parsed.terms.starts_on, other.terms.starts_on),
            ("ends_on", parsed.terms.ends_on, other.terms.ends_on),
            ("time_zone", parsed.terms.time_zone, other.terms.time_zone),
        ):
            if mine != first:
                yield Problem(number, column, DiffersFromFirst(line=other.line.number, first=first))
    target = (parsed.covers.product_id, parsed.covers.family_id)
    for other in others:
        if (other.covers.product_id, other.covers.family_id) == target:
            yield Problem(number, "product", LineRepeated(line=other.line.number))
            break


class _Cells:
    """One line's cells, each asked of its parser; what the parser refuses is a problem of that column."""

    def __init__(self, line: Line, problems: list[Problem]) -> None:
        self.line, self.problems = line, problems

    def refuse(self, column: str, error: PortalError) -> None:
        self.problems.append(Problem(self.line.number, column, error))

    def ask(self, column: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(self.line.cell(column))
        except InvalidInput as error:
            self.refuse(column, error)
            return None


def _known(session: Session, lines: list[Line]) -> Known:
    names = {column: {line.cell(column) for line in lines} for column in ("contract", "customer", "product")}
    customers = [
        row
        for chunk in _chunks({name.upper() for name in names["customer"]})
        for row in session.scalars(
            select(Organisation).where(Organisation.kind == OrganisationKind.CUSTOMER, Organisation.code.in_(chunk))
        )
    ]
    products = {row.code: row.id for row in session.execute(select(Product.code, Product.id))}
    families = {row.name: row.id for row in session.execute(select(ProductFamily.name, ProductFamily.id))}
    numbers = frozenset(
        number
        for chunk in _chunks({" ".join(name.split()) for name in names["contract"]})
        for number in session.scalars(select(Contract.number).where(Contract.number.in_(chunk)))
    )
    return Known({row.code.upper(): row for row in customers}, products, families, numbers)


def _chunks(names: Iterable[str]) -> Iterator[list[str]]:
    left = iter(sorted(names))
    while chunk := list(islice(left, CHUNK)):
        yield chunk
