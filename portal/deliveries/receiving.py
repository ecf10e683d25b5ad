"""What follows from having received, whatever the channel: the right to a backup copy (P11)."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, DeliveryItem
from portal.entitlements import service as entitlements
from portal.releases.models import Artifact, ArtifactRole

SOFTWARE = (ArtifactRole.IMAGE, ArtifactRole.PATCH, ArtifactRole.OTHER)
"""Whoever has a file of one of these has the release; a data sheet or a checksum tool alone is not the software."""


def note_received(session: Session, delivery: Delivery, at: datetime) -> None:
    """From now on the customer may take the release again as a backup copy, if any file of it was the software."""
    has_software = exists().where(
        DeliveryItem.delivery_id == delivery.id,
        Artifact.id == DeliveryItem.artifact_id,
        Artifact.role.in_(SOFTWARE),
    )
    if session.scalar(select(has_software)):
        entitlements.record_received(session, delivery.organisation_id, delivery.release_id, at)
