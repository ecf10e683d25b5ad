"""Devices' backups, and the keys that they are kept under."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, HasId, words
from portal.errors import mark
from portal.inventory.models import Device
from portal.object_keys import NAMES_OBJECT


class BackupKind(StrEnum):
    CONFIGURATION = "configuration"
    IMAGE = "image"
    OTHER = "other"


KIND_TITLES = {
    BackupKind.CONFIGURATION: mark("Configuration"),
    BackupKind.IMAGE: mark("Image"),
    BackupKind.OTHER: mark("Other"),
}


class CustomerKey(HasId, Base):
    """A data key of one customer, wrapped. A customer mostly has one: two first uploads at once make two, both good."""

    __tablename__ = "customer_keys"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    wrapped_at: Mapped[datetime]


class DeviceBackup(HasId, Base):
    """A file taken from a device. `size_bytes` and `sha256` are of its plain bytes; `key` names the sealed object.

    `installed_version` is what was on record for the device then. `checked_at`: when all of it was last opened again
    and compared; `problem`: the code of what was wrong with it.
    """

    __tablename__ = "device_backups"
    __table_args__ = (Index("ix_device_backups_device_stored", "device_id", "stored_at"),)

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id"))
    key_id: Mapped[UUID] = mapped_column(ForeignKey("customer_keys.id"))
    kind: Mapped[BackupKind] = mapped_column(words(BackupKind))
    name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(500), default="")
    installed_version: Mapped[str | None] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(200), index=True, info=NAMES_OBJECT)
    stored_at: Mapped[datetime]
    stored_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    stored_by_name: Mapped[str] = mapped_column(String(200))
    checked_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(40))

    device: Mapped[Device] = relationship(lazy="raise")
    customer_key: Mapped[CustomerKey] = relationship(lazy="raise")
