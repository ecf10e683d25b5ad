from email import message_from_string
from email.policy import default

import pytest
from sqlalchemy import select

from portal.accounts import invitations, queries
from portal.accounts.errors import LinkNotOpen
from portal.accounts.invitations import Joining, join
from portal.accounts.models import OneTimeLink
from portal.audit.models import AuditEvent
from portal.mail.models import OutgoingMail
from portal.permissions import Role
from tests.accounts.conftest import link_in, run_at_once
from tests.factories import make_person

CHOSEN = "a sentence of my own choosing"
NEW = {"email": "new@alpha.example", "name": "Nina New", "roles": "customer-engineer", "language": "ru"}


def invite(world, who="alpha-manager", **changes):
    where = "/people/invite" if who != "admin" else f"/people/invite?organisation={world.alpha.id}"
    answer = world.of(who).submit(where, **{**NEW, **changes})
    assert answer.status_code == 200, answer.text
    return link_in(answer.text)


def accept(world, link, **changes):
    fields = {"name": "Nina New", "password": CHOSEN, "again": CHOSEN, **changes}
    return world.portal.browser().submit(link, page="/sign-in", **fields)


@pytest.mark.parametrize("who", ["alpha-manager", "admin"])
def test_an_invited_person_joins_and_is_signed_in(world, who):
    link = invite(world, who)
    browser = world.portal.browser()
    page = browser.get(link)
    assert page.status_code == 200
    assert "Alpha" in page.text
    assert browser.submit(link, name="Nina Novak", password=CHOSEN, again=CHOSEN).location == "/"
    assert "Nina Novak" in browser.get("/account").text
    assert world.portal.browser().submit("/sign-in", email="new@alpha.example", password=CHOSEN).status_code == 303
    with world.portal.sessions() as session:
        person = queries.person_by_email(session, "new@alpha.example")
        tags = session.scalars(select(AuditEvent.tag).where(AuditEvent.subject_id == str(person.id))).all()
    assert person.organisation_id == world.alpha.id
    assert person.roles == {Role.CUSTOMER_ENGINEER}
    assert tags == ["person.invite", "person.join", "account.sign-in"]


def test_the_letter_carries_the_link_in_the_persons_language(world):
    link = invite(world)
    world.portal.work()
    letter = message_from_string(world.portal.mails()[0], policy=default)
    assert letter["To"] == "new@alpha.example"
    assert letter["Subject"] == "Ваш доступ к порталу выпусков"
    assert link in letter.get_content()
    assert "Anton Alpha" in letter.get_content()


def test_the_secret_is_kept_only_as_a_hash_and_goes_into_no_record(world):
    secret = invite(world).rpartition("/")[2]
    world.portal.work()
    with world.portal.sessions() as session:
        row = session.scalars(select(OneTimeLink)).one()
        events = session.scalars(select(AuditEvent)).all()
        letters = session.scalars(select(OutgoingMail)).all()
    assert secret not in str(vars(row))
    assert secret not in str([vars(event) for event in events])
    assert [letter.sent_at for letter in letters] == [world.portal.clock()]
    assert secret not in str([vars(letter) for letter in letters])


def test_the_address_of_the_page_is_told_to_nobody(world):
    answer = world.portal.browser().get(invite(world))
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert "no-store" in answer.headers["Cache-Control"]


def refused(answer):
    assert answer.status_code == 409
    assert "link-not-open" in answer.text


def test_looking_at_the_page_does_not_use_the_link_up(world):
    link = invite(world)
    for _ in range(3):
        assert world.portal.browser().get(link).status_code == 200
    assert accept(world, link).status_code == 303


def test_a_link_works_once(world):
    link = invite(world)
    assert accept(world, link).status_code == 303
    refused(accept(world, link, password="another sentence of mine", again="another sentence of mine"))
    refused(world.portal.browser().get(link))
    assert world.portal.signed_in("new@alpha.example", CHOSEN)


def test_two_who_use_it_at_once_are_one(world):
    secret = invite(world).rpartition("/")[2]

    def use(number):
        try:
            with world.portal.sessions.begin() as session:
                join(session, secret, Joining(f"Number {number}", CHOSEN), at=world.portal.clock())
        except LinkNotOpen as error:
            return error
        return None

    outcomes = run_at_once([lambda n=n: use(n) for n in range(4)])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LinkNotOpen"] * 3 + ["NoneType"]


def test_a_link_lives_seven_days(world):
    link = invite(world)
    world.portal.clock.advance(days=6, hours=23, minutes=59)
    assert world.portal.browser().get(link).status_code == 200
    world.portal.clock.advance(minutes=1)
    refused(world.portal.browser().get(link))
    refused(accept(world, link))


def test_a_newer_invitation_takes_the_older_ones_place(world):
    first = invite(world)
    with world.portal.sessions() as session:
        world.people["new"] = queries.person_by_email(session, "new@alpha.example")
    second = link_in(world.press("alpha-manager", "new", "invite-again").text)
    assert first != second
    refused(accept(world, first))
    assert accept(world, second).status_code == 303
    assert world.press("alpha-manager", "new", "invite-again").status_code == 409


def test_a_disabled_person_can_neither_join_nor_be_invited_again(world):
    link = invite(world)
    with world.portal.sessions() as session:
        world.people["new"] = queries.person_by_email(session, "new@alpha.example")
    world.press("alpha-manager", "new", "disable")
    refused(accept(world, link))
    assert world.press("alpha-manager", "new", "invite-again").status_code == 409


@pytest.mark.parametrize("secret", ["x", "0" * 43, "..", "' or 1=1", "я"])
def test_a_made_up_link_opens_nothing(portal, secret):
    refused(portal.browser().get(f"/invitation/{secret}"))
    refused(portal.browser().get(f"/reset/{secret}"))


def test_an_invitation_is_no_reset_and_the_other_way_round(world):
    link = invite(world)
    refused(world.portal.browser().get(link.replace("invitation", "reset")))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "new@alpha.example", "again": "new@alpha.example"}, "your own address"),
        ({"again": "something else entirely"}, "The two differ"),
        ({"name": "a\0b"}, "without line breaks"),
    ],
)
def test_a_bad_choice_keeps_the_link_open(world, fields, said):
    link = invite(world)
    answer = accept(world, link, **fields)
    assert said in answer.text
    assert CHOSEN not in answer.text
    assert accept(world, link).status_code == 303


def test_a_manager_can_not_invite_for_another_customer(world):
    answer = world.of("alpha-manager").submit(f"/people/invite?organisation={world.beta.id}", page="/account", **NEW)
    assert answer.status_code == 404


def test_a_manager_can_not_invite_an_administrator(world):
    answer = world.of("alpha-manager").submit("/people/invite", **{**NEW, "roles": "administrator"})
    assert "/invitation/" not in answer.text
    with world.portal.sessions() as session:
        assert queries.person_by_email(session, "new@alpha.example") is None


def test_a_taken_address_is_said_at_its_field_and_what_was_typed_stays(world):
    with world.portal.sessions.begin() as session:
        make_person(session, session.merge(world.beta), Role.CUSTOMER_ENGINEER, email=NEW["email"])
    answer = world.of("alpha-manager").submit("/people/invite", **NEW)
    assert answer.status_code == 409
    assert "belongs to a person already" in answer.text
    assert 'value="Nina New"' in answer.text


def test_the_admin_first_says_where(world):
    page = world.of("admin").get("/people/invite").text
    assert "Alpha" in page
    assert 'value=""' not in page.partition("<select")[2].partition("</select>")[0]  # everybody is not a place
    assert 'name="email"' not in page
    assert invitations.INVITATION_LIVES.days == 7
