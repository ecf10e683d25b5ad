"""Agreements that a recipient has to accept before the files are taken by a link."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery
from portal.entitlements.agreed import missing_for_recipient
from portal.entitlements.reasons import MissingAgreement


def missing_agreements(session: Session, delivery: Delivery, at: datetime) -> Sequence[MissingAgreement]:
    """What the recipient of the delivery has not accepted yet; needs its release."""
    if delivery.recipient_id is None:
        return ()
    return missing_for_recipient(session, delivery.recipient_id, delivery.release.product_id, at)
