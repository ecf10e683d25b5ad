"""The blueprint that the pages of this room hang on, and what a room above tells it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.releases.models import Product

bp = Blueprint("authority", __name__, template_folder="templates", url_prefix="/authority")
PRODUCTS = "products that a customer may know of"

KnownProducts = Callable[[Session, UUID, datetime], list[tuple[Product, bool]]]
"""(session, customer, at) → the products that it may know of, each with: has it to do with it? Those first."""


def know_products(app: Flask, known: KnownProducts) -> None:
    """What a customer has bought stands in a room above; the app tells this one how to ask it."""
    app.extensions[PRODUCTS] = known


def known_products(session: Session, organisation_id: UUID, at: datetime) -> list[tuple[Product, bool]]:
    known: KnownProducts | None = current_app.extensions.get(PRODUCTS)
    if known is None:
        return [(product, False) for product in session.scalars(select(Product).where(Product.is_listed))]
    return known(session, organisation_id, at)
