"""The installed base: which product stands at which customer's site, at which version (P16)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.db import Base, HasId
from portal.releases.models import Product


class Device(HasId, Base):
    """One installed unit of a product."""

    __tablename__ = "devices"
    __table_args__ = (
        UniqueConstraint("product_id", "serial"),
        Index("ix_devices_organisation_product", "organisation_id", "product_id"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    serial: Mapped[str] = mapped_column(String(100))
    site: Mapped[str] = mapped_column(String(200), default="")
    installed_version: Mapped[str | None] = mapped_column(String(100))
    since: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    product: Mapped[Product] = relationship(lazy="raise")
