"""From approval to the message that the mail server took: one message, a decision at each step, nothing lost."""

import hashlib
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.authority.models import AuthorizedPerson, PowerOfAttorney
from portal.deliveries import requests
from portal.deliveries.errors import RecipientFixed
from portal.deliveries.models import Delivery, DeliveryPolicy
from portal.entitlements.models import Agreement, AgreementVersion, Contract, ProductAgreement
from portal.errors import PortalError
from portal.mailings import links, service
from portal.mailings.models import MessageState
from portal.releases.models import Publication
from tests.factories import make_recipient
from tests.mailings.conftest import RECIPIENT, link_in, text_of

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def refused(desk, verb, delivery_id, **named):
    with pytest.raises(PortalError) as caught:
        desk.do(verb, delivery_id, **named)
    return caught.value.code


def policy(desk, *, may_attach):
    with desk.sessions.begin() as session:
        session.merge(DeliveryPolicy(organisation_id=desk.world.alpha.id, may_attach=may_attach, wants_witness=False))


def agreement(desk):
    with desk.sessions.begin() as session:
        row = Agreement(code="licence", created_at=desk.at)
        session.add(row)
        session.flush()
        texts = {language: {"title": "Лицензия", "body": "Пользуйтесь."} for language in ("en", "ru")}
        version = AgreementVersion(agreement_id=row.id, number=1, texts=texts, effective_from=desk.at)
        session.add_all([version, ProductAgreement(product_id=desk.world.product.id, agreement_id=row.id)])
        session.flush()
        return version.id


def test_a_delivery_is_dispatched_when_the_mail_server_has_its_message_and_not_before(desk):
    delivery_id = desk.prepared()
    with desk.sessions() as session:
        sums = session.get_one(Publication, desk.world.release_id).sums
    assert desk.events(delivery_id)[-1].evidence["sha256"] == hashlib.sha256(sums.encode()).hexdigest()
    desk.do(service.dispatch, delivery_id, config=desk.config)
    assert desk.state(delivery_id) == "prepared"
    desk.portal.work()
    assert desk.kinds(delivery_id) == ["requested", "approved", "prepared", "dispatched"]
    proof, [message], [link] = desk.events(delivery_id)[-1], desk.messages(), desk.links()
    assert (proof.evidence["message_id"], proof.evidence["recipient"]) == (message.message_id, RECIPIENT)
    assert proof.evidence["decision"]["basis"]
    assert proof.evidence["authority"]["number"]
    assert (proof.person_id, proof.address) == (desk.by.person_id, "192.0.2.7")
    assert desk.now(delivery_id).due_at == link.expires_at == desk.at + timedelta(days=14)
    mail = desk.mail()
    assert mail["Message-ID"] == message.message_id
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    page = mail.get_body(("html",)).get_content()
    assert link_in(mail) in page
    assert not any(word in page for word in ("<img", "<script", "<link", "src="))


def test_the_secret_is_kept_nowhere(desk):
    desk.sent()
    secret = desk.link().removeprefix("/m/")
    [link] = desk.links()
    assert link.secret_hash == links.digest(secret)
    with desk.sessions() as session:
        connection = session.connection()
        tables = [name for (name,) in connection.exec_driver_sql(_TABLES[connection.dialect.name]).all()]
        kept = "".join(str(connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()) for name in tables)
    assert len(tables) > 20
    assert link.secret_hash in kept
    assert secret not in kept


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
}


def test_a_double_click_sends_one_message(desk):
    delivery_id = desk.prepared()
    threads = [threading.Thread(target=desk.do, args=(service.dispatch, delivery_id), kwargs={"config": desk.config})
               for _ in range(2)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.portal.work()
    assert (len(desk.messages()), len(desk.links()), len(desk.letters())) == (1, 1, 1)
    assert refused(desk, service.dispatch, delivery_id, config=desk.config) == "delivery-step-out-of-order"


@pytest.mark.parametrize(("what", "code"), [
    ("contract", "contract-expired"), ("power", "authority-missing"), ("release", "withdrawn"),
])  # fmt: skip
@on_sqlite
def test_what_ended_between_stops_the_message(desk, what, code):
    """At the order, and once more when the job sends: a day may lie between."""
    ordered, only_prepared = desk.ordered(), desk.prepared()
    if what == "contract":
        with desk.sessions.begin() as session:
            contract = session.get_one(Contract, desk.world.contract_id)
            contract.set_term(contract.starts_on, desk.at.date() - timedelta(days=31), "UTC")
    elif what == "power":
        with desk.sessions.begin() as session:
            session.scalars(select(PowerOfAttorney)).one().revoke("left", None, desk.at)
    else:
        desk.world.withdraw()
    assert refused(desk, service.dispatch, only_prepared, config=desk.config) == code
    desk.portal.work()
    [message] = desk.messages()
    assert (message.state, message.last_error) == (MessageState.STOPPED, code)
    assert desk.state(ordered) == "prepared"
    assert desk.letters() == []


def test_small_files_are_attached_with_what_verifies_them_where_the_customer_wants_it(desk):
    policy(desk, may_attach=True)
    desk.sent()
    mail = desk.mail()
    files = {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}
    items = {item.artifact.name: item.sha256 for item in desk.items(desk.messages()[0].delivery_id)}
    assert set(files) == {*items, "SHA256SUMS", "SHA256SUMS.sig"}
    assert {name: hashlib.sha256(files[name]).hexdigest() for name in items} == items
    assert all(f"{digest}  {name}" in files["SHA256SUMS"].decode() for name, digest in items.items())
    assert all(digest in text_of(mail) for digest in items.values())
    [message] = desk.messages()
    assert (message.kind.value, desk.state(message.delivery_id)) == ("attachment", "dispatched")


@pytest.mark.parametrize("why", ["not wanted", "too large", "agreement"])
@on_sqlite
def test_otherwise_a_link_goes(desk, why):
    policy(desk, may_attach=why != "not wanted")
    delivery_id, config = desk.prepared(), desk.config
    if why == "too large":
        config = type(config)(**{**vars(config), "max_mailed_file_bytes": 1000})
    elif why == "agreement":
        agreement(desk)
    desk.do(service.dispatch, delivery_id, config=config)
    desk.portal.work()
    assert [message.kind.value for message in desk.messages()] == ["link"]
    assert list(desk.mail().iter_attachments()) == []


def test_a_new_link_closes_the_former_one(desk):
    delivery_id = desk.sent()
    old = desk.link()
    desk.do(service.renew, delivery_id, config=desk.config)
    desk.do(service.renew, delivery_id, config=desk.config)
    desk.portal.work()
    assert desk.kinds(delivery_id)[-3:] == ["dispatched", "link-withdrawn", "link-renewed"]
    new = desk.link()
    assert new != old
    browser = desk.portal.browser()
    assert browser.get(old).status_code == 410
    assert browser.get(new).status_code == 200


@on_sqlite
def test_who_may_withdraw_a_link(desk):
    delivery_id = desk.sent()
    actors = {who: desk.world.actor(who) for who in ("alpha", "alpha-2", "beta")}
    for who in ("alpha", "beta"):
        assert refused(desk, service.withdraw, delivery_id, reason="x", by=actors[who]) == "forbidden"
    assert refused(desk, service.withdraw, delivery_id, reason=" ") == "text-missing"
    desk.do(service.withdraw, delivery_id, reason="He has left us", by=actors["alpha-2"])
    [link] = desk.links()
    assert (link.withdrawn_by_name, link.withdrawn_because) == ("Anton Alpha", "He has left us")
    assert desk.kinds(delivery_id)[-1] == "link-withdrawn"
    assert refused(desk, service.withdraw, delivery_id, reason="again") == "link-not-open"
    desk.do(service.renew, delivery_id, config=desk.config)
    desk.portal.work()
    assert desk.portal.browser().get(desk.link()).status_code == 200


@on_sqlite
def test_a_message_withdrawn_while_it_waits_is_never_sent(desk):
    delivery_id = desk.ordered()
    desk.do(service.withdraw, delivery_id, reason="a mistake")
    desk.portal.work()
    assert [message.state for message in desk.messages()] == [MessageState.STOPPED]
    assert desk.letters() == []
    desk.do(service.dispatch, delivery_id, config=desk.config)
    desk.portal.work()
    assert desk.state(delivery_id) == "dispatched"


@on_sqlite
def test_steps_out_of_order_are_refused(desk):
    delivery_id = desk.approved()
    assert refused(desk, service.dispatch, delivery_id, config=desk.config) == "delivery-step-out-of-order"
    assert refused(desk, service.renew, delivery_id, config=desk.config) == "link-not-renewable"
    desk.do(service.prepare, delivery_id)
    assert refused(desk, service.prepare, delivery_id) == "delivery-step-out-of-order"
    assert refused(desk, service.dispatch, delivery_id, config=desk.config, by=desk.world.actor("alpha")) == "forbidden"
    with desk.sessions.begin() as session:
        requests.cancel(session, desk.now(delivery_id), reason="x", by=desk.by, at=desk.at)
    assert refused(desk, service.dispatch, delivery_id, config=desk.config) == "delivery-step-out-of-order"


@on_sqlite
def test_a_recipient_is_reminded_once_three_days_before_the_end(desk):
    delivery_id = desk.sent()
    first = desk.link()
    desk.portal.clock.advance(days=10, hours=23)
    desk.portal.work()
    assert len(desk.messages()) == 1
    for _ in range(3):
        desk.portal.clock.advance(hours=1)
        desk.portal.work()
    assert [message.kind.value for message in desk.messages()] == ["link", "reminder"]
    assert desk.kinds(delivery_id)[-1] == "reminded"
    assert link_in(desk.mail()) == first
    assert desk.state(delivery_id) == "dispatched"


@on_sqlite
def test_the_page_of_a_delivery_shows_no_secret(desk):
    delivery_id = desk.sent()
    secret = desk.link().removeprefix("/m/")
    for who in ("dispatcher", "alpha", "alpha-2"):
        page = desk.world.of(who).get(f"/mailings/{delivery_id}")
        assert page.status_code == 200
        assert secret not in page.text
        assert RECIPIENT in page.text
        assert ("/withdraw" in page.text) == (who != "alpha")
        assert ("/renew" in page.text) == (who == "dispatcher")
    assert desk.world.of("beta").get(f"/mailings/{delivery_id}").status_code == 404


@on_sqlite
def test_a_dispatcher_walks_the_page(desk):
    delivery_id = desk.approved()
    browser, page = desk.world.of("dispatcher"), f"/mailings/{delivery_id}"
    for step in ("prepare", "dispatch"):
        assert browser.submit(f"{page}/{step}", page=page).status_code == 303
    desk.portal.work()
    assert desk.state(delivery_id) == "dispatched"
    assert browser.submit(f"{page}/withdraw", page=page, reason="").status_code == 422
    assert browser.submit(f"{page}/withdraw", page=page, reason="мимо").status_code == 303
    assert "мимо" in browser.get(page).text


@pytest.mark.parametrize(("who", "verb", "status"), [
    *((who, verb, 403) for who in ("alpha", "alpha-2", "beta") for verb in ("kit", "prepare", "dispatch", "renew")),
    ("beta", "withdraw", 404), ("alpha", "withdraw", 403), ("alpha-2", "withdraw", 303), (None, "dispatch", 401),
    ("publisher", "dispatch", 403),
])  # fmt: skip
@on_sqlite
def test_who_may_do_what_on_the_page(desk, who, verb, status):
    delivery_id = desk.sent()
    browser = desk.world.of(who) if who else desk.portal.browser()
    page = "/account" if who else "/sign-in"
    answer = browser.submit(f"/mailings/{delivery_id}/{verb}", page=page, reason="x")
    assert answer.status_code == status


@on_sqlite
def test_a_kit_is_built_when_it_is_asked_for(desk):
    delivery_id = desk.approved()
    browser, page = desk.world.of("dispatcher"), f"/mailings/{delivery_id}"
    for _ in range(2):
        assert browser.submit(f"{page}/kit", page=page).status_code == 303
    desk.portal.work()
    with desk.sessions() as session:
        kit = service.kit_of(session, desk.now(delivery_id))
    assert kit.file_name in browser.get(page).text
    desk.do(service.prepare, delivery_id)
    assert desk.events(delivery_id)[-1].evidence["sha256"] == kit.sha256
    assert refused(desk, service.order_kit, delivery_id) == "delivery-step-out-of-order"


def another(desk, delivery_id, recipient_id):
    with desk.sessions.begin() as session:
        chosen, row = session.get_one(AuthorizedPerson, recipient_id), session.get_one(Delivery, delivery_id)
        requests.change_recipient(session, row, chosen, reason="ill", by=desk.by, at=desk.at)


@on_sqlite
def test_what_was_made_for_one_recipient_never_goes_to_or_by_another(desk):
    with desk.sessions.begin() as session:
        other_id = make_recipient(session, session.merge(desk.world.alpha), email="otto@alpha.example").id
    delivery_id = desk.sent()
    desk.do(service.renew, delivery_id, config=desk.config)
    with desk.sessions.begin() as session:
        requests.fail(session, session.get_one(Delivery, delivery_id), reason="away", by=desk.by, at=desk.at)
    another(desk, delivery_id, other_id)
    desk.do(service.prepare, delivery_id)
    desk.portal.work()
    assert (len(desk.letters()), desk.state(delivery_id)) == (1, "prepared")
    desk.do(service.dispatch, delivery_id, config=desk.config)
    desk.portal.work()
    assert desk.mail()["To"].addresses[0].addr_spec == "otto@alpha.example"
    with_kit = desk.approved()
    desk.do(service.order_kit, with_kit)
    desk.portal.work()
    with pytest.raises(RecipientFixed):
        another(desk, with_kit, other_id)
    with desk.sessions.begin() as session:
        row = session.get_one(Delivery, with_kit)
        row.recipient = row.recipient | {"name": "Otto"}
        assert service.kit_of(session, row) is None


@on_sqlite
def test_no_link_goes_to_an_address_that_the_recipient_has_left(desk):
    delivery_id = desk.prepared()
    with desk.sessions.begin() as session:
        session.get_one(AuthorizedPerson, desk.recipient_id).email = "olga@elsewhere.example"
    assert refused(desk, service.dispatch, delivery_id, config=desk.config) == "recipient-moved"
    anew = desk.approved()
    with desk.sessions.begin() as session:
        session.get_one(AuthorizedPerson, desk.recipient_id).email = RECIPIENT
    another(desk, anew, desk.recipient_id)
    desk.do(service.prepare, anew)
    desk.do(service.dispatch, anew, config=desk.config)
    desk.portal.work()
    assert desk.mail()["To"].addresses[0].addr_spec == RECIPIENT
