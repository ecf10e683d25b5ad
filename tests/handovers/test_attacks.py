"""Who tries to sign what was not shown, for somebody else, with another's code, or twice."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.handovers.conftest import SIGNATURE, data_url, png, yesterday


@pytest.fixture
def act(world):
    world.ask("one", "ivan")
    return world.opened("one")


TAMPERED = [
    ({"text_sha256": "0" * 64}, 409, "act-text-changed"),
    ({"text_sha256": ""}, 409, "act-text-changed"),
    ({"submission": uuid4().hex}, 409, "act-text-changed"),
    ({"signature": ""}, 422, "signature-empty"),
    ({"signature": data_url(png(ink=bytes(4)))}, 422, "signature-empty"),
    ({"signature": "data:image/svg+xml;base64,PHN2Zy8+"}, 422, "signature-unusable"),
    ({"signature": data_url(png(5000, 3))}, 422, "signature-unusable"),
    ({"signature": SIGNATURE + "A" * 300_000}, 422, "signature-unusable"),
    ({"signature": "", "typed_name": "Somebody Else"}, 422, "typed-name-differs"),
    ({"code": "wrong"}, 422, "code-wrong"),
    ({"code": ""}, 422, "code-wrong"),
]


def test_what_was_not_shown_or_not_signed_is_refused(world, act):
    right = world.send_code(act)
    for sent, status, code in TAMPERED:
        answer = world.sign(act, right, json=True, **sent)
        assert (answer.status_code, answer.json["code"]) == (status, code), sent
        assert world.states("one") == ["prepared"]
        assert world.act(act.id).state == "open"
    page = world.sign(act, right, signature="")  # without a script: beside the field
    assert page.status_code == 422
    assert "Nothing was drawn" in page.text
    assert world.sign(act, right).status_code == 303  # the code was not used up by all this


def test_a_record_that_was_changed_behind_our_back_is_not_signed(world, act):
    with world.portal.sessions.begin() as session:
        row = session.merge(act)
        row.record = row.record | {"place": "Elsewhere"}
    answer = world.sign(act, world.send_code(act), json=True)
    assert (answer.status_code, answer.json["code"]) == (409, "act-text-changed")
    assert "altered" in world.of("dispatcher").get(f"/handovers/acts/{act.id}").text


def test_the_same_submission_has_one_effect(world, act):
    code = world.send_code(act)
    first, again = (world.sign(act, code, json=True) for _ in range(2))
    assert [first.status_code, again.status_code] == [303, 303]
    assert first.headers["Location"] == again.headers["Location"]
    assert world.kinds("one").count("delivered") == 1
    other = world.sign(act, code, json=True, signature=data_url(png(400, 90)))
    assert (other.status_code, other.json["code"]) == (409, "act-not-open")
    assert "Dora Dispatcher" in other.json["detail"]


def test_a_code_is_counted_expires_and_belongs_to_its_act(world, act):
    world.ask("two", "namesake")
    foreign = world.send_code(world.opened("two"))
    code = world.send_code(act)
    assert code != foreign
    for _ in range(5):
        assert world.sign(act, foreign, json=True).json["code"] == "code-wrong"
    assert world.sign(act, code, json=True).json["code"] == "code-used-up"
    assert world.kinds("one").count("code-wrong") == 6
    code = world.send_code(act)
    world.portal.clock.advance(minutes=11)
    assert world.sign(act, code, json=True).json["code"] == "code-expired"
    assert world.sign(act, world.send_code(act)).status_code == 303


def test_deliveries_of_two_people_make_no_act(world, act):
    """Also where the two bear the same name, and where one is another customer's."""
    world.ask("two", "namesake")
    world.ask("three", "berta", customer="beta")
    ids = world.deliveries
    browser = world.of("dispatcher")
    for other in ("two", "three"):
        pair = [ids["one"], ids[other]]
        answer = browser.submit("/handovers/prepare", page="/handovers/new", delivery=pair, kind="acceptance")
        assert answer.status_code == 422
        address = f"/handovers/check?delivery={pair[0]}&delivery={pair[1]}"
        token = browser.get_token("/account")
        given = {"document": "passport", "ending": "4821", "place": "x", "is_compared": "y", "csrf_token": token}
        assert browser.post(address, data=given).status_code == 422
    assert world.states("two", "three") == ["approved", "approved"]
    assert browser.post("/handovers/prepare", data={"csrf_token": token, "delivery": str(uuid4())}).status_code == 404
    assert browser.post("/handovers/prepare", data={"csrf_token": token}).status_code == 422


UNCHECKED = [
    ({"ending": "4509 123456"}, "last four"),
    ({"ending": "12"}, "last four"),
    ({"ending": "12<4"}, "last four"),
    ({"is_compared": ""}, "Compare the name"),
    ({"place": ""}, "written here"),
    ({"document": "library-card"}, "choice"),
]


def test_an_identity_that_was_not_checked_opens_nothing(world):
    world.ask("one", "ivan")
    address = world.prepare("one")
    for fields, words in UNCHECKED:
        answer = world.check(address, **fields)
        assert answer.status_code == 422, fields
        assert words in answer.text
    assert world.acts() == []
    assert "identity-checked" not in world.kinds("one")


def test_a_power_that_ended_this_morning_is_refused_with_the_way_to_mend_it(world, act):
    """At the identity check in words, and at the signature though the act was opened before it ended."""
    code = world.send_code(act)
    world.ask("two", "ivan")
    world.change_power("ivan", ends_at=world.portal.clock() - timedelta(hours=3), valid_until=yesterday(world).date())
    answer = world.sign(act, code, json=True)
    assert (answer.status_code, answer.json["code"]) == (403, "authority-expired")
    page = world.of("dispatcher").get(world.prepare("two"))
    assert page.status_code == 403
    assert "authority-expired" in page.text
    assert "ПОА-sokolov" in page.text
    assert "/authority/mend?" in page.text
    assert world.states("one", "two") == ["prepared", "approved"]
    world.change_power("ivan", ends_at=world.portal.clock() + timedelta(days=30))
    assert world.sign(act, code).status_code == 303


def test_one_who_may_receive_but_not_sign_is_refused(world):
    world.ask("one", "ivan")
    world.change_power("ivan", may_sign=False)
    page = world.of("dispatcher").get(world.prepare("one"))
    assert page.status_code == 403
    assert "authority-out-of-scope" in page.text
