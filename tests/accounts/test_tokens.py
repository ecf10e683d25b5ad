import string
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.accounts import queries, tokens
from portal.accounts.errors import BadName, BadTokenDays, NoScope, ScopeNotHeld, TokenExpired, TokenInvalid
from portal.accounts.models import ApiToken, Person
from portal.accounts.service import actor_of
from portal.accounts.tokens import NewToken, create_token
from portal.permissions import SCOPE_PERMISSIONS, Scope

DAY = timedelta(days=1)


@pytest.fixture
def make(world):
    """make("alpha-engineer", Scope.DOWNLOAD) → the token's text."""

    def made(who, *scopes, days=30, name="a script"):
        with world.portal.sessions.begin() as session:
            person = queries.person_by_email(session, world.people[who].email)
            wanted = NewToken(name, frozenset(scopes), timedelta(days=days))
            return create_token(session, person, wanted, by=actor_of(person, address=""), at=world.portal.clock())[1]

    return made


def me(world, text, **headers):
    return world.portal.browser().get("/api/v1/me", headers={"Authorization": f"Bearer {text}", **headers})


def test_a_token_has_prefix_entropy_and_checksum():
    text = tokens.make()
    assert text.startswith("rp_")
    assert len(text) == 3 + 32 + 1 + 6
    assert tokens.is_well_formed(text)
    assert len({tokens.make() for _ in range(100)}) == 100


def test_any_one_wrong_letter_is_noticed():
    text = tokens.make()
    letters = string.ascii_letters + string.digits + "_-"
    for place in range(len(text)):
        for letter in letters:
            if letter != text[place]:
                assert not tokens.is_well_formed(text[:place] + letter + text[place + 1 :])


def test_any_two_neighbours_swapped_are_noticed():
    text = tokens.make()
    for place in range(len(text) - 1):
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        if swapped != text:
            assert not tokens.is_well_formed(swapped)


@pytest.mark.parametrize(
    "text", ["", "rp_", "rp__", "x" * 42, "rp_" + "A" * 32 + "_000000", "rp_" + "Ж" * 32 + "_000000"]
)
def test_what_is_no_token_is_not_well_formed(text):
    assert not tokens.is_well_formed(text)


def test_only_a_hash_is_kept(world, make):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    with world.portal.sessions() as session:
        row = session.scalars(select(ApiToken)).one()
    assert text not in str(vars(row))
    assert row.secret_hash == tokens.digest(text)
    assert row.hint == text[:7]


def test_a_token_speaks_for_its_person_narrowed_to_its_scopes(world, make):
    answer = me(world, make("alpha-engineer", Scope.TICKETS))
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["via"], answer.json["organisation"]["code"]) == (
        "Anna Alpha",
        "token",
        "ALPHA",
    )
    assert set(answer.json["permissions"]) == {p.value for p in SCOPE_PERMISSIONS[Scope.TICKETS]}
    assert answer.json["time_zone"] == "Europe/Moscow"


def test_a_token_loses_what_its_person_loses(world, make):
    text = make("publisher", Scope.RELEASES_UPLOAD)
    assert "releases-edit" in me(world, text).json["permissions"]
    assert world.press("admin", "publisher", "roles", roles="auditor").status_code == 303
    assert me(world, text).json["permissions"] == ["releases-read"]


def test_a_token_opens_no_page_of_its_persons_own(world, make):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    for page in ("/account", "/account/tokens", "/people"):
        answer = world.portal.browser().get(page, headers={"Authorization": f"Bearer {text}"})
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(world, make, scheme):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    answer = world.portal.browser().get("/api/v1/me", headers={"Authorization": f"{scheme} {text}"})
    assert answer.status_code == 200


def refused(answer, code):
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_says_so(world, make):
    text = make("alpha-engineer", Scope.DOWNLOAD, days=1)
    world.portal.clock.advance(hours=23, minutes=59)
    assert me(world, text).status_code == 200
    world.portal.clock.advance(minutes=1)
    refused(me(world, text), TokenExpired.code)


@pytest.mark.parametrize("text", ["", "nonsense", "rp_" + "0" * 32 + "_000000", "\xff\xfe", "x" * 5000])
def test_nonsense_is_an_invalid_token(world, text):
    refused(me(world, text), TokenInvalid.code)


def test_a_well_formed_token_that_nobody_made_is_invalid(world):
    refused(me(world, tokens.make()), TokenInvalid.code)


def test_a_wrong_token_never_falls_back_to_the_cookie(world):
    browser = world.of("admin")
    assert browser.get("/account").status_code == 200
    answer = browser.get("/account", headers={"Authorization": f"Bearer {tokens.make()}"})
    refused(answer, TokenInvalid.code)
    assert "Location" not in answer.headers


def test_a_revoked_token_opens_nothing(world, make):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    browser = world.of("alpha-engineer")
    with world.portal.sessions() as session:
        token_id = session.scalars(select(ApiToken.id)).one()
    assert browser.submit(f"/account/tokens/{token_id}/revoke", page="/account/tokens").status_code == 303
    refused(me(world, text), TokenInvalid.code)
    assert "revoked" in browser.get("/account/tokens").text


def test_a_disabled_persons_token_opens_nothing(world, make):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    person_id = world.people["alpha-engineer"].id
    assert (
        world.of("alpha-manager").submit(f"/people/{person_id}/disable", page=f"/people/{person_id}").status_code == 303
    )
    refused(me(world, text), TokenInvalid.code)


@pytest.mark.parametrize("who", ["beta-engineer", "alpha-manager", "admin"])
def test_nobody_revokes_anothers_token(world, make, who):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    with world.portal.sessions() as session:
        token_id = session.scalars(select(ApiToken.id)).one()
    assert world.of(who).submit(f"/account/tokens/{token_id}/revoke", page="/account/tokens").status_code == 404
    assert me(world, text).status_code == 200


def last_use(world):
    with world.portal.sessions() as session:
        return session.scalars(select(ApiToken.last_used_at)).one()


def test_the_last_use_is_noted_once_a_minute(world, make):
    text, clock = make("alpha-engineer", Scope.DOWNLOAD), world.portal.clock
    assert last_use(world) is None
    me(world, text)
    first = last_use(world)
    assert first == clock()
    clock.advance(seconds=59)
    me(world, text)
    assert last_use(world) == first
    clock.advance(seconds=1)
    me(world, text)
    assert last_use(world) == clock()


def test_the_last_use_is_noted_even_when_the_request_is_refused(world, make):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    assert world.portal.browser().post("/account", headers={"Authorization": f"Bearer {text}"}).status_code == 403
    assert last_use(world) == world.portal.clock()


@pytest.mark.parametrize(
    ("scopes", "days", "name", "refusal"),
    [
        ([], 30, "x", NoScope),
        ([Scope.RELEASES_READ], 30, "x", ScopeNotHeld),
        ([Scope.DOWNLOAD, Scope.RELEASES_UPLOAD], 30, "x", ScopeNotHeld),
        ([Scope.DOWNLOAD], 0, "x", BadTokenDays),
        ([Scope.DOWNLOAD], -1, "x", BadTokenDays),
        ([Scope.DOWNLOAD], 367, "x", BadTokenDays),
        ([Scope.DOWNLOAD], 30, " ", BadName),
        ([Scope.DOWNLOAD], 30, "x\0", BadName),
    ],
)
def test_a_token_beyond_its_person_is_not_made(make, scopes, days, name, refusal):
    with pytest.raises(refusal):
        make("alpha-engineer", *scopes, days=days, name=name)


def test_the_page_shows_the_token_once(world):
    browser = world.of("alpha-engineer")
    answer = browser.submit("/account/tokens", name="nightly", scopes=["download", "tickets"], days="90")
    text = answer.text.split('data-copy="')[1].split('"')[0]
    assert tokens.is_well_formed(text)
    assert me(world, text).status_code == 200
    again = browser.get("/account/tokens").text
    assert text not in again
    assert "nightly" in again
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_page_refuses_a_scope_that_was_not_offered(world):
    browser = world.of("alpha-engineer")
    answer = browser.submit("/account/tokens", name="x", scopes=["releases:upload"], days="90")
    assert answer.status_code == 200
    assert "data-copy" not in answer.text
    with world.portal.sessions() as session:
        assert session.scalars(select(ApiToken)).all() == []


def test_whoever_has_no_password_yet_has_no_working_token(world, make):
    text = make("alpha-engineer", Scope.DOWNLOAD)
    with world.portal.sessions.begin() as session:
        session.execute(update(Person).values(password_hash=None))
    refused(me(world, text), TokenInvalid.code)


def test_nobody_is_told_who_they_are(portal):
    answer = portal.browser().get("/api/v1/me")
    refused(answer, "sign-in-required")
