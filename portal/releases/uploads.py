"""Verbs on the files of a draft. The bytes are in the store before any of these is called."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.errors import mark
from portal.jobs.service import enqueue
from portal.releases import queries
from portal.releases.drafts import named
from portal.releases.errors import NameTaken
from portal.releases.locking import lock
from portal.releases.models import Artifact, ArtifactRole, Release
from portal.releases.names import folded, parse_file_name
from portal.releases.texts import clean
from storage import Received

READ_BACK = "releases.read_back"
PLATFORM, PLATFORM_CHARS = mark("Platform"), 100


@dataclass(frozen=True)
class NewArtifact:
    """A file as it arrived: its name and place in the release, and what the store says of its bytes."""

    name: str
    role: ArtifactRole
    platform: str
    received: Received


def require_free(session: Session, release: Release, name: str, sha256: str | None = None) -> None:
    """Before bytes are moved: the draft may still take a file of that name (and digest, where it is declared).

    Raises NotDraft, BadFileName, NameTaken.
    """
    release.require_draft()
    _find_same(session, release, parse_file_name(name), sha256)


def add_artifact(session: Session, release: Release, file: NewArtifact, *, by: Actor, at: datetime) -> Artifact:
    """Put a received file into a draft. The same name with the same bytes again is no new thing.

    Raises NotDraft, BadFileName, BadText, and NameTaken when the name, or one that differs from it only in case or
    in the spelling of its characters, stands for another file: for ever, even if that one was taken off.
    """
    lock(session, release)
    release.require_draft()
    name = parse_file_name(file.name)
    artifact = _find_same(session, release, name, file.received.sha256)
    if artifact is not None and artifact.removed_at is None:
        return artifact
    if artifact is None:
        artifact = Artifact(release_id=release.id, name=name)
        session.add(artifact)
    artifact.role, artifact.removed_at = file.role, None
    artifact.platform = clean(file.platform, field=PLATFORM, limit=PLATFORM_CHARS)
    artifact.size_bytes, artifact.sha256, artifact.key = (
        file.received.size_bytes, file.received.sha256, file.received.key,
    )  # fmt: skip
    artifact.uploaded_at, artifact.uploaded_by = at, by.person_id
    artifact.read_back_at = artifact.read_back_problem = None
    session.flush()  # it gets its id, which the job needs
    enqueue(session, READ_BACK, at=at, artifact_id=str(artifact.id))
    told = {"name": name, "sha256": artifact.sha256, "size_bytes": artifact.size_bytes}
    record(session, Tag.ARTIFACT_ADD, by=by, at=at, subject=artifact, named=f"{named(release)} {name}", **told)
    return artifact


def remove_artifact(session: Session, release: Release, artifact: Artifact, *, by: Actor, at: datetime) -> None:
    """Take a file off a draft; its name goes on standing for its bytes. Raises NotDraft."""
    lock(session, release)
    release.require_draft()
    artifact.removed_at = at
    told = {"name": artifact.name, "sha256": artifact.sha256}
    record(session, Tag.ARTIFACT_REMOVE, by=by, at=at, subject=artifact, named=f"{named(release)} {artifact.name}",
           **told)  # fmt: skip


def _find_same(session: Session, release: Release, name: str, sha256: str | None) -> Artifact | None:
    """The file that the name stands for already; None if it is free. Raises NameTaken unless the bytes are the same."""
    for artifact in queries.artifacts_ever(session, release.id):
        if folded(artifact.name) != folded(name):
            continue
        if artifact.name != name or (sha256 is not None and artifact.sha256 != sha256):
            raise NameTaken(name=artifact.name)
        return artifact
    return None
