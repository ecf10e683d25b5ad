"""Publication: the signatures, the counter and the new state come into being together or not at all (DESIGN 4)."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.errors import mark
from portal.jobs.service import enqueue
from portal.releases import queries
from portal.releases.drafts import named
from portal.releases.errors import NotPublished, SigningFailed, UnderEmbargo
from portal.releases.locking import lock
from portal.releases.models import Publication, Recommendation, Release, ReleaseAudience, ReleaseState
from portal.releases.notes import notes_bytes
from portal.releases.review import require_no_problems
from portal.releases.texts import clean
from portal.resources import Resources
from signing import ManifestArtifact, ReleaseManifest, Signer, SigningError, sign_release

PUBLISHED = "releases.published"
"""The job that tells whoever waits for what the release fixes; whoever keeps the tickets does it."""

NEWS = "releases.news"
"""The job that tells every customer whom the release concerns; whoever knows contracts and devices does it."""


def open_signer(resources: Resources) -> Signer:
    """The active release key. Raises SigningFailed."""
    try:
        return resources.signer()
    except SigningError as error:
        raise SigningFailed(reason=str(error)) from error


def publish(session: Session, release: Release, *, languages: Iterable[str], signer: Signer, by: Actor,
            at: datetime) -> Publication:  # fmt: skip
    """Sign an approved release and let customers have it.

    Raises AlreadyPublished, NotApproved, UnderEmbargo, ProblemsRemain, SigningFailed. Of two at once exactly one
    publishes: the row is held, and the other finds it published.
    """
    lock(session, release)
    until = release.embargo_until
    if release.state is ReleaseState.APPROVED and until is not None and at < until:
        raise UnderEmbargo(version=release.version, until=until.isoformat(" ", "minutes"))
    lock(session, release.product)
    release.publish(by.person_id, at, counter=release.product.release_counter + 1)
    require_no_problems(session, release, languages=languages)
    release.product.release_counter += 1
    if release.open_from is None and not _has_named(session, release):
        release.open_from = at
    publication = _sign(session, release, signer, at)
    session.add(publication)
    enqueue(session, PUBLISHED, at=at, key=f"{PUBLISHED}:{release.id}", release_id=str(release.id))
    enqueue(session, NEWS, at=at, key=f"{NEWS}:{release.id}", release_id=str(release.id))
    told = {"counter": release.counter, "key_id": publication.key_id}
    record(session, Tag.RELEASE_PUBLISH, by=by, at=at, subject=release, named=named(release), **told)
    return publication


def _has_named(session: Session, release: Release) -> bool:
    return session.scalar(select(ReleaseAudience).where(ReleaseAudience.release_id == release.id).limit(1)) is not None


def _sign(session: Session, release: Release, signer: Signer, at: datetime) -> Publication:
    try:
        signed = sign_release(_manifest(session, release, at), signer)
    except SigningError as error:
        raise SigningFailed(reason=str(error)) from error
    return Publication(
        release_id=release.id,
        at=at,
        key_id=signer.key_id,
        sums=signed.sums.decode(),
        sums_signature=signed.sums_signature,
        manifest=signed.manifest.decode(),
    )


def _manifest(session: Session, release: Release, at: datetime) -> ReleaseManifest:
    notes = queries.current_notes(session, release.id)
    files = [row for row in queries.artifacts_ever(session, release.id) if row.removed_at is None]
    return ReleaseManifest(
        product=release.product.code,
        version=release.version,
        level=release.level.word,
        counter=release.counter or 0,
        published_at=at,
        notes_sha256=hashlib.sha256(notes_bytes(notes.texts if notes else {})).hexdigest(),
        artifacts=tuple(
            ManifestArtifact(row.name, row.sha256, row.size_bytes, row.role.value, row.platform) for row in files
        ),
    )


def recommend(session: Session, release: Release, *, reason: str, by: Actor, at: datetime) -> Recommendation:
    """Make this the release recommended for its train. Raises NotPublished, BadText."""
    lock(session, release)
    if not release.is_published:
        raise NotPublished(version=release.version)
    row = Recommendation(
        product_id=release.product_id, train_id=release.train_id, release_id=release.id, by=by.person_id, at=at
    )
    row.reason = clean(reason, field=mark("Reason"), limit=500, required=True)
    session.add(row)
    record(session, Tag.RELEASE_RECOMMEND, by=by, at=at, subject=release, named=named(release), reason=row.reason)
    return row
