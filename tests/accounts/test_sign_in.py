import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update
from sqlalchemy.event import listen, remove

from portal.accounts import passwords, recovery, sign_in
from portal.accounts.errors import SignInFailed, TooManyAttempts
from portal.accounts.jobs import forget_attempts
from portal.accounts.models import Person, SignInAttempt
from portal.accounts.sign_in import MOST_PER_ACCOUNT, MOST_PER_ADDRESS, Attempt
from portal.audit.models import AuditEvent
from tests.portals import PASSWORD, START


def try_it(browser, email, password, **more):
    return browser.submit("/sign-in", email=email, password=password, **more)


def events(portal, tag):
    with portal.sessions() as session:
        return session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)).all()


def test_the_right_password_lets_in_and_is_recorded(world):
    person = world.people["alpha-engineer"]
    browser = world.portal.browser()
    answer = try_it(browser, person.email, PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert person.email in browser.get("/account").text
    noted = events(world.portal, "account.sign-in")
    assert [(e.person_id, e.organisation_id, e.address) for e in noted] == [(person.id, world.alpha.id, "127.0.0.1")]
    assert world.fresh("alpha-engineer").last_sign_in_at == world.portal.clock()


@pytest.mark.parametrize("spelling", ["{0}", " {0} ", "{0}\t"])
def test_the_address_is_found_in_any_spelling(world, spelling):
    email = world.people["alpha-engineer"].email
    assert try_it(world.portal.browser(), spelling.format(email.upper()), PASSWORD).status_code == 303


REFUSED = {
    "a wrong password": lambda p: (p.email, PASSWORD + "!"),
    "an unknown address": lambda _p: ("nobody@nowhere.example", PASSWORD),
    "no address at all": lambda _p: ("nonsense", PASSWORD),
    "a quote": lambda _p: ("' or 1=1 --", PASSWORD),
    "a NUL": lambda p: (p.email, PASSWORD + "\0"),
    "a NUL in the address": lambda _p: ("a\0b", PASSWORD),
}


@pytest.mark.parametrize("case", REFUSED)
def test_every_refusal_is_the_same_sentence(world, case):
    email, password = REFUSED[case](world.people["alpha-engineer"])
    answer = try_it(world.portal.browser(), email, password)
    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong." in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("state", ["disabled", "not joined yet"])
def test_whoever_may_not_come_in_is_told_the_same_sentence(world, state):
    column = {"disabled_at": world.portal.clock()} if state == "disabled" else {"password_hash": None}
    with world.portal.sessions.begin() as session:
        session.execute(update(Person).values(**column))
    answer = try_it(world.portal.browser(), world.people["alpha-engineer"].email, PASSWORD)
    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong." in answer.text


def test_an_unknown_address_costs_a_hash_too(world, monkeypatch):
    verified = []

    class Counting(PasswordHasher):
        def verify(self, *arguments):
            verified.append(arguments[0])
            return super().verify(*arguments)

    monkeypatch.setattr(passwords, "HASHER", Counting(time_cost=1, memory_cost=8, parallelism=1))
    for email in (world.people["alpha-engineer"].email, "nobody@nowhere.example", "nonsense"):
        try_it(world.portal.browser(), email, "wrong password here")
    assert len(verified) == 3


def test_a_failure_is_recorded_though_the_request_was_refused(world):
    person = world.people["alpha-engineer"]
    try_it(world.portal.browser(), person.email, "wrong password here")
    try_it(world.portal.browser(), "nobody@nowhere.example", "wrong password here")
    noted = events(world.portal, "account.sign-in-failed")
    assert [(e.subject_id, e.subject_name, e.person_id) for e in noted] == [
        (str(person.id), person.email, None),
        ("", "nobody@nowhere.example", None),
    ]
    assert "wrong password" not in str([e.facts for e in noted])


OUTSIDE = [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "https:evil.example", "http:///evil",
    "javascript:alert(1)", "/\tevil", "/\nevil", "///evil.example", "evil.example", "?x", "#x", " //evil.example",
    "/%0d%0aSet-Cookie:x\r\n", "data:text/html,x", "\x00/", "https://127.0.0.1:8000@evil.example/",
]  # fmt: skip


def test_nobody_is_led_out_of_the_portal_by_the_address(world):
    for target in OUTSIDE:
        page = world.portal.browser().get("/sign-in", query_string={"next": target}).text
        planted = page.split('id="next" name="next"')[1].split('value="')[1].split('"')[0]
        assert planted == "/", target


def test_nobody_is_led_out_of_the_portal_by_the_form(world):
    for target in OUTSIDE:
        answer = try_it(world.portal.browser(), world.people["alpha-engineer"].email, PASSWORD, next=target)
        assert (answer.status_code, answer.location) == (303, "/"), target


@pytest.mark.parametrize("target", ["/account", "/people?organisation=&page=2", "/%D1%8F"])
def test_whoever_came_for_a_page_gets_to_it(world, target):
    browser, person = world.portal.browser(), world.people["alpha-manager"]
    answer = browser.submit("/sign-in", email=person.email, password=PASSWORD, next=target)
    assert answer.location == target


def test_a_page_sends_to_the_sign_in_and_back(world):
    browser = world.portal.browser()
    answer = browser.get("/people?page=2")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/people?page%3D2")


# sessions


def test_a_planted_session_does_not_survive_the_sign_in(world):
    browser, person = world.portal.browser(), world.people["alpha-engineer"]
    with browser.session_transaction() as cookie:
        cookie["planted"] = "by an attacker"
    before = browser.get_token()
    try_it(browser, person.email, PASSWORD)
    with browser.session_transaction() as cookie:
        assert "planted" not in cookie
    after = browser.get_token("/account")
    assert before != after
    assert browser.post("/account", data={"csrf_token": before, "name": "X", "language": "en"}).status_code == 400


def test_signing_out_empties_the_cookie_and_is_recorded(world):
    browser = world.of("alpha-engineer")
    assert browser.submit("/sign-out", page="/account").location == "/sign-in"
    assert browser.get("/account").status_code == 303
    assert [e.person_id for e in events(world.portal, "account.sign-out")] == [world.people["alpha-engineer"].id]


def test_signing_out_by_a_link_or_without_the_forms_token_is_refused(world):
    browser = world.of("alpha-engineer")
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out").status_code == 400
    assert browser.get("/account").status_code == 200


def second_browser(world, who):
    browser = world.portal.browser()
    assert try_it(browser, world.people[who].email, PASSWORD).status_code == 303
    return browser


def test_disabling_ends_the_session_in_every_browser_at_once(world):
    here, there = world.of("alpha-engineer"), second_browser(world, "alpha-engineer")
    person_id = world.people["alpha-engineer"].id
    assert (
        world.of("alpha-manager").submit(f"/people/{person_id}/disable", page=f"/people/{person_id}").status_code == 303
    )
    assert here.get("/account").status_code == there.get("/account").status_code == 303
    assert world.press("alpha-manager", "alpha-engineer", "enable").status_code == 303
    assert here.get("/account").status_code == there.get("/account").status_code == 303  # an ended session stays ended


def test_changing_the_password_ends_every_other_session(world):
    here, there = world.of("alpha-engineer"), second_browser(world, "alpha-engineer")
    new = "a wholly different sentence"
    answer = here.submit("/account/password", current=PASSWORD, password=new, again=new)
    assert answer.status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert try_it(world.portal.browser(), world.people["alpha-engineer"].email, PASSWORD).status_code == 422
    assert try_it(world.portal.browser(), world.people["alpha-engineer"].email, new).status_code == 303


def test_ending_the_other_sessions_keeps_this_one(world):
    here, there = world.of("alpha-engineer"), second_browser(world, "alpha-engineer")
    assert here.submit("/account/sessions/end", page="/account").status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_a_session_ends_when_nobody_uses_it(world):
    browser = world.of("alpha-engineer")
    for _ in range(3):
        world.portal.clock.advance(hours=2, minutes=59)
        assert browser.get("/account").status_code == 200
    world.portal.clock.advance(hours=3)
    assert browser.get("/account").status_code == 303


def test_a_session_in_constant_use_ends_too(world):
    browser = world.of("alpha-engineer")
    for _ in range(11):
        world.portal.clock.advance(hours=1)
        assert browser.get("/account").status_code == 200
    world.portal.clock.advance(hours=1)
    assert browser.get("/account").status_code == 303


@pytest.mark.parametrize(
    "user_id", ["", "x", "x.0", ".", "{id}", "{id}.", "{id}.99", "{id}.0.0", "{id}.-1", "{other}.0"]
)
def test_a_cookie_that_names_no_session_lets_nobody_in(world, user_id):
    browser = world.of("alpha-engineer")
    person = world.people["alpha-engineer"]
    text = user_id.format(id=person.id, other="00000000-0000-0000-0000-000000000000")
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = text
    assert browser.get("/account").status_code == 303


def test_a_cookie_signed_by_another_portal_lets_nobody_in(world):
    browser = world.of("alpha-engineer")
    value = browser.get_cookie("portal").value
    world.portal.app.secret_key = "another secret of another portal"
    stranger = world.portal.browser()
    stranger.set_cookie("portal", value)
    assert stranger.get("/account").status_code == 303


def test_a_cookie_is_kept_from_scripts_and_other_sites(world):
    answer = try_it(world.portal.browser(), world.people["alpha-engineer"].email, PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_signed_in_page_asks_for_its_person_once(world):
    browser, statements = world.of("alpha-engineer"), []

    def count(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    from_engine = world.portal.resources.engine
    listen(from_engine, "before_cursor_execute", count)
    browser.get("/sign-in")
    remove(from_engine, "before_cursor_execute", count)
    assert len([s for s in statements if "SELECT" in s]) == 1


# guessing


def test_an_account_is_guessed_at_ten_times(world):
    person, clock = world.people["alpha-engineer"], world.portal.clock
    for number in range(MOST_PER_ACCOUNT):
        answer = world.portal.browser().submit("/sign-in", email=person.email, password=f"guess number {number}")
        assert answer.status_code == 422
    answer = try_it(world.portal.browser(), person.email, PASSWORD)  # the right one, too late
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    assert "too-many-attempts" in answer.text
    clock.advance(minutes=14, seconds=59)
    assert try_it(world.portal.browser(), person.email, PASSWORD).headers["Retry-After"] == "1"
    clock.advance(seconds=1)
    assert try_it(world.portal.browser(), person.email, PASSWORD).status_code == 303


def test_another_account_is_not_shut_by_it(world):
    for number in range(MOST_PER_ACCOUNT):
        try_it(world.portal.browser(), world.people["alpha-engineer"].email, f"guess number {number}")
    assert try_it(world.portal.browser(), world.people["alpha-manager"].email, PASSWORD).status_code == 303


def test_an_unknown_account_is_slowed_down_alike(world):
    for number in range(MOST_PER_ACCOUNT):
        assert try_it(world.portal.browser(), "nobody@nowhere.example", f"guess number {number}").status_code == 422
    assert try_it(world.portal.browser(), "NOBODY@nowhere.example ", "x" * 12).status_code == 429


def test_an_address_is_shut_after_thirty(world):
    for number in range(MOST_PER_ADDRESS):
        assert try_it(world.portal.browser(), f"nobody-{number}@nowhere.example", PASSWORD).status_code == 422
    assert try_it(world.portal.browser(), world.people["alpha-engineer"].email, PASSWORD).status_code == 429
    elsewhere = Attempt(world.people["alpha-engineer"].email, PASSWORD, "192.0.2.1")
    assert sign_in.sign_in(world.portal.sessions, elsewhere, at=world.portal.clock()).name == "Anna Alpha"


def test_success_is_not_counted(world):
    for _ in range(MOST_PER_ACCOUNT + 2):
        assert try_it(world.portal.browser(), world.people["alpha-engineer"].email, PASSWORD).status_code == 303
    with world.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


def at_once(guesses, guess):
    """As many threads as guesses, all beginning at the same instant; how many were looked at, how many refused."""
    looked_at, refused = [], []
    start = threading.Barrier(len(guesses))

    def run(number):
        start.wait()
        try:
            guess(number)
            looked_at.append(number)
        except SignInFailed:
            looked_at.append(number)
        except TooManyAttempts:
            refused.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in guesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(looked_at), len(refused)


def test_guesses_at_once_are_counted_each(world):
    """Forty threads guess at the same instant: no more than ten passwords are looked at."""
    email = world.people["alpha-engineer"].email

    def guess(number):
        attempt = Attempt(email, f"guess number {number}", f"192.0.2.{number}")
        sign_in.sign_in(world.portal.sessions, attempt, at=world.portal.clock())

    assert at_once(range(40), guess) == (MOST_PER_ACCOUNT, 30)


def test_guesses_at_many_accounts_at_once_are_counted_each(world):
    def guess(number):
        attempt = Attempt(f"nobody-{number}@nowhere.example", PASSWORD, "192.0.2.1")
        sign_in.sign_in(world.portal.sessions, attempt, at=world.portal.clock())

    assert at_once(range(40), guess) == (MOST_PER_ADDRESS, 10)


def test_letters_asked_for_at_once_are_counted_each(world):
    def ask(number):
        with world.portal.sessions.begin() as session:
            recovery.ask_reset(session, email="nobody@nowhere.example", address=f"192.0.2.{number}", at=START)

    assert at_once(range(25), ask) == (MOST_PER_ACCOUNT, 15)


def test_attempts_are_forgotten_after_a_day(world):
    try_it(world.portal.browser(), "nobody@nowhere.example", PASSWORD)
    forget_attempts(world.portal.resources, at=world.portal.clock() + timedelta(hours=24))
    with world.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 1
    forget_attempts(world.portal.resources, at=world.portal.clock() + timedelta(hours=24, seconds=1))
    with world.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


def test_a_hash_of_another_cost_is_made_anew_without_ending_sessions(world, monkeypatch):
    here = world.of("alpha-engineer")
    before = world.fresh("alpha-engineer")
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    second_browser(world, "alpha-engineer")
    after = world.fresh("alpha-engineer")
    assert before.password_hash != after.password_hash
    assert "m=16,t=2" in after.password_hash
    assert before.session_epoch == after.session_epoch
    assert here.get("/account").status_code == 200
