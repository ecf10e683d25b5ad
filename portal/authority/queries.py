"""Authorized persons and their powers of attorney, loaded for whoever may see them."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from portal.authority.models import PowerOfAttorney, PowerState
from portal.authority.rules import PowerFacts


def facts_of(session: Session, holder_id: UUID | None) -> list[PowerFacts]:
    """Every power of attorney that the person ever had, frozen, as the rule takes them."""
    rows = (
        select(PowerOfAttorney)
        .where(PowerOfAttorney.holder_id == holder_id)
        .options(selectinload(PowerOfAttorney.product_rows))
        .execution_options(populate_existing=True)
    )
    return [
        PowerFacts(
            id=row.id,
            number=row.number,
            state=row.state.value,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            product_ids=None if row.covers_all_products else frozenset(own.product_id for own in row.product_rows),
            may_receive=row.may_receive,
            may_sign=row.may_sign,
            time_zone=row.time_zone,
            closed_at=row.revoked_at or (row.decided_at if row.state is PowerState.DECLINED else None),
            closed_because=row.revoked_because or row.declined_because,
        )
        for row in session.scalars(rows)
    ]
