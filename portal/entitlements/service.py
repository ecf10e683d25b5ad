"""The verbs on contracts, grants, agreements and receipts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.entitlements.models import ReceivedRelease


def record_received(session: Session, organisation_id: UUID, release_id: UUID, at: datetime) -> None:
    """Note that the customer has received the release; the first time stays, and two at once are one."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(
        dialect.insert(ReceivedRelease)
        .values(organisation_id=organisation_id, release_id=release_id, first_at=at)
        .on_conflict_do_nothing()
    )
