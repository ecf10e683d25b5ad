"""What the API says of a person."""

from typing import Any

from portal.accounts.models import Organisation
from portal.actors import Actor


def actor_payload(who: Actor, organisation: Organisation) -> dict[str, Any]:
    """Who asks, and what this token or session allows."""
    return {
        "id": str(who.person_id),
        "name": who.name,
        "via": who.via.value,
        "organisation": {
            "id": str(organisation.id),
            "code": organisation.code,
            "name": organisation.name,
            "kind": organisation.kind.value,
        },
        "roles": sorted(who.roles),
        "permissions": sorted(who.permissions),
        "language": who.language,
        "time_zone": who.time_zone,
    }
