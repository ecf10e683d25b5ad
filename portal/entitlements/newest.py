"""The newest releases that a customer may take: two ways to one list, chosen by how much the customer has."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Integer, bindparam, func, select, text, union, union_all
from sqlalchemy.orm import Session

from portal.db import Instant
from portal.entitlements.models import Contract, ContractLine, ContractState, Grant, ReceivedRelease
from portal.entitlements.rules import is_allowed, is_takeable, line_gives
from portal.inventory.models import Device
from portal.releases.models import Product, Release, ReleaseState


def newest_takeable(session: Session, organisation_id: UUID, at: datetime, *, limit: int = 50) -> list[Release]:
    """The newest releases, by publication, that this customer may take at this instant.

    Two ways to the same list. Whoever has to do with few products is served from those products; whoever has to do
    with many, by walking all releases from the newest on until enough are found. Each way is a hundred times slower
    than the other on the other's customers.
    """
    with _planned_once(session):
        return _newest(session, {"organisation": organisation_id, "at": at, "limit": limit}, limit)


@contextmanager
def _planned_once(session: Session) -> Iterator[None]:
    """PostgreSQL would plan these statements anew each time, which takes longer than running them."""
    if session.get_bind().dialect.name != "postgresql":
        yield
        return
    session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    yield
    session.execute(text("SET LOCAL plan_cache_mode = auto"))


def _newest(session: Session, facts: dict[str, Any], limit: int) -> list[Release]:
    if (session.scalar(_REACH, facts) or 0) > FEW:
        return list(session.scalars(_FROM_THE_NEWEST, facts))
    rows = session.execute(_FROM_ITS_OWN, {**facts, "candidates": 2 * limit}).all()
    if len(rows) < limit and (
        not rows or rows[0][1] == 2 * limit
    ):  # many are held back from this customer: look at all
        rows = session.execute(_FROM_ITS_OWN, {**facts, "candidates": ALL}).all()
    return [row[0] for row in rows]


FEW = 150
"""Products and receipts of a customer up to which its own releases are fewer than those that a walk would pass."""
ALL = 1_000_000_000

_ORGANISATION = bindparam("organisation", type_=Release.id.type)
_AT = bindparam("at", type_=Instant())
# Written into the text: PostgreSQL keeps a plan for all customers only when it knows how little is asked for.
_LIMIT = bindparam("limit", type_=Integer, literal_execute=True)
_LINES = (
    select(ContractLine.product_id)
    .join(Contract, Contract.id == ContractLine.contract_id)
    .where(Contract.organisation_id == _ORGANISATION)
)
_FAMILY_PRODUCTS = (
    select(Product.id)
    .join(ContractLine, ContractLine.family_id == Product.family_id)
    .join(Contract, Contract.id == ContractLine.contract_id)
    .where(Contract.organisation_id == _ORGANISATION)
)
_DEVICES = select(Device.product_id).where(Device.organisation_id == _ORGANISATION, Device.removed_at.is_(None))
_GRANTED = select(Grant.release_id).where(Grant.organisation_id == _ORGANISATION)
_RECEIVED = select(ReceivedRelease.release_id).where(ReceivedRelease.organisation_id == _ORGANISATION)

_REACH = select(func.count()).select_from(
    union_all(
        *(
            select(part.limit(FEW + 1).subquery())
            for part in (
                _LINES.where(ContractLine.product_id.is_not(None)),
                _FAMILY_PRODUCTS,
                _DEVICES,
                _GRANTED,
                _RECEIVED,
            )
        )
    ).subquery()
)
_ITS_PRODUCTS: CompoundSelect[Any] = union(
    _LINES.where(ContractLine.product_id.is_not(None)), _FAMILY_PRODUCTS, _DEVICES
)
_ONE = (Release.id, Release.state, Release.published_at)
_CONTRACTED = (
    select(*_ONE)
    .select_from(Contract)
    .join(ContractLine, ContractLine.contract_id == Contract.id)
    .where(Contract.organisation_id == _ORGANISATION, Contract.state == ContractState.ACTIVE, line_gives(_AT))
)
# Whatever may be takeable; `is_allowed` looks at the newest of them. Materialized, or a planner that sees the state,
# the date or the order below walks through all releases after all.
_GROUNDS = (
    union(
        _CONTRACTED.join(Release, Release.product_id == ContractLine.product_id),
        _CONTRACTED.join(Product, Product.family_id == ContractLine.family_id).join(
            Release, Release.product_id == Product.id
        ),
        select(*_ONE).where(Release.id.in_(union(_GRANTED, _RECEIVED))),
        select(*_ONE).where(Release.is_free_security_fix, Release.product_id.in_(_ITS_PRODUCTS)),
    )
    .cte("grounds")
    .prefix_with("MATERIALIZED")
)
_CANDIDATES = (
    select(_GROUNDS.c.id, _GROUNDS.c.published_at)
    .where(_GROUNDS.c.state == ReleaseState.PUBLISHED, _GROUNDS.c.published_at <= _AT)
    .order_by(_GROUNDS.c.published_at.desc(), _GROUNDS.c.id)
    .limit(bindparam("candidates", type_=Integer, literal_execute=True))
    .cte("candidates")
    .prefix_with("MATERIALIZED")
)
_FROM_ITS_OWN = (
    select(Release, select(func.count()).select_from(_CANDIDATES).scalar_subquery())
    .join(_CANDIDATES, _CANDIDATES.c.id == Release.id)
    .where(is_allowed(_ORGANISATION, _AT))
    .order_by(_CANDIDATES.c.published_at.desc(), Release.id)
    .limit(_LIMIT)
)
_FROM_THE_NEWEST = (
    select(Release)
    .where(is_takeable(_ORGANISATION, _AT))
    .order_by(Release.published_at.desc(), Release.id)
    .limit(_LIMIT)
)
