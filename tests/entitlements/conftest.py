from dataclasses import dataclass

import pytest

from portal.accounts.models import Organisation
from portal.permissions import OrganisationKind, Role
from portal.releases.models import Product, Release
from tests.factories import make_artifact, make_organisation, make_person, make_product, make_published, make_release
from tests.portals import Portal


@dataclass
class Shop:
    """A vendor with one listed product of two published releases, a customer, and people on both sides."""

    portal: Portal
    customer: Organisation
    product: Product
    old: Release
    new: Release
    administrator: str
    approver: str
    engineer: str

    def browser(self, who: str):
        return self.portal.signed_in(getattr(self, who))


@pytest.fixture
def shop(portal) -> Shop:
    with portal.sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR)
        customer = make_organisation(session, time_zone="Europe/Berlin")
        product = make_product(session)
        releases = []
        for version in ("1.0", "1.1"):
            release = make_release(session, product, version)
            make_artifact(session, portal.store, release)
            releases.append(release)
        for release in releases:
            make_published(portal.resources, session, release)
        emails = [
            make_person(session, organisation, role).email
            for organisation, role in (
                (vendor, Role.ADMINISTRATOR),
                (vendor, Role.APPROVER),
                (customer, Role.CUSTOMER_ENGINEER),
            )
        ]
    return Shop(portal, customer, product, *releases, *emails)
