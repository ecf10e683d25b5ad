"""The installed base: which product stands at which customer's site, at which version, and how that is known (P16)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.db import Base, HasId, VersionKey, words
from portal.errors import mark
from portal.inventory.errors import DeviceRemoved, SiteRemoved
from portal.releases.models import Product


class HowKnown(StrEnum):
    """By what means a version came to be on record: a report is not a measurement, and the page says which it is."""

    REPORTED = "reported"
    IMPORT = "import"
    UPDATE = "update-request"
    REMOTE = "remote-session"
    SUPPORT = "support-centre"


class ChangeKind(StrEnum):
    ADDED = "added"
    VERSION = "version"
    SITE = "site"
    NAME = "name"
    SERIAL = "serial"
    REMOVED = "removed"


HOW_KNOWN_TITLES = {
    HowKnown.REPORTED: mark("Reported by the customer"),
    HowKnown.IMPORT: mark("From a table"),
    HowKnown.UPDATE: mark("From an update request"),
    HowKnown.REMOTE: mark("Seen in a remote session"),
    HowKnown.SUPPORT: mark("Entered by the support centre"),
}
CHANGE_TITLES = {
    ChangeKind.ADDED: mark("Added"),
    ChangeKind.VERSION: mark("Version"),
    ChangeKind.SITE: mark("Moved"),
    ChangeKind.NAME: mark("Name"),
    ChangeKind.SERIAL: mark("Serial number"),
    ChangeKind.REMOVED: mark("Removed"),
}


class Site(HasId, Base):
    """A place of a customer's where devices stand, and whom to call there. `code` is in capitals."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("organisation_id", "code"),)

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[list[str]]
    time_zone: Mapped[str] = mapped_column(String(64))
    contact_name: Mapped[str] = mapped_column(String(200), default="")
    contact_phone: Mapped[str] = mapped_column(String(40), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    night_contact: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="raise")

    def require_there(self) -> None:
        if self.removed_at is not None:
            raise SiteRemoved(site=self.code)

    def remove(self, at: datetime) -> None:
        self.require_there()
        self.removed_at = at


class Device(HasId, Base):
    """One installed unit of a product. `since`: when `installed_version` came to be on record, `how_known` by what.

    `installed_key` orders versions of the product's scheme. A removed device stays, with its history.
    """

    __tablename__ = "devices"
    __table_args__ = (
        # A serial is one device at a time; when it has been removed here, it may be sold on and stand elsewhere.
        Index("uq_devices_product_serial", "product_id", "serial", unique=True,
              sqlite_where=text("removed_at IS NULL"), postgresql_where=text("removed_at IS NULL")),
        Index("ix_devices_organisation_product", "organisation_id", "product_id"),
        Index("ix_devices_site", "site_id"),
    )  # fmt: skip

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    serial: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200), default="")
    installed_version: Mapped[str | None] = mapped_column(String(100))
    installed_key: Mapped[str | None] = mapped_column(VersionKey)
    since: Mapped[datetime]
    how_known: Mapped[HowKnown] = mapped_column(words(HowKnown), default=HowKnown.REPORTED)
    removed_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    product: Mapped[Product] = relationship(lazy="raise")
    site: Mapped[Site | None] = relationship(lazy="raise")

    @property
    def is_there(self) -> bool:
        return self.removed_at is None

    def require_there(self) -> None:
        if self.removed_at is not None:
            raise DeviceRemoved(serial=self.serial)

    def remove(self, at: datetime) -> None:
        self.require_there()
        self.removed_at = at


class DeviceChange(HasId, Base):
    """What became of a device, once and for all: rows are added and never changed.

    `before` and `after` are versions, site codes, names or serials as they were written then; `reference` is the
    number of the request, ticket or table that says so, and `reference_id` its id where it has one.
    """

    __tablename__ = "device_changes"
    __table_args__ = (Index("ix_device_changes_device_at", "device_id", "at"),)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id"))
    at: Mapped[datetime]
    place: Mapped[int]
    kind: Mapped[ChangeKind] = mapped_column(words(ChangeKind))
    before: Mapped[str] = mapped_column(String(300), default="")
    after: Mapped[str] = mapped_column(String(300), default="")
    how_known: Mapped[HowKnown] = mapped_column(words(HowKnown))
    reference: Mapped[str] = mapped_column(String(200), default="")
    reference_id: Mapped[UUID | None]
    by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    by_name: Mapped[str] = mapped_column(String(200))
