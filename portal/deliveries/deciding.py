"""The decision that stands behind a delivery to an authorized person, asked anew at each step that gives it out.

Contracts end, powers of attorney are revoked and releases withdrawn between a request and the hand-over: the decision
is taken at the request, at approval, at dispatch and at hand-over (DESIGN 3.2), and each is kept with its event.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.authority import queries as powers
from portal.authority.models import AuthorizedPerson
from portal.authority.rules import Lacking, Need, authority
from portal.deliveries.errors import NotAuthorized, NotEntitled, RecipientMoved
from portal.deliveries.models import Delivery
from portal.entitlements.decision import Refused
from portal.entitlements.rules import decide
from portal.errors import NotFound
from portal.releases.models import Release


def require_standing(session: Session, delivery: Delivery, *, need: Need, at: datetime) -> dict[str, Any]:
    """What an event keeps of the decision: {"decision": …, "authority": {number, power_id, until}}.

    Needs the delivery's release. Raises NotEntitled when the customer may not take the release now, NotAuthorized when
    its recipient may not receive it or sign for it now (`need`), RecipientMoved when the authority is that of a person
    who is reached elsewhere now.
    """
    if delivery.recipient_id is None:
        raise NotFound
    decision = decide(session, organisation_id=delivery.organisation_id, release=delivery.release, at=at)
    if isinstance(decision, Refused):
        raise NotEntitled(decision, delivery.release_id)
    email = session.scalar(select(AuthorizedPerson.email).where(AuthorizedPerson.id == delivery.recipient_id))
    if delivery.recipient and delivery.recipient["email"] != email:
        raise RecipientMoved(number=delivery.number or "")
    return {
        "decision": decision.to_json() | {"template": decision.clause},
        "authority": require_authority(session, delivery, delivery.release, need=need, at=at),
    }


def require_authority(
    session: Session, delivery: Delivery, release: Release, *, need: Need, at: datetime
) -> dict[str, Any]:
    """The power of attorney by which the recipient acts, as events keep it. Raises NotAuthorized."""
    held = authority(powers.facts_of(session, delivery.recipient_id), release.product_id, need, at)
    if isinstance(held, Lacking):
        raise NotAuthorized(held, delivery.recipient_id, release.product_id, need)
    return {"power_id": str(held.power.id), "number": held.power.number, "until": held.power.ends_at.isoformat()}
