import pytest
from sqlalchemy import select

from portal.accounts.models import OneTimeLink
from portal.audit.models import AuditEvent
from portal.mail.models import OutgoingMail
from tests.accounts.conftest import link_in
from tests.portals import PASSWORD

NEW = "a wholly different sentence"


def ask(world, email):
    return world.portal.browser().submit("/reset", email=email)


def reset_link(world, who="alpha-engineer"):
    ask(world, world.people[who].email)
    world.portal.work()
    return link_in(world.portal.mails()[-1])


def choose(world, link, password=NEW, again=None):
    return world.portal.browser().submit(link, page="/sign-in", password=password, again=again or password)


def test_a_forgotten_password_is_replaced_and_every_session_ends(world):
    here = world.of("alpha-engineer")
    link = reset_link(world)
    assert here.get("/account").status_code == 200  # asking alone changes nothing
    assert choose(world, link).location == "/sign-in"
    assert here.get("/account").status_code == 303
    email = world.people["alpha-engineer"].email
    assert world.portal.browser().submit("/sign-in", email=email, password=PASSWORD).status_code == 422
    assert world.portal.browser().submit("/sign-in", email=email, password=NEW).status_code == 303
    with world.portal.sessions() as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.tag == "account.password-change")).one()
    assert noted.person_id == world.people["alpha-engineer"].id
    assert noted.address == "127.0.0.1"


def test_the_answer_is_the_same_for_whoever_is_asked_about(world):
    world.press("alpha-manager", "alpha-engineer", "disable")
    known, disabled = world.people["alpha-manager"].email, world.people["alpha-engineer"].email
    answers = [ask(world, email) for email in (known, disabled, "nobody@nowhere.example", "nonsense")]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/sign-in")}
    world.portal.work()
    assert [mail.split("To: ")[1].split("\n")[0].strip() for mail in world.portal.mails()] == [
        world.people["alpha-manager"].email
    ]


def refused(answer):
    assert answer.status_code == 409
    assert "link-not-open" in answer.text


def test_a_link_works_once_within_one_hour(world):
    link = reset_link(world)
    assert world.portal.browser().get(link).status_code == 200
    assert choose(world, link).status_code == 303
    refused(choose(world, link, "yet another sentence"))
    late = reset_link(world)
    world.portal.clock.advance(minutes=59)
    assert world.portal.browser().get(late).status_code == 200
    world.portal.clock.advance(minutes=1)
    refused(choose(world, late, "yet another sentence"))


def test_the_newest_link_alone_works(world):
    first = reset_link(world)
    world.portal.clock.advance(minutes=1)
    second = reset_link(world)
    refused(choose(world, first))
    assert choose(world, second).status_code == 303


def test_changing_the_password_closes_the_link(world):
    link = reset_link(world)
    assert (
        world.of("alpha-engineer").submit("/account/password", current=PASSWORD, password=NEW, again=NEW).status_code
        == 303
    )
    refused(choose(world, link, "yet another sentence"))


def test_disabling_closes_the_link(world):
    link = reset_link(world)
    world.press("alpha-manager", "alpha-engineer", "disable")
    refused(choose(world, link))


def test_a_weak_password_keeps_the_link_open(world):
    link = reset_link(world)
    assert choose(world, link, "short").status_code == 422
    assert choose(world, link).status_code == 303


def test_the_secret_is_kept_only_as_a_hash(world):
    secret = reset_link(world).rpartition("/")[2]
    with world.portal.sessions() as session:
        row = session.scalars(select(OneTimeLink)).one()
        events = session.scalars(select(AuditEvent)).all()
        letters = session.scalars(select(OutgoingMail)).all()
    assert secret not in str(vars(row))
    assert secret not in str([vars(event) for event in events])
    assert [letter.sent_at for letter in letters] == [world.portal.clock()]
    assert secret not in str([vars(letter) for letter in letters])
    assert world.portal.browser().get(f"/reset/{secret}").headers["Referrer-Policy"] == "strict-origin"


def test_nobodys_mailbox_is_flooded(world):
    email = world.people["alpha-engineer"].email
    for _ in range(10):
        assert ask(world, email).status_code == 303
    answer = ask(world, email)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    assert world.portal.browser().submit("/sign-in", email=email, password=PASSWORD).status_code == 303


def test_a_password_is_changed_by_who_knows_it(world):
    browser = world.of("alpha-engineer")
    answer = browser.submit("/account/password", current="not it, I think", password=NEW, again=NEW)
    assert answer.status_code == 422
    assert "present password is wrong" in answer.text
    assert browser.submit("/account/password", current=PASSWORD, password=NEW, again=NEW + "x").status_code == 200
    assert browser.submit("/account/password", current=PASSWORD, password="short", again="short").status_code == 422
    assert (
        world.portal.browser()
        .submit("/sign-in", email=world.people["alpha-engineer"].email, password=PASSWORD)
        .status_code
        == 303
    )


def test_a_stolen_session_guesses_the_password_ten_times(world):
    browser = world.of("alpha-engineer")
    for number in range(10):
        assert (
            browser.submit("/account/password", current=f"guess {number}", password=NEW, again=NEW).status_code == 422
        )
    assert browser.submit("/account/password", current=PASSWORD, password=NEW, again=NEW).status_code == 429
    with world.portal.sessions() as session:
        failed = session.scalars(select(AuditEvent).where(AuditEvent.tag == "account.sign-in-failed")).all()
    assert [event.person_id for event in failed] == [world.people["alpha-engineer"].id] * 10


@pytest.mark.parametrize("page", ["/reset", "/sign-in", "/account/password"])
def test_a_form_from_elsewhere_is_refused(world, page):
    answer = world.of("alpha-engineer").post(
        page, data={"email": "x", "current": PASSWORD, "password": NEW, "again": NEW}
    )
    assert answer.status_code == 400
    assert "form-expired" in answer.text
