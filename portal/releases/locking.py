"""Rows held while a verb decides, so that two people at once do not both find the way free."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.releases.models import Product, Release


def lock(session: Session, row: Product | Release) -> None:
    """Hold the row until the transaction ends, and see it as it is now. What is loaded beside it stays loaded."""
    session.flush()  # our own changes would be overwritten by what is read now
    kind = type(row)
    session.execute(select(kind.id).where(kind.id == row.id).with_for_update())
    session.refresh(row, attribute_names=kind.__mapper__.column_attrs.keys())
