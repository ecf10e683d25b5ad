"""What was put into each kit, so that the very same bytes can be made again."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, HasId, words
from portal.object_keys import HOLDS_OBJECT_KEYS, NAMES_OBJECT
from portal.releases.models import Release


class KitFormat(StrEnum):
    TAR = "tar"
    ISO = "iso"


class KitRecord(HasId, Base):
    """One kit: a release for one recipient on one medium (`medium_serial` is empty where none travels).

    `slip` is the signed slip as it stands in the kit; its signature can't be made twice alike. `files` are
    {path, size, sha256, key} of every file, `key` where its bytes lie in the object store; `folder` is the top folder,
    `dated_at` the time that all files bear. From them the archive is built again, byte for byte, and must then have
    `size_bytes` and `sha256`. `kept_key` is where the archive itself is kept, if it is. `spec` is what was asked for.
    """

    __tablename__ = "kits"
    __table_args__ = (UniqueConstraint("delivery_number", "release_id", "medium_serial"),)

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), index=True)
    delivery_number: Mapped[str] = mapped_column(String(60))
    medium_serial: Mapped[str] = mapped_column(String(100))
    format: Mapped[KitFormat] = mapped_column(words(KitFormat))
    notes_revision: Mapped[int]
    spec: Mapped[dict[str, Any]]
    slip: Mapped[str] = mapped_column(Text)
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, info=HOLDS_OBJECT_KEYS)
    folder: Mapped[str] = mapped_column(String(120))
    dated_at: Mapped[datetime]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    kept_key: Mapped[str | None] = mapped_column(String(200), info=NAMES_OBJECT)
    built_at: Mapped[datetime]
    built_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    release: Mapped[Release] = relationship(lazy="raise")

    @property
    def file_name(self) -> str:
        """What the archive is called when it is saved."""
        return f"{self.folder}.{self.format.value}"
