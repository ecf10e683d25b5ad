from datetime import date, timedelta

import pytest

from portal.entitlements.decision import RefusalCode
from portal.releases.models import ExportRule, Level, ReleaseState
from portal.tickets import fixes, queries
from tests.portals import START

WITHDRAWN = {"state": ReleaseState.WITHDRAWN, "withdrawn_at": START, "withdrawn_because": "It burns"}


def fix(world, number, who="alpha", at=START):
    """(version, what the decision says) for each issue of the ticket; (None, None) where there is no fix."""
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        issues = queries.linked_issues(session, ticket, visible_to=world.actors[who], at=at)
        found = fixes.fixes_of(session, ticket, issues, at=at)
        return [(one.release and one.release.version, one.decision and str(one.decision.code)) for one in found]


def test_no_issue_no_fix(world):
    assert fix(world, world.open()) == []


def test_not_fixed_yet(world):
    number = world.open()
    world.link(number, issue=world.issue("NX-1"))
    assert fix(world, number) == [(None, None)]


def test_the_lowest_that_may_be_taken(world):
    world.contract(world.core)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", world.release("4.10"), world.release("4.9"), world.release("5.0")))
    assert fix(world, number) == [("4.9", "active-contract")]


def test_a_lower_one_that_may_not_be_taken_is_passed_over(world):
    world.contract(world.core, levels=Level.MAJOR)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", world.release("4.9"), world.release("5.0", level=Level.MAJOR)))
    assert fix(world, number) == [("5.0", "active-contract")]


def test_what_is_missing_is_said_of_the_lowest(world):
    number = world.open()
    world.link(number, issue=world.issue("NX-1", world.release("4.10"), world.release("4.9")))
    assert fix(world, number) == [("4.9", "no-contract")]
    world.contract(world.core, first=date(2025, 1, 1), last=date(2025, 12, 31))
    assert fix(world, number) == [("4.9", "contract-expired")]


def test_the_remedy_is_the_decisions_own(world):
    number = world.open()
    world.link(number, issue=world.issue("NX-1", world.release("4.9")))
    world.contract(world.core, first=date(2025, 1, 1), last=date(2025, 12, 31))
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        issues = queries.linked_issues(session, ticket, visible_to=world.actors["alpha"], at=START)
        decision = fixes.fixes_of(session, ticket, issues, at=START)[0].decision
        assert decision.code is RefusalCode.CONTRACT_EXPIRED
        assert "17-204" in decision.sentence_in(str)


def test_withdrawn_fixes_do_not_count(world):
    world.contract(world.core)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", world.release("4.9", **WITHDRAWN)))
    assert fix(world, number) == [(None, None)]
    world.link(number, issue=world.issue("NX-2", world.release("4.8", **WITHDRAWN), world.release("4.11")))
    assert fix(world, number) == [(None, None), ("4.11", "active-contract")]


@pytest.mark.parametrize(
    "hidden",
    [
        {"state": ReleaseState.DRAFT, "published_at": None},
        {"state": ReleaseState.APPROVED, "published_at": None},
        {"open_from": None},  # named customers only, and this one is not named
        {"open_from": START + timedelta(hours=1)},
    ],
)
def test_nothing_about_what_the_customer_may_not_know(world, hidden):
    world.contract(world.core)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", world.release("4.9", **hidden)))
    for who in ("alpha", "tsc"):
        assert fix(world, number, who) == [(None, None)]


def test_a_wave_opens_at_its_minute(world):
    world.contract(world.core)
    number, opens = world.open(), START + timedelta(hours=1)
    world.link(number, issue=world.issue("NX-1", world.release("4.9", open_from=opens)))
    assert fix(world, number, at=opens - timedelta(microseconds=1)) == [(None, None)]
    assert fix(world, number, at=opens) == [("4.9", "active-contract")]


def test_an_export_rule_hides_the_fix(world):
    world.contract(world.core)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", world.release("4.9")))
    with world.begin() as session:
        session.add(ExportRule(product_id=world.core.id, country=world.alpha.country, clause="§ 1"))
    assert fix(world, number) == []
    assert fix(world, number, "tsc") == [(None, None)]


def test_only_what_is_above_the_installed_version(world):
    world.contract(world.core)
    issue = world.issue("NX-1", world.release("4.9"), world.release("4.11"))
    for installed, version in (("4.8", "4.9"), ("4.9", "4.11"), ("4.10", "4.11"), ("4.12", None), ("???", "4.9")):
        number = world.open(product=world.core, installed_version=installed)
        world.link(number, issue=issue)
        assert fix(world, number) == [(version, version and "active-contract")], installed


def test_the_installed_version_of_another_product_says_nothing(world):
    world.contract(world.secret)
    number = world.open(product=world.secret, installed_version="9.9")
    world.link(number, issue=world.issue("NX-1", world.release("4.9")))
    assert fix(world, number) == [("4.9", "no-contract")]


def test_each_issue_for_itself(world):
    world.contract(world.core)
    number, release = world.open(), world.release("4.9")
    world.link(number, issue=world.issue("NX-2", release))
    world.link(number, issue=world.issue("NX-1"))
    assert fix(world, number) == [(None, None), ("4.9", "active-contract")]


def test_asked_in_few_statements(world):
    number = world.open()
    world.link(number, issue=world.issue("NX-1", *(world.release(f"4.{minor}") for minor in range(20))))
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        issues = queries.linked_issues(session, ticket, visible_to=world.actors["alpha"], at=START)
        with world.statements() as asked:
            fixes.fixes_of(session, ticket, issues, at=START)
    assert len(asked) == 21  # the candidates, and a decision for each: none may be taken
