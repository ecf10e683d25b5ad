"""From a refusal to what mends it: one step, prefilled. Pure words and facts."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.authority.models import PowerOfAttorney
from portal.authority.rules import DECLINED, REVOKED, Lack, Lacking, Need
from portal.errors import mark

WAY_LABELS = {
    Lack.MISSING: mark("Give a power of attorney"),
    Lack.UNCONFIRMED: mark("Ask the dispatcher again"),
    Lack.EXPIRED: mark("Extend the power of attorney"),
    Lack.OUT_OF_SCOPE: mark("Widen the power of attorney"),
}
USUAL_TERM = timedelta(days=364)

Way = tuple[str, str, dict[str, Any]]


def way_to_mend(lacking: Lacking, holder_id: UUID, product_id: UUID, need: Need = Need.RECEIVE) -> Way:
    """(marked label, endpoint, arguments) as `ways` of an error takes them: the page that mends exactly this."""
    arguments = {"person": holder_id, "product": product_id, "need": need.value}
    return WAY_LABELS[lacking.code], "authority.mend", arguments


@dataclass(frozen=True)
class Draft:
    """What the form of a new power begins with. `product_ids` None: all products."""

    number: str
    issued_on: date
    issued_by: str
    valid_from: date
    valid_until: date
    product_ids: frozenset[UUID] | None
    may_receive: bool
    may_sign: bool


def draft(
    nearest: PowerOfAttorney | None, time_zone: str, at: datetime, *, product_id: UUID | None, need: Need | None
) -> Draft:
    """A new power that gives what is needed for the product: the nearest one made to fit, or one from nothing.

    What ended is drawn anew with as long a term, what lacks the product or the need gets it, what has not begun begins
    today. Of a power that was revoked nothing is taken over.
    """
    today = at.astimezone(ZoneInfo(time_zone)).date()
    if nearest is None or nearest.state.value == REVOKED:
        products = frozenset({product_id}) if product_id else None
        fresh = Draft("", today, "", today, today + USUAL_TERM, products, may_receive=True, may_sign=False)
        return _with_need(fresh, need)
    has_ended = nearest.valid_until < today
    until = today + (nearest.valid_until - nearest.valid_from) if has_ended else nearest.valid_until
    scope = None if nearest.covers_all_products else frozenset(row.product_id for row in nearest.product_rows)
    if scope is not None and product_id is not None:
        scope |= {product_id}
    issued_on = nearest.issued_on if nearest.state.value == DECLINED else today
    copied = Draft(nearest.number, issued_on, nearest.issued_by, today, until, scope, nearest.may_receive,
                   nearest.may_sign)  # fmt: skip
    return _with_need(copied, need)


def _with_need(given: Draft, need: Need | None) -> Draft:
    if need is Need.SIGN:
        return replace(given, may_sign=True)
    return replace(given, may_receive=True) if need is Need.RECEIVE else given
