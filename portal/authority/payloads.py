"""What the API says of authorized persons."""

from datetime import datetime
from typing import Any

from portal.authority.models import AuthorizedPerson, PowerOfAttorney
from portal.authority.queries import frozen
from portal.authority.rules import glance


def person_payload(holder: AuthorizedPerson, at: datetime) -> dict[str, Any]:
    """With the powers; `standing` is the best that can be said of them now, whatever the product."""
    return {
        "id": str(holder.id),
        "customer": holder.organisation.code,
        "name": holder.name,
        "email": holder.email,
        "phone": holder.phone,
        "language": holder.language,
        "standing": glance([frozen(power) for power in holder.powers], at).standing.value,
        "powers": [power_payload(power) for power in holder.powers],
    }


def power_payload(power: PowerOfAttorney) -> dict[str, Any]:
    """Days are inclusive and in `time_zone`; `products` are codes, or "all"."""
    products = sorted(row.product.code for row in power.product_rows)
    return {
        "id": str(power.id),
        "number": power.number,
        "state": power.state.value,
        "issued_on": power.issued_on.isoformat(),
        "issued_by": power.issued_by,
        "valid_from": power.valid_from.isoformat(),
        "valid_until": power.valid_until.isoformat(),
        "time_zone": power.time_zone,
        "products": "all" if power.covers_all_products else products,
        "may_receive": power.may_receive,
        "may_sign": power.may_sign,
    }
