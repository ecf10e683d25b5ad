"""Verbs on release notes: a draft's are edited in place, a published release's are corrected by dated revisions."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.config import LANGUAGES
from portal.errors import mark
from portal.jobs.service import enqueue
from portal.releases import queries
from portal.releases.drafts import named
from portal.releases.errors import NotDraft, NotPublished, ReasonMissing, UnknownSection
from portal.releases.locking import lock
from portal.releases.markdown import MAX_NOTES_CHARS, NotesTooLong
from portal.releases.models import SECTION_TITLES, NotesRevision, Release, ReleaseState, Section
from portal.releases.texts import clean

CORRECTED = "releases.corrected"
"""The job that tells every customer whom a correction of published notes concerns."""
Texts = Mapping[str, Mapping[str, str]]
"""{language: {section: Markdown}}."""

_SECTIONS = frozenset(section.value for section in Section)


def save_notes(
    session: Session, release: Release, texts: Texts, *, reason: str = "", by: Actor, at: datetime
) -> NotesRevision:
    """Keep the notes of the given languages; languages not named stay as they are.

    In a draft the last revision is edited in place. Once published, what changed becomes a new revision with its date
    and reason; the manifest goes on naming the digest of the notes as they were published.

    Raises NotDraft (in review or approved), NotPublished (withdrawn), ReasonMissing, UnknownSection, NotesTooLong,
    BadText.
    """
    lock(session, release)
    if release.state in (ReleaseState.IN_REVIEW, ReleaseState.APPROVED):
        raise NotDraft(version=release.version)
    if release.state is ReleaseState.WITHDRAWN:
        raise NotPublished(version=release.version)
    last = queries.current_notes(session, release.id)
    merged = {**(last.texts if last else {}), **_checked(texts)}
    merged = {language: sections for language, sections in merged.items() if sections}
    if last is not None and merged == last.texts:
        return last
    reason = clean(reason, field=mark("Reason"), limit=500)
    if release.is_published and not reason:
        raise ReasonMissing
    if last is None or release.is_published:
        last = NotesRevision(release_id=release.id, number=last.number + 1 if last else 1)
        session.add(last)
    last.texts, last.at, last.by, last.reason = merged, at, by.person_id, reason
    tag = Tag.NOTES_CORRECT if release.is_published else Tag.NOTES_SAVE
    told = {"revision": last.number, "languages": sorted(texts), "reason": reason}
    record(session, tag, by=by, at=at, subject=release, named=named(release), **told)
    if release.is_published:
        enqueue(session, CORRECTED, at=at, release_id=str(release.id), number=last.number)
    return last


def notes_bytes(texts: Texts) -> bytes:
    """The notes as the manifest's digest counts them: JSON with sorted names, no blanks, in UTF-8."""
    return json.dumps(texts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _checked(texts: Texts) -> dict[str, dict[str, str]]:
    checked: dict[str, dict[str, str]] = {}
    for language, sections in texts.items():
        kept: dict[str, str] = {}
        for section, text in sections.items():
            if language not in LANGUAGES or section not in _SECTIONS:
                raise UnknownSection(section=section[:40], language=language[:8])
            if len(text) > MAX_NOTES_CHARS:
                raise NotesTooLong(len(text))
            plain = text.replace("\r\n", "\n")
            kept[str(section)] = clean(plain, field=SECTION_TITLES[Section(section)], limit=MAX_NOTES_CHARS)
        checked[language] = {section: text for section, text in kept.items() if text}
    return checked
