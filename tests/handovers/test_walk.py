"""From the dispatcher's first screen to an act that both sides hold."""

import hashlib
from email import message_from_string
from email.policy import default
from uuid import uuid4

import pytest
from markupsafe import escape

from portal.authority.models import AuthorizedPerson
from portal.deliveries.models import Delivery, DeliveryPolicy
from portal.deliveries.states import Channel, DeliveryState
from portal.documents.act import ActKind
from portal.handovers import closing, texts
from tests.handovers.conftest import data_url, png


def pdf_of(world, act, who="manager alpha"):
    answer = world.of(who).get(f"/handovers/acts/{act.id}/act.pdf")
    assert answer.status_code == 200
    return answer.data


def page_of(world, act):
    """The content of the act's page; what stands around it has tokens of the minute."""
    return world.of("dispatcher").get(f"/handovers/acts/{act.id}").text.partition("<main")[2].partition("</main>")[0]


def test_several_deliveries_are_handed_over_by_one_act(world):
    world.ask("one", "ivan")
    world.ask("two", "ivan")
    page = world.of("dispatcher").get("/handovers/new?q=ПОА-sokolov").text
    assert "sokolov@alpha.example" in page
    act = world.opened("one", "two")
    assert world.states("one", "two") == ["prepared", "prepared"]
    shown = world.of("dispatcher").get(f"/handovers/acts/{act.id}/text").text
    for paragraph in act.record["paragraphs"]:
        assert str(escape(paragraph)) in shown
    assert act.language == "ru"
    assert "Принимает: Иван Петрович Соколов" in act.record["paragraphs"][0]
    answer = world.sign(act, world.send_code(act))
    assert answer.status_code == 303, answer.text
    assert world.states("one", "two") == ["acknowledged", "acknowledged"]
    act = world.act(act.id)
    assert act.signature_sha256 == hashlib.sha256(png()).hexdigest()
    assert hashlib.sha256(pdf_of(world, act)).hexdigest() == act.pdf_sha256
    walked = ["prepared", "identity-checked", "code-sent", "code-right", "delivered", "acknowledged"]
    assert world.kinds("one")[-6:] == walked
    proof = world.events("one")[-2].evidence
    assert proof["identity"] == {"name": "Иван Петрович Соколов", "document": "passport", "ending": "4821"}
    assert (proof["act_number"], proof["text_sha256"]) == (act.number, act.text_sha256)
    assert proof["decision"]["basis"] == "active-contract"
    assert proof["authority"]["number"] == "ПОА-sokolov"
    kit = world.of("dispatcher").get(f"/handovers/{world.deliveries['one']}")
    assert world.events("one")[2].evidence["sha256"] in kit.text


def test_both_sides_get_the_act_by_mail(world):
    world.ask("one", "ivan")
    act = world.opened("one")
    world.sign(act, world.send_code(act, "email"))
    pdf = pdf_of(world, act)
    world.portal.work()
    letters = [message_from_string(mail, policy=default) for mail in world.portal.mails()]
    copies = {letter["To"].addresses[0].addr_spec: letter for letter in letters if letter.is_multipart()}
    expected = {world.people[who].email for who in ("manager alpha", "dispatcher")} | {"sokolov@alpha.example"}
    assert set(copies) == expected
    for letter in copies.values():
        [file] = letter.iter_attachments()
        assert (file.get_filename(), file.get_content()) == (f"{act.number}.pdf", pdf)
    assert "Подписан акт" in copies["sokolov@alpha.example"].get_body().get_content()


def test_what_was_signed_reads_the_same_for_ever(world, monkeypatch):
    """Words, names and powers change; the page, the digest and the paper of the old act do not."""
    world.ask("one", "ivan")
    act = world.opened("one")
    world.sign(act, world.send_code(act))
    page, pdf = page_of(world, act), pdf_of(world, act)
    assert str(escape(act.record["paragraphs"][-1])) in page
    monkeypatch.setitem(texts.PARAGRAPHS, ActKind.ACCEPTANCE, ("The recipient owes us a cow.",))
    monkeypatch.setitem(texts.LABELS, "place", "Somewhere")
    world.change_power("ivan", number="OTHER-1", issued_by="Somebody else")
    with world.portal.sessions.begin() as session:
        session.get_one(AuthorizedPerson, world.recipients["ivan"].id).name = "Пётр Другой"
    assert page_of(world, act) == page
    assert pdf_of(world, act) == pdf
    assert texts.digest(world.act(act.id).record) == act.text_sha256


def test_a_typed_name_is_a_simple_signature_and_a_witness_signs_too(world):
    with world.portal.sessions.begin() as session:
        session.add(DeliveryPolicy(organisation_id=world.customers["alpha"].id, wants_witness=True))
    world.ask("one", "ivan")
    act = world.opened("one")
    typed = {"signature": "", "typed_name": "иван  петрович соколов"}
    code = world.send_code(act)
    answer = world.sign(act, code, json=True, **typed)
    assert (answer.status_code, answer.json["code"]) == (422, "witness-missing")
    answer = world.sign(act, code, json=True, **typed, witness_name="Ольга", witness_signature=data_url(png(200, 80)))
    assert answer.status_code == 303, answer.text
    act = world.act(act.id)
    assert (act.signature_kind, act.witness_name) == ("typed", "Ольга")
    assert act.witness_sha256 == hashlib.sha256(png(200, 80)).hexdigest()
    assert "имя набрано" in world.of("manager alpha").get(f"/handovers/acts/{act.id}").text


def test_the_recipient_refuses_and_an_act_is_given_up(world):
    world.ask("one", "ivan")
    world.ask("two", "ivan")
    act = world.opened("one")
    page = f"/handovers/acts/{act.id}/refuse"
    assert world.of("dispatcher").submit(page, reason="").status_code == 422
    assert world.of("dispatcher").submit(page, reason="Not what was ordered").status_code == 303
    assert world.states("one") == ["refused"]
    assert world.events("one")[-1].evidence["reason"] == "Not what was ordered"
    other = world.opened("two")
    assert world.of("dispatcher").submit(f"/handovers/acts/{other.id}/abandon", reason="Fire alarm").status_code == 303
    assert world.states("two") == ["prepared"]
    answer = world.sign(other, "123456", json=True)
    assert (answer.status_code, answer.json["code"]) == (409, "act-not-open")
    assert world.opened("two").number == "A-000003"


def test_where_nobody_came_it_is_handed_over_another_time(world):
    world.ask("one", "ivan")
    world.prepare("one")
    page = f"/deliveries/{world.deliveries['one']}"
    assert world.of("dispatcher").submit(f"{page}/fail", page=page, reason="Nobody came").status_code == 303
    assert world.states("one") == ["failed"]
    assert world.opened("one").is_open
    assert world.states("one") == ["prepared"]


def test_an_act_that_nobody_signs_closes_by_itself(world):
    world.ask("one", "ivan")
    act = world.opened("one")
    world.portal.clock.advance(days=6.9)
    world.portal.work()
    assert world.act(act.id).state == "open"
    world.portal.clock.at = act.opened_at + closing.OPEN_FOR
    world.portal.clock.advance(hours=1)
    with world.portal.sessions() as session:
        assert closing.left_open(session, world.portal.clock()) == [act.id]


@pytest.mark.parametrize(("channel", "state", "ends"), [
    (Channel.HAND_OVER, DeliveryState.ACKNOWLEDGED, ("acknowledged", "medium-returned")),
    (Channel.COURIER, DeliveryState.DELIVERED, ("returned", "returned")),
])  # fmt: skip
def test_media_come_back_by_an_act_of_return(world, channel, state, ends):
    world.ask("one", "ivan")
    with world.portal.sessions.begin() as session:
        delivery = session.get_one(Delivery, world.deliveries["one"])
        delivery.channel, delivery.state = channel, state
    address = f"/handovers/check?kind=return&delivery={delivery.id}"
    field = f"serials-{delivery.id}"
    assert world.check(address, condition="sound").status_code == 422  # which medium?
    answer = world.check(address, condition="seal broken", **{field: "USB-77\nUSB-78"})
    assert answer.status_code == 303, answer.text
    act = world.act(answer.headers["Location"].split("/")[3])
    assert "USB-77, USB-78" in act.record["paragraphs"][0]
    assert "seal broken" in " ".join(act.record["paragraphs"])
    assert world.sign(act, world.send_code(act)).status_code == 303
    assert (world.states("one")[0], world.kinds("one")[-1]) == ends
    assert world.events("one")[-1].evidence["medium_serial"] == "USB-77, USB-78"
    again = world.check(address, condition="sound", **{field: "usb-77"})
    assert again.status_code == 409


def test_a_customer_sees_its_own_acts_alone(world):
    world.ask("one", "ivan")
    act = world.opened("one")
    world.sign(act, world.send_code(act))
    paths = [f"/handovers/acts/{act.id}", f"/handovers/acts/{act.id}/act.pdf", f"/handovers/{world.deliveries['one']}"]
    for path in paths:
        assert world.of("manager alpha").get(path).status_code == 200
        assert world.of("manager beta").get(path).status_code == 404
        assert world.of("engineer").get(path).status_code == 200
    for path in (f"/handovers/acts/{act.id}/text", f"/handovers/acts/{act.id}/sign", "/handovers/new"):
        assert world.of("manager alpha").get(path).status_code == 403
        assert world.of("engineer").get(path).status_code == 403
    own, foreign = (world.of(who).get("/handovers.csv?q=sokolov").text for who in ("manager alpha", "manager beta"))
    assert act.number in own
    assert act.number not in foreign
    assert act.number in world.of("manager alpha").get("/handovers?state=signed&kind=acceptance").text
    assert act.number not in world.of("manager alpha").get("/handovers?state=open").text
    assert world.of("dispatcher").get(f"/handovers/{uuid4()}").status_code == 404
