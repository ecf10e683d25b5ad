"""What stands in the way of a release: pure questions about a draft, answered as one list (DESIGN 3.1)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.errors import mark
from portal.releases.cve import MalformedCve, parse_cve
from portal.releases.models import (
    FIXING_LEVELS,
    LEVEL_TITLES,
    Artifact,
    IssueRelation,
    Release,
    ReleaseIssue,
    Section,
    Waiver,
)

NO_ARTIFACTS = mark("No file has been uploaded.")
NOT_READ_BACK = mark("%(name)s is still being read back from the store.")
READ_BACK_FAILED = mark("%(name)s did not come back from the store as it was uploaded: %(problem)s.")
NO_NOTES = mark("The release notes have no summary in the language %(language)s.")
NO_ROLLBACK = mark("The release notes say nothing about rollback in the language %(language)s.")
NOT_AFTER = mark("%(version)s does not come after %(predecessor)s, which is published.")
NO_FIXED_ISSUE = mark("A %(level)s release promises fixes, but no fixed issue is linked.")
NO_ISSUE_TEXT = mark("%(issue)s has no title in the language %(language)s.")
MALFORMED_CVE = mark("%(issue)s names %(cve)s, which is no CVE id.")
LOWEST_NOT_BEFORE = mark("It can be installed over %(lowest)s and later, but %(lowest)s does not come before it.")
NO_CVE = mark("It is marked as a security fix, but no fixed issue with a CVE id is linked.")


@dataclass(frozen=True)
class Problem:
    """Something that keeps a release from leaving draft, unless `waiver` says who takes it upon themselves.

    `key` names it for waivers: the code, and what it is about where one code can occur several times.
    """

    code: str
    sentence: str
    facts: Mapping[str, object]
    is_waivable: bool = False
    about: str = ""
    waiver: Waiver | None = None

    @property
    def key(self) -> str:
        return f"{self.code}:{self.about}" if self.about else self.code

    @property
    def is_open(self) -> bool:
        return self.waiver is None

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        facts = dict(self.facts)
        for name in facts.keys() & {"problem", "level"}:  # words of ours inside the sentence
            facts[name] = translate(str(facts[name]))
        return translate(self.sentence) % facts


@dataclass(frozen=True)
class Draft:
    """All that the rules look at. `texts` is {language: {section: Markdown}}; `issues` have texts and CVE ids."""

    release: Release
    artifacts: tuple[Artifact, ...]
    texts: Mapping[str, Mapping[str, str]]
    issues: tuple[ReleaseIssue, ...]
    predecessor: Release | None
    waivers: tuple[Waiver, ...] = ()


def problems(draft: Draft, languages: Iterable[str]) -> list[Problem]:
    """Everything that is wrong, waived or not. `languages`: those that notes and issues must be written in."""
    required = tuple(languages)
    found = [
        *_of_files(draft),
        *_of_notes(draft, required),
        *_of_version(draft.release, draft.predecessor),
        *_of_issues(draft, required),
    ]
    waivers = {waiver.problem: waiver for waiver in draft.waivers}
    return [replace(one, waiver=waivers.get(one.key)) if one.is_waivable else one for one in found]


def still_open(found: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in found if problem.is_open]


def _of_files(draft: Draft) -> Iterator[Problem]:
    if not draft.artifacts:
        yield Problem("no-artifacts", NO_ARTIFACTS, {})
    for artifact in draft.artifacts:
        if artifact.read_back_problem:
            facts = {"name": artifact.name, "problem": artifact.read_back_problem}
            yield Problem("artifact-read-back-failed", READ_BACK_FAILED, facts, about=artifact.name)
        elif artifact.read_back_at is None:
            yield Problem("artifact-not-read-back", NOT_READ_BACK, {"name": artifact.name}, about=artifact.name)


def _of_notes(draft: Draft, languages: tuple[str, ...]) -> Iterator[Problem]:
    for language in languages:
        written = draft.texts.get(language, {})
        facts = {"language": language}
        if not written.get(Section.SUMMARY, "").strip():
            yield Problem("no-notes", NO_NOTES, facts, about=language)
        if not written.get(Section.ROLLBACK, "").strip():
            yield Problem("no-rollback-instructions", NO_ROLLBACK, facts, about=language)


def _of_version(release: Release, predecessor: Release | None) -> Iterator[Problem]:
    if predecessor is not None and release.version_key <= predecessor.version_key:
        facts = {"version": release.version, "predecessor": predecessor.version}
        yield Problem("version-not-after-predecessor", NOT_AFTER, facts, is_waivable=True)
    if release.lowest_from_key is not None and release.lowest_from_key >= release.version_key:
        yield Problem("lowest-from-not-before", LOWEST_NOT_BEFORE, {"lowest": release.lowest_from_version})


def _of_issues(draft: Draft, languages: tuple[str, ...]) -> Iterator[Problem]:
    release = draft.release
    fixed = [link.issue for link in draft.issues if link.relation is IssueRelation.FIXED]
    if release.level in FIXING_LEVELS and not fixed:
        yield Problem("no-fixed-issue", NO_FIXED_ISSUE, {"level": LEVEL_TITLES[release.level]}, is_waivable=True)
    if release.is_security_fix and not any(issue.cves for issue in fixed):
        yield Problem("security-fix-without-cve", NO_CVE, {}, is_waivable=True)
    for link in draft.issues:
        yield from _of_issue(link, languages)


def _of_issue(link: ReleaseIssue, languages: tuple[str, ...]) -> Iterator[Problem]:
    issue = link.issue
    titles: dict[str, Any] = {text.language: text.title.strip() for text in issue.texts}
    for language in languages:
        if not titles.get(language):
            facts = {"issue": issue.public_id, "language": language}
            yield Problem("issue-without-text", NO_ISSUE_TEXT, facts, about=f"{issue.public_id}:{language}")
    for row in issue.cves:
        if not _is_cve(row.cve_id):
            facts = {"issue": issue.public_id, "cve": row.cve_id}
            yield Problem("malformed-cve", MALFORMED_CVE, facts, about=row.cve_id)


def _is_cve(text: str) -> bool:
    try:
        return parse_cve(text) == text
    except MalformedCve:
        return False
