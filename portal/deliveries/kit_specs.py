"""The kit of a delivery: for its recipient, with its files, on the medium that carries it or on none."""

from portal.deliveries.models import Delivery
from portal.kits.models import KitFormat
from portal.kits.planning import KitSpec


def kit_spec(
    delivery: Delivery, *, medium_kind: str = "", medium_serial: str = "", form: KitFormat = KitFormat.TAR
) -> KitSpec:
    """Needs the delivery's customer and items loaded."""
    return KitSpec(
        release_id=delivery.release_id,
        delivery_number=delivery.number or "",
        recipient_name=str((delivery.recipient or {}).get("name", "")),
        organisation_code=delivery.organisation.code,
        organisation_name=delivery.organisation.name,
        medium_kind=medium_kind,
        medium_serial=medium_serial,
        artifact_ids=tuple(item.artifact_id for item in delivery.items),
        format=form,
    )
