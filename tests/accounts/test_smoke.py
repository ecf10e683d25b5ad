from portal.accounts import service
from portal.accounts.service import NewPerson, OrganisationFacts
from portal.actors import PORTAL_COMMAND
from portal.permissions import OrganisationKind, Role
from tests.portals import PASSWORD, START


def test_sign_in(portal):
    with portal.sessions.begin() as s:
        o = service.create_organisation(
            s, OrganisationFacts(OrganisationKind.VENDOR, "vendor", "Vendor", "de"), by=PORTAL_COMMAND, at=START
        )
        service.create_person(
            s,
            o,
            NewPerson("Anna@Vendor.example", "Anna", frozenset({Role.ADMINISTRATOR}), password=PASSWORD),
            by=PORTAL_COMMAND,
            at=START,
        )
    b = portal.signed_in("anna@vendor.example")
    r = b.get("/account")
    assert r.status_code == 200, r.text
    assert b.submit("/account", name="Anna B", language="ru").status_code == 303
    assert "Anna B" in b.get("/account").text
    assert b.submit("/sign-out", page="/account").status_code == 303
    assert b.get("/account").status_code == 303
