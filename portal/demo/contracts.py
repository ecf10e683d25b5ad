"""What the invented customers bought."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements.models import Contract, ContractLine
from portal.releases.models import ALL_LEVELS, ProductFamily


def sign(session: Session, customers: dict[str, Organisation], *, by: Actor, today: datetime) -> None:
    """One contract runs, one ended half a year ago; the third customer has none."""
    families = {family.name: family for family in session.scalars(select(ProductFamily))}
    for code, number, first, last, names in (
        ("VOLGA", "17-204", -400, 330, ("Access", "Management")),
        ("FJORD", "16-118", -910, -182, ("Access",)),
    ):
        contract = Contract(organisation_id=customers[code].id, number=number, created_at=today - timedelta(days=900))
        contract.set_term(
            (today + timedelta(days=first)).date(), (today + timedelta(days=last)).date(), customers[code].time_zone
        )
        contract.lines = [ContractLine(family_id=families[name].id, levels=ALL_LEVELS) for name in names]
        session.add(contract)
