import pytest
from sqlalchemy import select

from portal.accounts import queries, service
from portal.accounts.errors import EmailTaken, LastAdministrator, NoRole, NotYoursToManage, RoleOfOtherKind
from portal.accounts.models import Person
from portal.accounts.service import NewPerson, actor_of
from portal.actors import PORTAL_COMMAND
from portal.audit.models import AuditEvent
from portal.permissions import OrganisationKind, Role
from tests.accounts.conftest import run_at_once
from tests.factories import make_organisation, make_person
from tests.portals import START


def test_the_vendor_sees_everybody_and_can_narrow(world):
    page = world.of("auditor").get("/people").text
    assert all(person.name in page for person in world.people.values())
    page = world.of("auditor").get(f"/people?organisation={world.alpha.id}").text
    assert "Anna Alpha" in page
    assert "Bella Beta" not in page


def test_a_customer_sees_its_own_people_whatever_it_asks_for(world):
    for address in ("/people", f"/people?organisation={world.alpha.id}"):
        page = world.of("alpha-manager").get(address).text
        assert "Anna Alpha" in page
        assert "Beta" not in page
        assert "Ada Admin" not in page
    assert "Bella Beta" not in world.of("alpha-manager").get(f"/people?organisation={world.beta.id}").text


@pytest.mark.parametrize("organisation", ["nonsense", "0", "' or 1=1"])
def test_a_senseless_filter_finds_nothing(world, organisation):
    assert world.of("admin").get("/people", query_string={"organisation": organisation}).status_code == 404


BUTTONS = ("roles", "disable", "enable", "invite-again")


def test_another_customers_people_are_nowhere(world):
    stranger = world.people["beta-engineer"]
    assert world.of("alpha-manager").get(f"/people/{stranger.id}").status_code == 404
    for button in BUTTONS:
        assert world.press("alpha-manager", "beta-engineer", button, roles="customer-engineer").status_code == 404
    assert world.of("alpha-manager").get(f"/people/invite?organisation={world.beta.id}").status_code == 404
    assert world.of("alpha-manager").get(f"/people/{world.people['admin'].id}").status_code == 404
    assert world.fresh("beta-engineer").is_active


def test_whoever_reads_may_not_manage(world):
    assert world.of("auditor").get(f"/people/{world.people['alpha-engineer'].id}").status_code == 200
    for button in BUTTONS:
        assert world.press("auditor", "alpha-engineer", button, roles="customer-engineer").status_code == 403
    assert "Invite somebody" not in world.of("auditor").get("/people").text


def test_whoever_has_no_part_in_it_sees_nothing(world):
    for who in ("alpha-engineer", "publisher"):
        assert world.of(who).get("/people").status_code == 403
        assert world.of(who).get("/people/invite").status_code == 403
    for who in ("alpha-manager", "auditor", "publisher"):
        for page in ("/organisations", "/organisations/new", f"/organisations/{world.alpha.id}"):
            assert world.of(who).get(page).status_code == 403


def test_a_manager_changes_roles_of_their_own_people(world):
    both = ["customer-engineer", "customer-manager"]
    assert world.press("alpha-manager", "alpha-engineer", "roles", roles=both).status_code == 303
    with world.portal.sessions() as session:
        found = queries.person_by_email(session, world.people["alpha-engineer"].email)
        assert found.roles == {Role.CUSTOMER_ENGINEER, Role.CUSTOMER_MANAGER}
        noted = session.scalars(select(AuditEvent).where(AuditEvent.tag == "person.roles")).one()
    assert noted.facts == {"before": ["customer-engineer"], "after": both}
    assert world.of("alpha-engineer").get("/people").status_code == 200  # at once, in the same session


@pytest.mark.parametrize("role", ["administrator", "publisher", "tsc-engineer", "nonsense"])
def test_a_customer_never_holds_a_vendors_role(world, role):
    for who in ("alpha-manager", "admin"):
        answer = world.press(who, "alpha-engineer", "roles", roles=["customer-engineer", role])
        assert answer.status_code == 200  # the form again: this role was not offered
    with world.portal.sessions() as session:
        found = queries.person_by_email(session, world.people["alpha-engineer"].email)
    assert found.roles == {Role.CUSTOMER_ENGINEER}


def test_the_service_refuses_what_the_form_does_not_offer(world):
    with world.portal.sessions() as session:
        person = queries.person_by_email(session, world.people["alpha-engineer"].email)
        for roles, refusal in (([Role.ADMINISTRATOR], RoleOfOtherKind), ([], NoRole)):
            with pytest.raises(refusal):
                service.change_roles(session, person, roles, by=PORTAL_COMMAND, at=START)
        stranger = actor_of(queries.person_by_email(session, world.people["beta-manager"].email), address="")
        for verb in (service.disable, service.enable):
            with pytest.raises(NotYoursToManage):
                verb(session, person, by=stranger, at=START)


def test_somebody_keeps_one_role_at_least(world):
    answer = world.press("alpha-manager", "alpha-engineer", "roles")
    assert answer.status_code == 422
    assert "one role at least" in answer.text


def test_the_last_administrator_stays(world):
    assert world.press("admin", "admin", "disable").status_code == 409
    stripped = world.press("admin", "admin", "roles", roles="auditor")
    assert stripped.status_code == 409
    assert "last administrator" in stripped.text
    assert world.of("admin").get("/organisations").status_code == 200


def test_an_invited_or_disabled_administrator_does_not_count(world):
    with world.portal.sessions.begin() as session:
        vendor = session.merge(world.vendor)
        make_person(session, vendor, Role.ADMINISTRATOR, password=None)
        gone = make_person(session, vendor, Role.ADMINISTRATOR)
        service.disable(session, gone, by=PORTAL_COMMAND, at=START)
    assert world.press("admin", "admin", "disable").status_code == 409


def test_one_of_two_administrators_may_go(world):
    with world.portal.sessions.begin() as session:
        other = make_person(session, session.merge(world.vendor), Role.ADMINISTRATOR)
    world.people["other"] = other
    assert world.press("admin", "other", "disable").status_code == 303
    assert world.press("admin", "admin", "disable").status_code == 409


def test_two_administrators_can_not_shut_each_other_out_at_once(engine, sessions):
    """Two real sessions; the second waits for the first and then finds that it would be the last."""
    with sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR)
        ids = [make_person(session, vendor, Role.ADMINISTRATOR).id for _ in range(2)]
    outcomes = run_at_once(
        [lambda person_id=person_id: _disable(sessions, person_id) for person_id in ids],
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastAdministrator", "NoneType"]
    with sessions() as session:
        assert len(queries.active_administrators(session)) == 1


def _disable(sessions, person_id):
    try:
        with sessions.begin() as session:
            person = queries.person(session, person_id, visible_to=PORTAL_COMMAND)
            service.disable(session, person, by=PORTAL_COMMAND, at=START)
    except LastAdministrator as error:
        return error
    return None


def test_an_address_belongs_to_one_person(world):
    with world.portal.sessions() as session:
        alpha = session.merge(world.alpha)
        email = f"  {world.people['beta-engineer'].email.upper()} "
        new = NewPerson(email, "Twin", frozenset({Role.CUSTOMER_ENGINEER}))
        with pytest.raises(EmailTaken):
            service.create_person(session, alpha, new, by=PORTAL_COMMAND, at=START)


NO_ADDRESSES = (
    "", "x", "x@", "@x", "a b@c.example", "a@b@c.example", "a\0@b.example", "a\r\nBcc: x@y.example",
    "x" * 250 + "@y.example",
)  # fmt: skip


def test_what_is_no_address_invites_nobody(world):
    fields = {"name": "X", "roles": "customer-engineer", "language": "en"}
    for email in NO_ADDRESSES:
        answer = world.of("alpha-manager").submit("/people/invite", email=email, **fields)
        assert answer.status_code in {200, 422}
    world.portal.work()
    assert world.portal.mails() == []
    with world.portal.sessions() as session:
        assert len(session.scalars(select(Person)).all()) == len(world.people)


def test_a_person_renames_themselves_and_it_is_recorded(world):
    browser = world.of("alpha-engineer")
    assert browser.submit("/account", name="  Anna   Ivanova ", language="ru").status_code == 303
    assert world.fresh("alpha-engineer").name == "Anna Ivanova"
    assert "Ваша учётная запись" in browser.get("/account").text
    with world.portal.sessions() as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.tag == "person.change")).one()
    assert noted.facts == {"before": "Anna Alpha", "language": "ru"}


def test_a_name_is_text_wherever_it_is_shown(world):
    world.of("alpha-engineer").submit("/account", name="<script>alert(1)</script>", language="en")
    for page in ("/people", f"/people/{world.people['alpha-engineer'].id}"):
        shown = world.of("admin").get(page).text
        assert "<script>alert" not in shown
        assert "&lt;script&gt;" in shown


def test_a_list_costs_the_same_however_long(world, counting):
    few = counting(world.of("admin"), "/people")
    with world.portal.sessions.begin() as session:
        for _ in range(20):
            make_person(session, session.merge(world.alpha), Role.CUSTOMER_ENGINEER, password=None)
    assert counting(world.of("admin"), "/people") == few == 3
