from portal.permissions import OrganisationKind, Role
from tests.factories import make_organisation, make_person


def test_sign_in(portal):
    with portal.sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR)
        anna = make_person(session, vendor, Role.ADMINISTRATOR, name="Anna")
    browser = portal.signed_in(anna.email)
    assert browser.submit("/account", name="Anna B", language="ru").status_code == 303
    assert "Anna B" in browser.get("/account").text
    assert browser.submit("/sign-out", page="/account").status_code == 303
    assert browser.get("/account").status_code == 303
