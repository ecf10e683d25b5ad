"""Work of the releases room that nobody waits for: reading files back, publishing when an embargo ends."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Person
from portal.actors import PORTAL_JOB, Actor, Via
from portal.errors import mark
from portal.jobs.service import handles
from portal.releases import queries
from portal.releases.models import Artifact, Release, ReleaseState
from portal.releases.publishing import open_signer, publish
from portal.releases.review import PUBLISH_DUE
from portal.releases.uploads import READ_BACK
from portal.resources import Resources
from storage import ObjectMissing, ObjectStore, SizeMismatch

MISSING = mark("the store has no such object")
OTHER_SIZE = mark("the store gives back another number of bytes")
OTHER_DIGEST = mark("the store gives back other bytes")


@handles(READ_BACK)
def read_back(resources: Resources, *, at: datetime, artifact_id: str) -> None:
    """Compare what the store gives back with what was received: digest and size (DESIGN 5)."""
    with resources.sessions() as session:
        artifact = session.get(Artifact, UUID(artifact_id))
        if artifact is None or artifact.read_back_at is not None:
            return
        key, size_bytes, sha256 = artifact.key, artifact.size_bytes, artifact.sha256
    problem = _problem_of(resources.store, key, size_bytes, sha256)
    with resources.sessions.begin() as session:
        artifact = session.get_one(Artifact, UUID(artifact_id), with_for_update=True)
        if artifact.sha256 == sha256:
            artifact.read_back_at, artifact.read_back_problem = at, problem


def _problem_of(store: ObjectStore, key: str, size_bytes: int, sha256: str) -> str | None:
    """A marked sentence, or None when all is well. Raises StorageError when the store can't be asked now."""
    digest, count = hashlib.sha256(), 0
    try:
        with store.open_range(key) as reader:
            for block in reader:
                digest.update(block)
                count += len(block)
    except ObjectMissing:
        return MISSING
    except SizeMismatch:
        return OTHER_SIZE
    if count != size_bytes:
        return OTHER_SIZE
    return None if digest.hexdigest() == sha256 else OTHER_DIGEST


@handles(PUBLISH_DUE)
def publish_due(resources: Resources, *, at: datetime, release_id: str) -> None:
    """Publish an approved release whose embargo is over, as its approver ordered.

    Nothing is done when it is no longer approved or its embargo was moved: a later approval queues its own job.
    """
    with resources.sessions.begin() as session:
        release = queries.get(session, UUID(release_id), visible_to=PORTAL_JOB)
        until = release.embargo_until
        if release.state is not ReleaseState.APPROVED or until is None or at < until:
            return
        by = _approver(session.scalar(select(Person).where(Person.id == release.approved_by)), release)
        languages = resources.config.notes_languages
        publish(session, release, languages=languages, signer=open_signer(resources), by=by, at=at)


def _approver(person: Person | None, release: Release) -> Actor:
    return Actor(
        Via.JOB,
        name=person.name if person else PORTAL_JOB.name,
        person_id=release.approved_by,
        organisation_id=person.organisation_id if person else None,
    )
