"""What the invented customers bought."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements.service import create_contract
from portal.entitlements.terms import DEFAULT_PROGRAMME, LineTerms, Terms
from portal.releases.models import ALL_LEVELS, ProductFamily


def sign(session: Session, customers: dict[str, Organisation], *, by: Actor, today: datetime) -> None:
    """One contract runs, one ended half a year ago; the third customer has none."""
    families = {family.name: family for family in session.scalars(select(ProductFamily))}
    for code, number, first, last, names in (
        ("VOLGA", "17-204", -400, 330, ("Access", "Management")),
        ("FJORD", "16-118", -910, -182, ("Access",)),
    ):
        starts, ends = ((today + timedelta(days=days)).date() for days in (first, last))
        terms = Terms(number, DEFAULT_PROGRAMME, starts, ends, customers[code].time_zone)
        lines = [LineTerms(product_id=None, family_id=families[name].id, levels=ALL_LEVELS) for name in names]
        create_contract(session, customers[code], terms, lines, by=by, at=today + timedelta(days=first))
