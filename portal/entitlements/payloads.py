"""What the API says of entitlements."""

from typing import Any

from portal.accounts.models import Organisation
from portal.entitlements.decision import Decision
from portal.releases.models import Release


def decision_payload(decision: Decision, customer: Organisation, release: Release) -> dict[str, Any]:
    """The decision with whom and what it is about; instants are UTC, RFC 3339, sentences English."""
    return {
        "customer": customer.code,
        "release": str(release.id),
        "product": release.product.code,
        "version": release.version,
        "decision": decision.to_json(),
    }
