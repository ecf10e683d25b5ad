"""What a kit will hold, read from rows into plain values, so that bytes move with no transaction open."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import PORTAL_JOB
from portal.kits.errors import KitArtifactUnknown, KitNameTaken, KitTaken
from portal.kits.layout import StoredFile
from portal.kits.models import KitFormat, KitRecord
from portal.releases import queries as releases
from portal.releases.errors import NotPublished
from portal.releases.models import Level, Release
from portal.releases.names import is_reserved

_UNFIT = re.compile(r"[^\w.+~-]+")
_FOLDER_PART_CHARS = 35


@dataclass(frozen=True)
class KitSpec:
    """For whom, on what, and which files.

    `medium_kind` (usb, disc…) and `medium_serial` are empty for a kit that no medium carries. `artifact_ids`: None for
    all files of the release. `languages`: of the notes; empty for every language that has them.
    """

    release_id: UUID
    delivery_number: str
    recipient_name: str
    organisation_code: str
    organisation_name: str
    medium_kind: str = ""
    medium_serial: str = ""
    artifact_ids: tuple[UUID, ...] | None = None
    languages: tuple[str, ...] = ()
    format: KitFormat = KitFormat.TAR

    def as_json(self) -> dict[str, Any]:
        told = asdict(self) | {"release_id": str(self.release_id), "languages": list(self.languages)}
        chosen = None if self.artifact_ids is None else sorted(str(one) for one in self.artifact_ids)
        return told | {"artifact_ids": chosen, "format": self.format.value}


@dataclass(frozen=True)
class SignedFile:
    """A file as the manifest lists it; `is_sent` is False where only some of the release's files were chosen."""

    name: str
    size_bytes: int
    sha256: str
    key: str
    is_sent: bool

    @property
    def stored(self) -> StoredFile:
        return StoredFile(self.name, self.size_bytes, self.sha256, self.key)


@dataclass(frozen=True)
class KitPlan:
    """The release as it stands when the kit is prepared. `texts` are {language: {section: Markdown}}."""

    spec: KitSpec
    product_code: str
    product_name: str
    version: str
    level: Level
    counter: int
    published_at: datetime
    key_id: str
    sums: bytes
    sums_signature: bytes
    manifest: bytes
    files: tuple[SignedFile, ...]
    notes_revision: int
    texts: Mapping[str, Mapping[str, str]]

    @property
    def folder(self) -> str:
        """The top folder of the archive, which every system takes for a name."""
        parts = (self.product_code, self.version, self.spec.delivery_number)
        return "-".join(_UNFIT.sub("_", part).strip("._-")[:_FOLDER_PART_CHARS] or "_" for part in parts)


def plan(session: Session, spec: KitSpec) -> KitPlan:
    """What the kit will hold. Raises NotFound, NotPublished, KitArtifactUnknown, KitNameTaken."""
    release = releases.get(session, spec.release_id, visible_to=PORTAL_JOB)
    publication = releases.publication(session, release.id)
    if not release.is_published or publication is None or release.published_at is None:
        raise NotPublished(version=release.version)
    notes = releases.current_notes(session, release.id)
    texts = notes.texts if notes else {}
    return KitPlan(
        spec=spec,
        product_code=release.product.code,
        product_name=release.product.name,
        version=release.version,
        level=release.level,
        counter=release.counter or 0,
        published_at=release.published_at,
        key_id=publication.key_id,
        sums=publication.sums.encode(),
        sums_signature=publication.sums_signature,
        manifest=publication.manifest.encode(),
        files=_chosen(release, spec),
        notes_revision=notes.number if notes else 0,
        texts={
            language: texts[language] for language in sorted(texts) if not spec.languages or language in spec.languages
        },
    )


def existing(session: Session, spec: KitSpec) -> KitRecord | None:
    """The kit that was prepared for the same already. Raises KitTaken if it was for something else."""
    rows = select(KitRecord).where(
        KitRecord.delivery_number == spec.delivery_number,
        KitRecord.release_id == spec.release_id,
        KitRecord.medium_serial == spec.medium_serial,
    )
    record = session.scalar(rows)
    if record is not None and record.spec != spec.as_json():
        raise KitTaken(delivery=spec.delivery_number, version=record.folder)
    return record


def _chosen(release: Release, spec: KitSpec) -> tuple[SignedFile, ...]:
    ids = {artifact.id for artifact in release.artifacts}
    chosen = ids if spec.artifact_ids is None else set(spec.artifact_ids)
    if not chosen or not chosen <= ids:
        raise KitArtifactUnknown(version=release.version)
    for artifact in release.artifacts:
        if is_reserved(artifact.name):  # one that was uploaded before the name was kept free
            raise KitNameTaken(name=artifact.name)
    return tuple(
        SignedFile(row.name, row.size_bytes, row.sha256, row.key, is_sent=row.id in chosen) for row in release.artifacts
    )
