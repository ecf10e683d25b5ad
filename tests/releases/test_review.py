"""The states of a release: every verb from every state, four eyes, waivers."""

from io import BytesIO

import pytest

from portal.actors import PORTAL_COMMAND
from portal.config import LANGUAGES
from portal.errors import PortalError
from portal.releases import queries, service
from portal.releases.errors import NotDraft, NotWaivable, ProblemsRemain, SamePerson
from portal.releases.models import ArtifactRole, IssueRelation, Level, ReleaseState, Severity
from tests.factories import make_artifact, make_notes, make_product, make_release
from tests.portals import START

D, R, A, P, W = ReleaseState
BY = {"by": PORTAL_COMMAND, "at": START}
WORDS = {language: {"summary": "New words"} for language in LANGUAGES}


def upload(portal, session, release):
    received = portal.store.receive(BytesIO(b"more"), limit_bytes=10)
    service.add_artifact(session, release, service.NewArtifact("b.bin", ArtifactRole.IMAGE, "", received), **BY)


def link(_portal, session, release):
    issue = service.create_issue(session, release.product, service.IssueFacts("X-1", Severity.LOW), **BY)
    service.link_issue(session, release, issue, IssueRelation.AFFECTED, **BY)


VERBS = {
    "change": lambda _p, s, r: service.change_release(s, r, service.ReleaseFacts("1.1", Level.MAJOR), **BY),
    "upload": upload,
    "remove file": lambda _p, s, r: service.remove_artifact(s, r, r.artifacts[0], **BY),
    "write notes": lambda _p, s, r: service.save_notes(s, r, WORDS, reason="Wrong", **BY),
    "link issue": link,
    "set audience": lambda _p, s, r: service.set_audience(s, r, service.Audience(open_from=START), **BY),
    "submit": lambda _p, s, r: service.submit(s, r, languages=LANGUAGES, **BY),
    "return": lambda _p, s, r: service.return_to_draft(s, r, reason="Wrong", **BY),
    "approve": lambda _p, s, r: service.approve(s, r, languages=LANGUAGES, second_person=False, **BY),
    "publish": lambda p, s, r: service.publish(s, r, languages=LANGUAGES, signer=p.resources.signer(), **BY),
    "recommend": lambda _p, s, r: service.recommend(s, r, reason="Stable", **BY),
    "withdraw": lambda _p, s, r: service.withdraw(s, r, reason="It burns", replacement=None, **BY),
}

# What each verb leads to from each state: a state, or the code of the refusal.
TABLE = {
    #                draft           in review         approved          published            withdrawn
    "change":       (D,              "not-draft",      "not-draft",      "not-draft",         "not-draft"),
    "upload":       (D,              "not-draft",      "not-draft",      "not-draft",         "not-draft"),
    "remove file":  (D,              "not-draft",      "not-draft",      "not-draft",         "not-draft"),
    "write notes":  (D,              "not-draft",      "not-draft",      P,                   "not-published"),
    "link issue":   (D,              "not-draft",      "not-draft",      P,                   W),
    "set audience": (D,              R,                A,                P,                   "not-published"),
    "submit":       (R,              "not-draft",      "not-draft",      "not-draft",         "not-draft"),
    "return":       ("not-in-review", D,               D,                "not-in-review",     "not-in-review"),
    "approve":      ("not-in-review", A,               "not-in-review",  "not-in-review",     "not-in-review"),
    "publish":      ("not-approved", "not-approved",   P,                "already-published", "already-published"),
    "recommend":    ("not-published", "not-published", "not-published",  P,                   "not-published"),
    "withdraw":     ("not-published", "not-published", "not-published",  W,                   "not-published"),
}  # fmt: skip
WALK = {D: (), R: ("submit",), A: ("submit", "approve"), P: ("submit", "approve", "publish"),
        W: ("submit", "approve", "publish", "withdraw")}  # fmt: skip


def complete_draft(portal, session, **facts):
    release = make_release(session, make_product(session), "1.0", **facts)
    make_artifact(session, portal.store, release)
    make_notes(session, release)
    session.expire_all()
    return queries.get(session, release.id, visible_to=PORTAL_COMMAND)


@pytest.mark.parametrize("verb", TABLE)
def test_every_verb_from_every_state(portal, verb):
    for state, expected in zip(ReleaseState, TABLE[verb], strict=True):
        with portal.sessions() as session:
            release = complete_draft(portal, session)
            for step in WALK[state]:
                VERBS[step](portal, session, release)
            assert release.state is state
            if isinstance(expected, ReleaseState):
                VERBS[verb](portal, session, release)
                assert release.state is expected
            else:
                with pytest.raises(PortalError) as refusal:
                    VERBS[verb](portal, session, release)
                assert refusal.value.code == expected, (state, verb)


def test_nothing_leaves_draft_with_a_problem_and_the_refusal_names_them(portal):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0", level=Level.PATCH)
        with pytest.raises(ProblemsRemain) as refusal:
            service.submit(session, release, languages=LANGUAGES, **BY)
        assert refusal.value.facts["problems"] == "no-artifacts, no-notes, no-rollback-instructions, no-fixed-issue"
        assert release.state is D


@pytest.mark.parametrize("step", ["approve", "publish"])
def test_problems_are_looked_for_again_at_each_step(portal, step):
    with portal.sessions() as session:
        release = complete_draft(portal, session)
        for earlier in WALK[R if step == "approve" else A]:
            VERBS[earlier](portal, session, release)
        release.artifacts[0].read_back_problem = "gone"
        with pytest.raises(ProblemsRemain):
            VERBS[step](portal, session, release)


def test_who_uploaded_or_submitted_does_not_approve(portal, vendor):
    def approve(session, release, by, second_person=True):
        service.approve(session, release, languages=LANGUAGES, second_person=second_person, by=by, at=START)

    with portal.sessions() as session:
        release = complete_draft(portal, session)
        release.artifacts[0].uploaded_by = vendor.approver.id
        service.submit(session, release, languages=LANGUAGES, by=vendor.by, at=START)
        for person in (vendor.by, vendor.second):
            with pytest.raises(SamePerson):
                approve(session, release, person)
        release.artifacts[0].uploaded_by = vendor.publisher.id
        session.flush()
        approve(session, release, vendor.second)
        assert (release.approved_by, release.approved_at) == (vendor.approver.id, START)
        service.return_to_draft(session, release, reason="Again", by=vendor.by, at=START)
        assert (release.approved_by, release.submitted_by) == (None, None)
        service.submit(session, release, languages=LANGUAGES, by=vendor.by, at=START)
        approve(session, release, vendor.by, second_person=False)


def test_a_waiver_carries_name_and_reason_and_lets_the_draft_go(portal, vendor):
    with portal.sessions() as session:
        release = complete_draft(portal, session, level=Level.PATCH)
        with pytest.raises(ProblemsRemain):
            service.submit(session, release, languages=LANGUAGES, **BY)
        for problem in ("no-artifacts", "version-not-after-predecessor", "nonsense"):
            with pytest.raises(NotWaivable):
                service.give_waiver(session, release, problem=problem, reason="Because", by=vendor.by, at=START)
        with pytest.raises(PortalError) as refusal:
            service.give_waiver(session, release, problem="no-fixed-issue", reason=" ", by=vendor.by, at=START)
        assert refusal.value.code == "bad-text"
        waiver = service.give_waiver(
            session, release, problem="no-fixed-issue", reason="A rebuild", by=vendor.by, at=START
        )
        assert (waiver.by_name, waiver.by, waiver.reason) == (vendor.publisher.name, vendor.publisher.id, "A rebuild")
        service.submit(session, release, languages=LANGUAGES, **BY)
        with pytest.raises(NotDraft):
            service.give_waiver(session, release, problem="no-fixed-issue", reason="x", by=vendor.by, at=START)


def test_waivers_fall_when_the_facts_they_spoke_of_change(portal):
    with portal.sessions() as session:
        release = complete_draft(portal, session, level=Level.PATCH)
        service.give_waiver(session, release, problem="no-fixed-issue", reason="A rebuild", **BY)
        service.change_release(session, release, service.ReleaseFacts("1.0", Level.PATCH, is_required=True), **BY)
        assert len(queries.waivers(session, release.id)) == 1
        service.change_release(session, release, service.ReleaseFacts("1.0", Level.HOTFIX), **BY)
        assert queries.waivers(session, release.id) == []
