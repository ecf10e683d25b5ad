"""What the catalogue's API says."""

from typing import Any

from flask import url_for

from portal.catalogue.queries import Row
from portal.releases.models import Product, Release


def product_payload(product: Product) -> dict[str, Any]:
    return {"code": product.code, "name": product.name, "category": product.category.value}


def row_payload(row: Row) -> dict[str, Any]:
    """One release with the decision about it; instants are UTC, RFC 3339."""
    release = row.release
    return {
        "id": str(release.id),
        "product": release.product.code,
        "version": release.version,
        "level": release.level.word,
        "train": release.train.name if release.train else None,
        "published_at": release.published_at.isoformat() if release.published_at else None,
        "withdrawn_at": release.withdrawn_at.isoformat() if release.withdrawn_at else None,
        "required": release.is_required,
        "security_fix": release.is_security_fix,
        "recommended": row.is_recommended,
        "received": row.is_received,
        "decision": row.decision.to_json(),
    }


def files_payload(release: Release) -> list[dict[str, Any]]:
    """Every file with where to get it; sizes in bytes, digests in hex."""
    return [
        {
            "id": str(artifact.id),
            "name": artifact.name,
            "role": artifact.role.value,
            "platform": artifact.platform,
            "size_bytes": artifact.size_bytes,
            "sha256": artifact.sha256,
            "address": url_for("deliveries.download", artifact_id=artifact.id, name=artifact.name),
        }
        for artifact in release.artifacts
    ]
