"""Products, trains, export rules, drafts, issues: what their verbs refuse."""

from datetime import date

import pytest

from portal.accounts.models import EndUse
from portal.actors import PORTAL_COMMAND
from portal.errors import PortalError
from portal.releases import queries, service
from portal.releases.models import Category, IssueRelation, Level, Severity
from portal.releases.versions import Scheme
from tests.factories import make_product, make_published, make_release
from tests.portals import START

BY = {"by": PORTAL_COMMAND, "at": START}


def facts(**given):
    whole = {"code": "router", "name": "Router", "category": Category.FIRMWARE, "scheme": Scheme.SEMANTIC}
    return service.ProductFacts(**{**whole, **given})


def refusal_of(act):
    with pytest.raises(PortalError) as refusal:
        act()
    assert "%(" not in str(refusal.value)
    return refusal.value.code


@pytest.mark.parametrize("code", ["", "Router", "a b", "-a", "a-", "a" * 61, "new", "é", "a\0"])
def test_codes_that_are_refused(portal, code):
    with portal.sessions() as session:
        assert refusal_of(lambda: service.create_product(session, facts(code=code), **BY)) == "bad-code"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\0b"])
def test_names_that_are_refused(portal, name):
    with portal.sessions() as session:
        assert refusal_of(lambda: service.create_product(session, facts(name=name), **BY)) == "bad-text"


def test_a_code_stands_for_one_product_and_stays_once_there_are_releases(portal):
    with portal.sessions.begin() as session:
        service.create_product(session, facts(family="Routers"), **BY)
        assert refusal_of(lambda: service.create_product(session, facts(), **BY)) == "code-taken"
    with portal.sessions.begin() as session:
        product = queries.get_product(session, "router", visible_to=PORTAL_COMMAND)
        service.change_product(session, product, facts(code="router-2", family="Routers"), **BY)
        make_release(session, product, "1.0.0")
        assert product.family.name == "Routers"
        for other in ({"code": "router-3"}, {"code": "router-2", "scheme": Scheme.NATURAL}):
            assert refusal_of(lambda given=other: service.change_product(session, product, facts(**given), **BY)) == (
                "scheme-fixed"
            )
        service.change_product(session, product, facts(code="router-2", name="New name"), **BY)
        assert (product.name, product.family) == ("New name", None)


def test_dates_of_a_train_follow_one_another(portal):
    with portal.sessions() as session:
        product = make_product(session)
        good = service.TrainFacts("15.1", date(2026, 1, 1), None, date(2028, 1, 1), date(2029, 1, 1))
        train = service.save_train(session, product, good, **BY)
        assert refusal_of(lambda: service.save_train(session, product, good, **BY)) == "train-taken"
        bad = service.TrainFacts("15.2", date(2026, 1, 1), date(2025, 12, 31))
        assert refusal_of(lambda: service.save_train(session, product, bad, **BY)) == "bad-train-dates"
        service.save_train(session, product, service.TrainFacts("15.1", date(2026, 2, 1)), train=train, **BY)
        assert train.end_of_support is None


@pytest.mark.parametrize(("country", "end_use"), [(None, None), ("DEU", None), ("1A", None), ("Д", EndUse.CIVIL)])
def test_export_rules_that_say_nothing(portal, country, end_use):
    with portal.sessions() as session:
        rule = service.ExportRuleFacts(country, end_use, "§ 7")
        product = make_product(session)
        assert refusal_of(lambda: service.add_export_rule(session, product, rule, **BY)) == "bad-export-rule"


def test_an_export_rule_comes_and_goes(portal):
    with portal.sessions() as session:
        product = make_product(session)
        rule = service.add_export_rule(session, product, service.ExportRuleFacts(" kp", EndUse.MILITARY, "§ 7"), **BY)
        assert [(one.country, one.end_use) for one in queries.export_rules(session, product.id)] == [("KP", "military")]
        service.remove_export_rule(session, product, rule, **BY)
        assert queries.export_rules(session, product.id) == []


def test_versions_of_drafts(portal):
    with portal.sessions() as session:
        product, other = make_product(session, scheme=Scheme.SEMANTIC), make_product(session)
        make_release(session, product, "1.0.0")
        foreign = service.save_train(session, other, service.TrainFacts("1"), **BY)
        for given, code in (
            ({"version": "1.0"}, "malformed-version"),
            ({"version": "1.0.0+build7"}, "version-taken"),
            ({"version": "1.0.1", "lowest_from_version": "one"}, "malformed-version"),
            ({"version": "1.0.1", "train": foreign}, "wrong-train"),
            ({"version": "1.0.1", "downtime_minutes": -1}, "bad-field"),
            ({"version": "1.0.1", "downtime_minutes": 10_001}, "bad-field"),
        ):
            assert refusal_of(lambda given=given: make_release(session, product, **given)) == code
        free = make_release(session, product, "1.0.1", is_free_security_fix=True, downtime_minutes=0)
        assert free.is_security_fix
        assert free.downtime_minutes == 0


def test_the_predecessor_is_of_the_same_train(portal):
    with portal.sessions() as session:
        product = make_product(session)
        one, two = (service.save_train(session, product, service.TrainFacts(name), **BY) for name in ("1", "2"))
        make_published(portal.resources, session, make_release(session, product, "1.5", train=one))
        make_published(portal.resources, session, make_release(session, product, "2.0", train=two))
        newer = make_release(session, product, "1.6", train=one)
        assert queries.predecessor(session, newer).version == "1.5"
        assert queries.predecessor(session, make_release(session, product, "1.7")).version == "2.0"
        assert queries.predecessor(session, make_release(session, make_product(session), "1.0")) is None


def issue_facts(public_id="X-1", **given):
    return service.IssueFacts(public_id, Severity.HIGH, **given)


def test_issues_and_what_they_refuse(portal):
    with portal.sessions() as session:
        product = make_product(session)
        words = {"en": service.IssueWords(" Stops "), "ru": service.IssueWords("")}
        given = issue_facts(texts=words, cves=("cve-2026-12345", "CVE-2026-12345", "CVE-2025-0001"))
        issue = service.create_issue(session, product, given, **BY)
        assert sorted(row.cve_id for row in issue.cves) == ["CVE-2025-0001", "CVE-2026-12345"]
        assert [(row.language, row.title) for row in issue.texts] == [("en", "Stops")]
        session.flush()
        service.change_issue(session, issue, issue_facts(cves=("CVE-2025-0001",)), **BY)
        session.flush()
        session.expire_all()
        again = queries.get_issue(session, "X-1", visible_to=PORTAL_COMMAND)
        assert ([row.cve_id for row in again.cves], again.texts) == (["CVE-2025-0001"], [])
        for public_id, more, code in (
            ("X-1", {}, "issue-taken"),
            ("new", {}, "bad-issue-id"),
            ("X/1", {}, "bad-issue-id"),
            ("X" * 41, {}, "bad-issue-id"),
            ("X-2", {"cves": ("CVE-26-1",)}, "malformed-cve"),
            ("X-2", {"texts": {"en": service.IssueWords("x" * 301)}}, "bad-text"),
        ):
            new = issue_facts(public_id, **more)
            assert refusal_of(lambda new=new: service.create_issue(session, product, new, **BY)) == code


def test_links_of_issues(portal):
    with portal.sessions() as session:
        product = make_product(session)
        release = make_release(session, product, "1.0")
        issue = service.create_issue(session, product, issue_facts(), **BY)
        foreign = service.create_issue(session, make_product(session), issue_facts("Y-1"), **BY)
        fixed = IssueRelation.FIXED
        assert refusal_of(lambda: service.link_issue(session, release, foreign, fixed, **BY)) == "other-product"
        service.link_issue(session, release, issue, IssueRelation.AFFECTED, **BY)
        service.link_issue(session, release, issue, fixed, **BY)
        session.flush()
        assert [link.relation for link in queries.issues_of(session, release.id)] == [fixed]
        assert queries.linkable_issues(session, release) == []
        service.unlink_issue(session, release, issue, **BY)
        service.unlink_issue(session, release, issue, **BY)
        assert queries.issues_of(session, release.id) == []
        assert release.level is Level.MAJOR
