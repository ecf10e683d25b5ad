"""A recipient's word on what it received, for page and API alike."""

from uuid import UUID

from portal.deliveries import queries, service
from portal.deliveries.errors import DigestDiffers
from portal.web.formats import now
from portal.web.guard import actor
from portal.web.unit_of_work import let_go, resources


def confirm(delivery_id: UUID, sha256: str | None) -> None:
    """Confirm the receipt in a transaction of its own: a wrong digest is recorded although it is then refused.

    Raises DigestDiffers, StepOutOfOrder, NotFound for another customer's delivery.
    """
    at, by = now(), actor()
    let_go()
    with resources().sessions.begin() as fresh:
        delivery = queries.get(fresh, delivery_id, visible_to=by)
        expected = delivery.items[0].sha256
        is_right = service.confirm(fresh, delivery, sha256, by=by, at=at)
    if not is_right:
        raise DigestDiffers(expected=expected, told=(sha256 or "")[:200])
