"""Withdrawal: nobody can take the release any more, and whoever holds it is told."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.errors import mark
from portal.jobs.service import enqueue
from portal.releases.drafts import named
from portal.releases.errors import BadReplacement
from portal.releases.locking import lock
from portal.releases.models import Release
from portal.releases.texts import clean

WITHDRAWN = "releases.withdrawn"
"""The job that tells everyone who holds the release; whoever keeps the ledger of deliveries does it."""
FIX_WITHDRAWN = "releases.fix-withdrawn"
"""The job that tells everyone whose ticket it was to cure; whoever keeps the tickets does it."""

GONE = "releases.gone"
"""The job that tells everyone else who heard that it is out; whoever wrote to them does it."""


def withdraw(session: Session, release: Release, *, reason: str, replacement: Release | None, by: Actor,
             at: datetime) -> None:  # fmt: skip
    """Raises NotPublished, BadReplacement, BadText."""
    lock(session, release)
    reason = clean(reason, field=mark("Reason"), limit=2000, required=True)
    if replacement is not None:
        _require_fit(release, replacement)
    release.withdraw(reason, at, replacement.id if replacement else None)
    enqueue(session, WITHDRAWN, at=at, release_id=str(release.id))
    enqueue(session, FIX_WITHDRAWN, at=at, release_id=str(release.id))
    enqueue(session, GONE, at=at, release_id=str(release.id))
    told = {"reason": reason, "replacement": replacement.version if replacement else None}
    record(session, Tag.RELEASE_WITHDRAW, by=by, at=at, subject=release, named=named(release), **told)


def _require_fit(release: Release, replacement: Release) -> None:
    is_other = replacement.id != release.id and replacement.product_id == release.product_id
    if not is_other or not replacement.is_published:
        raise BadReplacement
