"""What the decision needs to know of one customer and one release, frozen, and the one statement that fetches it."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Dialect,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.db import Instant
from portal.entitlements.models import Contract, ContractLine, ContractState, Grant, ReceivedRelease
from portal.errors import NotFound
from portal.inventory.models import Device
from portal.releases.models import ExportRule, Product, Release, ReleaseAudience, ReleaseState

log = logging.getLogger(__name__)

COVER = (
    Contract.number,
    Contract.time_zone,
    Contract.starts_at,
    Contract.ends_at,
    (Contract.state == ContractState.ON_HOLD).label("is_held"),
    type_coerce(ContractLine.levels, Integer).label("levels"),
    ContractLine.has_back_catalogue,
)
"""The columns of a Cover, in its order."""


class Cover(NamedTuple):
    """A contract line that names the product or its family, with the term of its contract, [starts_at, ends_at)."""

    number: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    is_held: bool
    levels: int
    has_back_catalogue: bool

    @property
    def starts_on(self) -> date:
        """The first day, in the contract's own zone."""
        return _day_in(self.starts_at, self.time_zone)

    @property
    def ends_on(self) -> date:
        """The last day, inclusive, in the contract's own zone."""
        return _day_in(self.ends_at - timedelta(microseconds=1), self.time_zone)


@lru_cache(maxsize=4096)
def _day_in(at: datetime, time_zone: str) -> date:
    return at.astimezone(ZoneInfo(time_zone)).date()


class ReleaseFacts(NamedTuple):
    """Levels are plain numbers here and in Cover: the operators of flags cost as much as the rest of the judgement."""

    state: ReleaseState
    level: int
    published_at: datetime | None
    open_from: datetime | None
    is_free_security_fix: bool
    withdrawn_because: str | None


class CustomerFacts(NamedTuple):
    """What this customer has to do with one release; `opens_at` is its own date of admission to the audience."""

    suspended_at: datetime | None = None
    suspended_because: str | None = None
    opens_at: datetime | None = None
    export_clause: str | None = None
    has_device: bool = False
    granted_until: datetime | None = None
    received_at: datetime | None = None
    covers: tuple[Cover, ...] = ()


def of_release(release: Release) -> ReleaseFacts:
    return ReleaseFacts(
        release.state,
        int(release.level),
        release.published_at,
        release.open_from,
        release.is_free_security_fix,
        release.withdrawn_because,
    )


def of_customer(session: Session, organisation_id: UUID, release: Release, at: datetime) -> CustomerFacts:
    """One statement. Raises NotFound when there is no such organisation."""
    if session.new or session.dirty or session.deleted:
        session.flush()  # the statement goes past the session, which therefore does not flush by itself
    connection = session.connection()
    facts = _prepared(connection.dialect).facts(connection, organisation_id, release, at)
    if facts is None:
        raise NotFound
    return facts


Processor = Callable[[Any], Any]


class _Prepared:
    """The statement as one database takes it: its text, and what turns values into the driver's and back.

    Asked of the driver's own cursor, inside the connection's transaction: `Connection.execute` takes twice as long as
    this one question does (benchmarks/entitlements.py). The price is kept small: when somebody listens to statements
    or the driver reports an error, the connection itself asks, so that it is seen and its errors are SQLAlchemy's.
    """

    def __init__(self, dialect: Dialect) -> None:
        compiled = _FACTS.compile(dialect=dialect)
        self.text = str(compiled)
        self.order = compiled.positiontup
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        ways_in = {name: _way_in(bind, dialect) or _as_it_is for name, bind in binds.items()}
        self.id_in, self.at_in = ways_in["organisation"], ways_in["at"]
        self.fixed = {name: ways_in[name](value) for name, value in compiled.params.items() if value is not None}
        ways_out = [_way_out(column, dialect) for column in _FACTS.selected_columns]
        self.of_scalars = [(place, way) for place, way in enumerate(ways_out[:SCALARS]) if way]
        self.of_cover = [(place, way) for place, way in enumerate(ways_out[SCALARS:]) if way]

    def facts(
        self, connection: Connection, organisation_id: UUID, release: Release, at: datetime
    ) -> CustomerFacts | None:
        values = {
            **self.fixed,
            "organisation": self.id_in(organisation_id),
            "release": self.id_in(release.id),
            "product": self.id_in(release.product_id),
            "at": self.at_in(at),
        }
        rows = self._fetch(connection, tuple([values[name] for name in self.order]) if self.order else values)
        if not rows:
            return None
        covers = [Cover._make(_out(row[SCALARS:], self.of_cover)) for row in rows if row[SCALARS] is not None]
        return CustomerFacts._make([*_out(rows[0][:SCALARS], self.of_scalars), tuple(covers)])

    def _fetch(self, connection: Connection, given: tuple[object, ...] | dict[str, object]) -> Sequence[Sequence[Any]]:
        if not connection.dispatch.before_cursor_execute and not connection.engine.echo:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(self.text, given)
                return cursor.fetchall()
            except connection.dialect.loaded_dbapi.Error:
                log.warning("the facts of a decision could not be fetched at once", exc_info=True)
            finally:
                cursor.close()
        return connection.exec_driver_sql(self.text, given).all()


def _way_in(bind: BindParameter[Any], dialect: Dialect) -> Processor | None:
    if isinstance(bind.type, Instant) and dialect.name == "sqlite":
        return _instant_as_text  # what Instant does, in a third of its time; so below
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


def _way_out(column: ColumnElement[Any], dialect: Dialect) -> Processor | None:
    if isinstance(column.type, Boolean):
        return None  # 0 and 1 do as well
    if isinstance(column.type, Instant) and dialect.name == "sqlite":
        return _instant
    return column.type.dialect_impl(dialect).result_processor(dialect, None)


def _as_it_is(value: object) -> object:
    return value


def _instant_as_text(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _out(values: Sequence[Any], ways: list[tuple[int, Processor]]) -> list[Any]:
    found = list(values)
    for place, way in ways:
        if found[place] is not None:
            found[place] = way(found[place])
    return found


@lru_cache(maxsize=8)
def _prepared(dialect: Dialect) -> _Prepared:
    return _Prepared(dialect)


_ORGANISATION = bindparam("organisation", type_=Organisation.id.type)
_RELEASE = bindparam("release", type_=Release.id.type)
_PRODUCT = bindparam("product", type_=Release.id.type)
_AT = bindparam("at", type_=Instant())


def export_rule_meets(organisation: type[Organisation]) -> ColumnElement[bool]:
    """An export rule concerns this organisation: its country and its end use, where the rule names them."""
    return and_(
        or_(ExportRule.country.is_(None), ExportRule.country == organisation.country),
        or_(ExportRule.end_use.is_(None), ExportRule.end_use == organisation.end_use),
    )


_FAMILY = select(Product.family_id).where(Product.id == _PRODUCT).scalar_subquery()
_LINES_OF_CUSTOMER = (
    select(*COVER)
    .join(ContractLine, ContractLine.contract_id == Contract.id)
    .where(Contract.organisation_id == _ORGANISATION)
)
_LINES = union_all(  # neither database finds the lines of a contract by two indexes at once
    _LINES_OF_CUSTOMER.where(ContractLine.product_id == _PRODUCT),
    _LINES_OF_CUSTOMER.where(ContractLine.family_id == _FAMILY),
).subquery("lines")
_SCALARS: tuple[ColumnElement[object], ...] = (
    Organisation.suspended_at,  # type: ignore[assignment]
    Organisation.suspended_because,
    select(ReleaseAudience.opens_at)
    .where(ReleaseAudience.release_id == _RELEASE, ReleaseAudience.organisation_id == _ORGANISATION)
    .scalar_subquery(),
    select(func.min(ExportRule.clause))
    .where(ExportRule.product_id == _PRODUCT, export_rule_meets(Organisation))
    .scalar_subquery(),
    exists().where(Device.organisation_id == _ORGANISATION, Device.product_id == _PRODUCT, Device.removed_at.is_(None)),
    select(func.max(Grant.until, type_=Instant()))
    .where(
        Grant.organisation_id == _ORGANISATION,
        Grant.release_id == _RELEASE,
        Grant.until > _AT,
        Grant.revoked_at.is_(None),
    )
    .scalar_subquery(),
    select(ReceivedRelease.first_at)
    .where(ReceivedRelease.organisation_id == _ORGANISATION, ReceivedRelease.release_id == _RELEASE)
    .scalar_subquery(),
)
SCALARS = len(_SCALARS)
_FACTS: Select[*tuple[Any, ...]] = (
    select(*_SCALARS, *_LINES.c)
    .select_from(Organisation)
    .join(_LINES, true(), isouter=True)
    .where(Organisation.id == _ORGANISATION)
)


def statement_of() -> Select[*tuple[Any, ...]]:
    """The one statement, for whoever measures it."""
    return _FACTS
