"""Verbs between draft and publication: submit, return, approve."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.errors import mark
from portal.jobs.service import enqueue
from portal.releases import queries, rules
from portal.releases.drafts import named
from portal.releases.errors import ProblemsRemain, SamePerson
from portal.releases.locking import lock
from portal.releases.models import Release, ReleaseState
from portal.releases.texts import clean

PUBLISH_DUE = "releases.publish_due"


def problems(session: Session, release: Release, *, languages: Iterable[str]) -> list[rules.Problem]:
    """What is wrong with the release now, waived or not."""
    return rules.problems(queries.draft(session, release), languages)


def require_no_problems(session: Session, release: Release, *, languages: Iterable[str]) -> None:
    """Raises ProblemsRemain with the codes of those that are neither solved nor waived."""
    remaining = rules.still_open(problems(session, release, languages=languages))
    if remaining:
        raise ProblemsRemain(version=release.version, problems=", ".join(dict.fromkeys(one.code for one in remaining)))


def submit(session: Session, release: Release, *, languages: Iterable[str], by: Actor, at: datetime) -> None:
    """Draft to review. Raises NotDraft, ProblemsRemain."""
    lock(session, release)
    release.require_draft()
    require_no_problems(session, release, languages=languages)
    release.submit(by.person_id, at)
    record(session, Tag.RELEASE_SUBMIT, by=by, at=at, subject=release, named=named(release))


def return_to_draft(session: Session, release: Release, *, reason: str, by: Actor, at: datetime) -> None:
    """Back to draft from review or approval, so that something can be changed. Raises NotInReview, BadText."""
    lock(session, release)
    release.return_to_draft()
    reason = clean(reason, field=mark("Reason"), limit=500, required=True)
    record(session, Tag.RELEASE_RETURN, by=by, at=at, subject=release, named=named(release), reason=reason)


def approve(
    session: Session, release: Release, *, languages: Iterable[str], second_person: bool, by: Actor, at: datetime
) -> None:
    """Review to approved. A release under embargo is then published by itself when the embargo ends.

    `second_person`: whoever uploaded a file of it or submitted it may not approve it (DESIGN 3.1).
    Raises NotInReview, SamePerson, ProblemsRemain.
    """
    lock(session, release)
    if second_person and release.state is ReleaseState.IN_REVIEW and by.person_id in _authors(session, release):
        raise SamePerson(version=release.version)
    release.approve(by.person_id, at)
    require_no_problems(session, release, languages=languages)
    record(session, Tag.RELEASE_APPROVE, by=by, at=at, subject=release, named=named(release))
    if release.embargo_until is not None and release.embargo_until > at:
        enqueue(session, PUBLISH_DUE, at=at, run_at=release.embargo_until, release_id=str(release.id))


def _authors(session: Session, release: Release) -> set[object]:
    files = (row for row in queries.artifacts_ever(session, release.id) if row.removed_at is None)
    return {release.submitted_by, *(row.uploaded_by for row in files)}
