"""What is recommended next, why, and what stands in the way."""

import pytest

from portal.plans.rules import Verdict, is_stable
from portal.releases.models import IssueRelation, Release, ReleaseState
from portal.releases.versions import Scheme
from tests.portals import START

AFFECTED, FIXED = IssueRelation.AFFECTED, IssueRelation.FIXED


def versions(steps):
    return [step.release.version for step in steps]


def test_the_recommendation_of_the_installed_train_is_the_target_with_its_reason(world):
    world.release("1")
    world.release("2", is_required=True, downtime_minutes=5)
    wanted = world.release("3", downtime_minutes=7)
    world.release("4")
    world.recommend(wanted)
    plan = world.plan(world.device("1"))
    assert (plan.verdict, versions(plan.steps), plan.downtime_minutes) == (Verdict.READY, ["2", "3"], 12)
    assert "Runs well." in plan.why_in(str)
    assert plan.standing.is_behind
    assert plan.standing.life.support_days == 83
    assert plan.standing.is_ending


def test_without_a_recommendation_the_newest_stable_one_that_may_be_taken(world):
    world.release("1")
    world.release("2")
    world.release("3-rc1")
    plan = world.plan(world.device("1"))
    assert (versions(plan.steps), plan.standing.is_behind) == (["2"], False)
    assert plan.downtime_minutes is None
    assert world.plan(world.device("3")).verdict is Verdict.UP_TO_DATE


def test_what_is_newer_than_the_recommendation_stays(world):
    wanted = world.release("1")
    world.release("2")
    world.recommend(wanted)
    plan = world.plan(world.device("2"))
    assert (plan.verdict, plan.target) == (Verdict.UP_TO_DATE, None)
    assert "what is installed is newer" in plan.why_in(str)


def test_a_withdrawn_recommendation_is_none(world):
    world.release("1")
    world.recommend(world.release("2", state=ReleaseState.WITHDRAWN, withdrawn_at=START))
    assert world.plan(world.device("1")).verdict is Verdict.UP_TO_DATE
    plan = world.plan(world.device("2"))
    assert plan.standing.is_withdrawn


def test_nobody_knows_the_version(world):
    world.recommend(world.release("2"))
    plan = world.plan(world.device(""))
    assert (plan.verdict, plan.target.version, plan.steps) == (Verdict.UNKNOWN_VERSION, "2", ())


def test_the_contract_is_the_reason(world):
    """The way goes through what may not be taken: which release it is, and the decision's own sentence."""
    world.release("1")
    world.release("2", is_required=True)
    free = world.release("3", is_free_security_fix=True)
    world.recommend(free)
    with world.portal.sessions.begin() as session:
        session.merge(world.customer).suspend("Unpaid", START)
    plan = world.plan(world.device("1"))
    assert (plan.verdict, versions(plan.steps)) == (Verdict.NOT_ENTITLED, ["2", "3"])
    assert (plan.obstacle.reason, plan.obstacle.release.version) == ("contract", "2")
    assert "Unpaid" in plan.obstacle.sentence_in(str)


def test_a_free_fix_goes_past_the_contract_and_is_named(world):
    with world.portal.sessions.begin() as session:
        session.get_one(type(world.customer), world.customer.id)
        device_of_other = world.other
    world.customer = device_of_other  # it has no contract at all
    world.people["engineer"] = world.people["stranger"]
    world.release("1")
    world.release("2")
    world.recommend(world.release("3", is_free_security_fix=True))
    plan = world.plan(world.device("1"))
    assert (plan.verdict, versions(plan.steps)) == (Verdict.READY, ["3"])
    assert [release.version for release in plan.free_fixes] == ["3"]


def test_the_vendor_is_the_reason(world):
    world.release("1")
    world.recommend(world.release("4", lowest="3"))
    plan = world.plan(world.device("1"))
    assert (plan.verdict, plan.obstacle.reason) == (Verdict.NO_WAY, "vendor")
    said = plan.obstacle.sentence_in(str)
    assert "4" in said
    assert "over 3 or newer" in said


def test_a_required_release_that_is_not_open_bars_the_way_and_is_not_named(world):
    world.release("1")
    meanwhile = world.release("2")
    world.release("77", is_required=True, open_from=None)
    world.recommend(world.release("78"))
    plan = world.plan(world.device("1"))
    assert (plan.verdict, plan.obstacle.release) == (Verdict.NO_WAY, None)
    assert plan.meanwhile.version == meanwhile.version
    assert "77" not in plan.obstacle.sentence_in(str)


def test_issues_of_versions_between_and_after_withdrawn_fixes(world):
    first = world.release("1")
    fixed = world.release("3")
    bad_fix = world.release("5", state=ReleaseState.WITHDRAWN, withdrawn_at=START)
    world.issue("A-1", (first, AFFECTED), (fixed, FIXED), cve="CVE-2026-1")
    world.issue("B-1", (first, AFFECTED), (bad_fix, FIXED))
    world.issue("C-1", (first, AFFECTED), is_public=False)
    named = {
        version: [issue.public_id for issue in world.plan(world.device(version)).standing.issues]
        for version in ("0.9", "1", "2", "3", "6")
    }
    assert named == {"0.9": [], "1": ["A-1", "B-1"], "2": ["A-1", "B-1"], "3": ["B-1"], "6": ["B-1"]}
    plan = world.plan(world.device("1"))
    assert [issue.public_id for issue in plan.steps[0].solved] == ["A-1"]
    assert [issue.public_id for issue in plan.steps[0].issues] == ["B-1"]
    assert plan.standing.is_insecure


@pytest.mark.parametrize(
    ("version", "scheme", "stable"),
    [
        ("1.4.0", Scheme.SEMANTIC, True), ("1.4.0-rc.1", Scheme.SEMANTIC, False), ("1.4.0+b-1", Scheme.SEMANTIC, True),
        ("4.2-1", Scheme.DEBIAN, True), ("4.2~beta1-1", Scheme.DEBIAN, False),
        ("15.1R7-S10", Scheme.NATURAL, True), ("2.0-rc1", Scheme.NATURAL, False), ("2.0beta", Scheme.NATURAL, False),
        ("R22A", Scheme.NATURAL, True), ("1.0-arc", Scheme.NATURAL, True),
    ],
)  # fmt: skip
def test_what_is_stable(version, scheme, stable):
    assert is_stable(Release(version=version), scheme) is stable
