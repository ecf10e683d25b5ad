"""The problems list, one problem at a time: a draft with nothing wrong, and each thing that can be."""

import pytest

from portal.config import LANGUAGES
from portal.releases.models import (
    Artifact,
    ArtifactRole,
    Issue,
    IssueCve,
    IssueRelation,
    IssueText,
    Level,
    Release,
    ReleaseIssue,
    Waiver,
)
from portal.releases.rules import Draft, problems, still_open
from tests.portals import START


def file(**facts):
    return Artifact(name="a.bin", role=ArtifactRole.IMAGE, **{"read_back_at": START, **facts})


def issue(relation=IssueRelation.FIXED, languages=LANGUAGES, cves=()):
    texts = [IssueText(language=language, title="Stops") for language in languages]
    made = Issue(public_id="X-1", texts=texts, cves=[IssueCve(cve_id=cve) for cve in cves])
    return ReleaseIssue(relation=relation, issue=made)


def release(**facts):
    return Release(**{"version": "2.0", "version_key": "2", "level": Level.MAJOR, "is_security_fix": False, **facts})


def draft(**parts):
    texts = {language: {"summary": "Better", "rollback": "Back"} for language in LANGUAGES}
    whole = {"release": release(), "artifacts": (file(),), "texts": texts, "issues": (), "predecessor": None}
    return Draft(**{**whole, **parts})


def keys(found):
    return [one.key for one in found]


def test_a_draft_with_nothing_wrong():
    older = release(version_key="1")
    assert problems(draft(issues=(issue(cves=("CVE-2026-1234",)),), predecessor=older), LANGUAGES) == []


@pytest.mark.parametrize(
    ("parts", "expected", "waivable"),
    [
        ({"artifacts": ()}, "no-artifacts", False),
        ({"artifacts": (file(read_back_at=None),)}, "artifact-not-read-back:a.bin", False),
        ({"artifacts": (file(read_back_problem="gone"),)}, "artifact-read-back-failed:a.bin", False),
        ({"texts": {"en": {"summary": "x", "rollback": "x"}, "ru": {"rollback": "x"}}}, "no-notes:ru", False),
        ({"texts": {"ru": {"summary": "x", "rollback": "x"}, "en": {"summary": "  ", "rollback": "x"}}},
         "no-notes:en", False),
        ({"texts": {"en": {"summary": "x", "rollback": "x"}, "ru": {"summary": "x"}}},
         "no-rollback-instructions:ru", False),
        ({"predecessor": release(version_key="3")}, "version-not-after-predecessor", True),
        ({"predecessor": release(version_key="2")}, "version-not-after-predecessor", True),
        ({"release": release(lowest_from_key="2", lowest_from_version="2.0")}, "lowest-from-not-before", False),
        ({"release": release(level=Level.MAINTENANCE)}, "no-fixed-issue", True),
        ({"release": release(level=Level.PATCH)}, "no-fixed-issue", True),
        ({"release": release(level=Level.HOTFIX), "issues": (issue(IssueRelation.AFFECTED),)}, "no-fixed-issue", True),
        ({"release": release(is_security_fix=True), "issues": (issue(),)}, "security-fix-without-cve", True),
        ({"release": release(is_security_fix=True), "issues": (issue(IssueRelation.AFFECTED, cves=["CVE-2026-1234"]),)},
         "security-fix-without-cve", True),
        ({"issues": (issue(languages=("en",)),)}, "issue-without-text:X-1:ru", False),
        ({"issues": (issue(cves=("CVE-26-1",)),)}, "malformed-cve:CVE-26-1", False),
    ],
)  # fmt: skip
def test_each_problem(parts, expected, waivable):
    found = problems(draft(**parts), LANGUAGES)
    assert keys(found) == [expected]
    assert found[0].is_waivable is waivable
    assert "%(" not in found[0].sentence_in(str)


@pytest.mark.parametrize("level", [Level.MAJOR, Level.MINOR])
def test_levels_that_promise_no_fixes_need_none(level):
    assert problems(draft(release=release(level=level)), LANGUAGES) == []


def test_only_required_languages_are_asked_for():
    texts = {"en": {"summary": "x", "rollback": "x"}}
    assert problems(draft(texts=texts), ("en",)) == []


def test_a_waiver_lifts_its_own_problem_and_no_other():
    waivers = tuple(Waiver(problem=one, reason="x") for one in ("no-fixed-issue", "no-artifacts"))
    found = problems(draft(release=release(level=Level.PATCH), artifacts=(), waivers=waivers), LANGUAGES)
    assert keys(found) == ["no-artifacts", "no-fixed-issue"]
    assert keys(still_open(found)) == ["no-artifacts"]
