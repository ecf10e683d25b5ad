"""Loading contracts, grants, agreements, and the lists that the decision gives."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.entitlements.rules import takeable
from portal.releases.models import Release


def newest_takeable(session: Session, organisation_id: UUID, at: datetime, *, limit: int = 50) -> list[Release]:
    """The newest releases, by publication, that this customer may take at this instant."""
    allowed = takeable(organisation_id, at)
    newest = select(Release).where(Release.id.in_(allowed)).order_by(Release.published_at.desc(), Release.id)
    return list(session.scalars(newest.limit(limit)))
