"""Who sees what of products, releases, files and issues."""

from dataclasses import replace

import pytest

from portal.actors import NOBODY, PORTAL_COMMAND, Actor, Via
from portal.errors import NotFound
from portal.permissions import OrganisationKind
from portal.releases import queries, service
from portal.releases.models import IssueRelation, ReleaseState, Severity
from tests.factories import make_artifact, make_product, make_release
from tests.portals import START

CUSTOMER = Actor(Via.SESSION, kind=OrganisationKind.CUSTOMER)
SUPPORT = replace(CUSTOMER, kind=OrganisationKind.SUPPORT)
BY = {"by": PORTAL_COMMAND, "at": START}


def finds(act):
    try:
        act()
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("state", list(ReleaseState))
def test_customers_see_releases_only_once_published(portal, state):
    with portal.sessions() as session:
        release = make_release(session, make_product(session), "1.0")
        artifact = make_artifact(session, portal.store, release)
        release.state, release.published_at = state, START
        session.flush()
        is_public = state in (ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)
        for actor, sees in ((SUPPORT, True), (CUSTOMER, is_public), (NOBODY, False)):
            assert finds(lambda actor=actor: queries.get(session, release.id, visible_to=actor)) is sees
            assert finds(lambda actor=actor: queries.get_artifact(session, artifact.id, visible_to=actor)) is sees
            assert bool(session.scalars(queries.releases_of(release.product_id, actor)).all()) is sees


def test_a_file_taken_off_is_not_found(portal):
    with portal.sessions() as session:
        release = make_release(session, make_product(session), "1.0")
        artifact = make_artifact(session, portal.store, release)
        service.remove_artifact(session, release, artifact, **BY)
        assert not finds(lambda: queries.get_artifact(session, artifact.id, visible_to=PORTAL_COMMAND))


@pytest.mark.parametrize("is_listed", [True, False])
def test_unlisted_products_are_the_staffs_affair(portal, is_listed):
    with portal.sessions() as session:
        product = make_product(session, is_listed=is_listed)
        for actor, sees in ((SUPPORT, True), (CUSTOMER, is_listed), (NOBODY, False)):
            for name in (product.id, product.code, str(product.id)):
                assert finds(lambda a=actor, n=name: queries.get_product(session, n, visible_to=a)) is sees
            assert bool(session.scalars(queries.products(actor)).all()) is sees


def test_issues_are_for_customers_once_public(portal):
    with portal.sessions() as session:
        release = make_release(session, make_product(session), "1.0")
        for number, is_public in enumerate((True, False)):
            facts = service.IssueFacts(f"X-{number}", Severity.LOW, is_public=is_public)
            issue = service.create_issue(session, release.product, facts, **BY)
            service.link_issue(session, release, issue, IssueRelation.AFFECTED, **BY)
        assert len(queries.issues_of(session, release.id)) == 2
        assert [link.issue.public_id for link in queries.issues_of(session, release.id, visible_to=CUSTOMER)] == ["X-0"]
        assert finds(lambda: queries.get_issue(session, "X-0", visible_to=CUSTOMER))
        assert not finds(lambda: queries.get_issue(session, "X-1", visible_to=CUSTOMER))
        assert finds(lambda: queries.get_issue(session, "X-1", visible_to=SUPPORT))


def test_versions_come_highest_first(portal):
    with portal.sessions() as session:
        product = make_product(session)
        for version in ("15.1R7-S9", "15.1R7-S10", "15.1R7-S2"):
            release = make_release(session, product, version)
            release.state, release.published_at = ReleaseState.PUBLISHED, START
        session.flush()
        found = session.scalars(queries.releases_of(product.id, CUSTOMER))
        assert [release.version for release in found] == ["15.1R7-S10", "15.1R7-S9", "15.1R7-S2"]
