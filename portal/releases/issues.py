"""Verbs on known issues and on their places in releases."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.config import LANGUAGES
from portal.errors import mark
from portal.releases.cve import parse_cve
from portal.releases.drafts import named
from portal.releases.errors import BadIssueId, IssueTaken, NotDraft, OtherProduct
from portal.releases.locking import lock
from portal.releases.markdown import MAX_NOTES_CHARS
from portal.releases.models import (
    Issue,
    IssueCve,
    IssueRelation,
    IssueText,
    Product,
    Release,
    ReleaseIssue,
    ReleaseState,
    Severity,
)
from portal.releases.texts import clean

_PUBLIC_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")
_RESERVED_IDS = frozenset({"new"})


@dataclass(frozen=True)
class IssueWords:
    """An issue in one language; description and workaround are Markdown."""

    title: str
    description: str = ""
    workaround: str = ""


@dataclass(frozen=True)
class IssueFacts:
    """`texts` by language; `cves` in any spelling that `parse_cve` takes. Public text only: nothing of a customer's."""

    public_id: str
    severity: Severity
    is_public: bool = False
    texts: Mapping[str, IssueWords] = field(default_factory=dict)
    cves: tuple[str, ...] = ()


def create_issue(session: Session, product: Product, facts: IssueFacts, *, by: Actor, at: datetime) -> Issue:
    """Raises BadIssueId, IssueTaken, MalformedCve, BadText."""
    if not _PUBLIC_ID.fullmatch(facts.public_id) or facts.public_id in _RESERVED_IDS:
        raise BadIssueId(text=facts.public_id[:40])
    if session.scalar(select(Issue.id).where(Issue.public_id == facts.public_id)):
        raise IssueTaken(public_id=facts.public_id)
    issue = Issue(product=product, product_id=product.id, public_id=facts.public_id, created_at=at)
    _describe(issue, facts)
    session.add(issue)
    session.flush()  # it gets its id
    record(session, Tag.ISSUE_CREATE, by=by, at=at, subject=issue, named=issue.public_id)
    return issue


def change_issue(session: Session, issue: Issue, facts: IssueFacts, *, by: Actor, at: datetime) -> None:
    """Everything but the public id, which never changes. Raises MalformedCve, BadText."""
    _describe(issue, facts)
    told = {"severity": facts.severity, "is_public": facts.is_public, "cves": [row.cve_id for row in issue.cves]}
    record(session, Tag.ISSUE_CHANGE, by=by, at=at, subject=issue, named=issue.public_id, **told)


def _describe(issue: Issue, facts: IssueFacts) -> None:
    issue.severity, issue.is_public = facts.severity, facts.is_public
    wanted = dict.fromkeys(parse_cve(text) for text in facts.cves)
    kept = {row.cve_id: row for row in issue.cves}
    issue.cves = [kept.get(cve_id) or IssueCve(cve_id=cve_id) for cve_id in wanted]
    texts = {row.language: row for row in issue.texts}
    issue.texts = [
        _worded(texts.get(language) or IssueText(language=language), words)
        for language, words in facts.texts.items()
        if language in LANGUAGES and words.title.strip()
    ]


def _worded(row: IssueText, words: IssueWords) -> IssueText:
    row.title = clean(words.title, field=mark("Title"), limit=300, required=True)
    row.description = clean(words.description, field=mark("Description"), limit=MAX_NOTES_CHARS)
    row.workaround = clean(words.workaround, field=mark("Workaround"), limit=MAX_NOTES_CHARS)
    return row


def link_issue(session: Session, release: Release, issue: Issue, relation: IssueRelation, *, by: Actor,
               at: datetime) -> ReleaseIssue:  # fmt: skip
    """Say that the release fixes the issue or has it; what was said before is replaced.

    Possible in a draft, and after publication too: what a release is found to have is told at once. Raises NotDraft
    while others review it, OtherProduct.
    """
    _require_open(session, release)
    if issue.product_id != release.product_id:
        raise OtherProduct(public_id=issue.public_id)
    link = session.get(ReleaseIssue, (release.id, issue.id))
    if link is None:
        link = ReleaseIssue(release_id=release.id, issue_id=issue.id, issue=issue)
        session.add(link)
    link.relation = relation
    told = {"issue": issue.public_id, "relation": relation}
    record(session, Tag.ISSUE_LINK, by=by, at=at, subject=release, named=named(release), **told)
    return link


def unlink_issue(session: Session, release: Release, issue: Issue, *, by: Actor, at: datetime) -> None:
    """Raises NotDraft while others review the release."""
    _require_open(session, release)
    link = session.get(ReleaseIssue, (release.id, issue.id))
    if link is None:
        return
    session.delete(link)
    told = {"issue": issue.public_id, "relation": None}
    record(session, Tag.ISSUE_LINK, by=by, at=at, subject=release, named=named(release), **told)


def _require_open(session: Session, release: Release) -> None:
    lock(session, release)
    if release.state in (ReleaseState.IN_REVIEW, ReleaseState.APPROVED):
        raise NotDraft(version=release.version)
