"""The pages, walked by a manager, an engineer, dispatchers and another customer."""

import io
import re
from datetime import date, timedelta
from html import unescape

from sqlalchemy import event, select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from portal.actors import PORTAL_COMMAND
from portal.authority import queries, service
from portal.authority.mending import way_to_mend
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerState
from portal.authority.rules import Held, Lack, Lacking, Need, authority
from portal.authority.terms import NewPower, RecipientFacts
from portal.config import MIB
from tests.factories import make_organisation, make_product
from tests.portals import START

PERSON = {"name": "Зоя Курьер", "email": "zoe@a.example", "phone": "+7 916 123-45-67", "language": "ru"}
PDF = b"%PDF-1.7\n" + bytes(100)


def power_fields(**changes) -> dict[str, object]:
    return {"number": "44-Д", "issued_on": "2026-03-01", "issued_by": "Директор", "valid_from": "2026-03-10",
            "valid_until": "2026-09-30", "may_receive": "y", "scope": "all", **changes}  # fmt: skip


def sole(world, model, **facts):
    with world.portal.sessions() as session:
        return session.scalars(select(model).filter_by(**facts)).one()


def state_of(world, number="44-Д") -> PowerState:
    return sole(world, PowerOfAttorney, number=number).state


def answer_for(world, holder, product, need=Need.RECEIVE):
    with world.portal.sessions() as session:
        return authority(queries.facts_of(session, holder.id), product.id, need, world.portal.clock())


def test_from_naming_to_revocation_on_pages(world):
    manager, dispatcher = world.browser("manager A"), world.browser("dispatcher")
    answer = manager.submit("/authority/new", **PERSON)
    zoe = sole(world, AuthorizedPerson, email="zoe@a.example")
    give = f"/authority/people/{zoe.id}/powers/new"
    assert (answer.status_code, answer.headers["Location"]) == (303, give)
    scan = (io.BytesIO(PDF), "доверенность.pdf", "text/html")
    answer = manager.submit(give, **power_fields(scope="some", products=str(world.product.id), scan=scan))
    power = sole(world, PowerOfAttorney, number="44-Д")
    page = f"/authority/powers/{power.id}"
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert "Waits for the dispatcher" in manager.get("/authority").text
    assert "44-Д" in dispatcher.get("/authority/waiting").text
    got = dispatcher.get(f"{page}/scan")
    assert (got.data, got.headers["Content-Type"]) == (PDF, "application/pdf")
    assert got.headers["Content-Disposition"].startswith("attachment; filename=")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    got.close()
    assert dispatcher.submit(f"{page}/confirm", page, checked="").status_code == 422
    assert dispatcher.submit(f"{page}/confirm", page, checked="The scan; called back").status_code == 303
    assert state_of(world) is PowerState.CONFIRMED
    assert dispatcher.submit(f"{page}/confirm", "/account", checked="").status_code == 409
    assert "In force until 2026-09-30" in world.browser("engineer A").get("/authority").text
    assert isinstance(answer_for(world, zoe, world.product), Held)
    assert manager.submit(f"{page}/revoke", page, reason="").status_code == 422
    assert manager.submit(f"{page}/revoke", page, reason="He has left").status_code == 303
    assert answer_for(world, zoe, world.product).code is Lack.MISSING
    text = manager.get(page).text
    assert "He has left" in text
    assert "The scan; called back" in text
    again = {"csrf_token": manager.get_token("/account"), "reason": "x"}
    assert manager.post(f"{page}/revoke", data=again).status_code == 409


def test_on_the_customer_s_behalf_and_then_somebody_else_confirms(world):
    dispatcher = world.browser("dispatcher")
    assert dispatcher.submit("/authority/new", customer="no such", **PERSON).status_code == 422
    answer = dispatcher.submit("/authority/new", customer=world.customer_a.code, **PERSON)
    assert answer.status_code == 303
    dispatcher.submit(answer.headers["Location"], **power_fields())
    page = f"/authority/powers/{sole(world, PowerOfAttorney, number='44-Д').id}"
    assert "You entered it" in dispatcher.get(page).text
    refused = dispatcher.submit(f"{page}/confirm", page, checked="x")
    assert (refused.status_code, "second-person-needed" in refused.text) == (403, True)
    assert state_of(world) is PowerState.UNCONFIRMED


BAD = [
    ({"valid_until": "2026-03-09"}, "before the first one"), ({"valid_from": "tomorrow"}, "is not a day"),
    ({"issued_on": "2027-01-01"}, "after today"), ({"number": "x" * 300}, "300 characters"),
    ({"number": "1\0"}, "U+0000"), ({"issued_by": ""}, "has to be written"), ({"scope": "some"}, "Choose the products"),
    ({"may_receive": ""}, "receive files, sign acts"), ({"scope": "some", "products": "no such id"}, "valid choice"),
    ({"scan": b"<html><script>"}, "none of them"),
    ({"scan": b""}, "none of them"),
]  # fmt: skip


def test_a_bad_power_is_refused_beside_its_field_and_nothing_is_lost(world):
    manager, page = world.browser("manager A"), f"/authority/people/{world.candidate.id}/powers/new"
    for changes, says in BAD:
        content = changes.get("scan")
        scan = {} if content is None else {"scan": (io.BytesIO(content), "scan.pdf", "application/pdf")}
        answer = manager.submit(page, **power_fields(**(changes | scan)))
        assert (answer.status_code, says in answer.text) == (422, True), (changes, answer.text[-3000:])
        assert "44-Д" in answer.text or "number" in changes
    with world.portal.sessions() as session:
        assert session.scalar(select(PowerOfAttorney.id).where(PowerOfAttorney.number == "44-Д")) is None


def send_scan(browser, page, size, address=None):
    """As a body of bytes: the test client itself would leave a temporary file open for what is large."""
    fields = power_fields(
        csrf_token=browser.get_token(page), scan=FileStorage(io.BytesIO(b"%PDF-" + bytes(size)), "scan.pdf")
    )
    boundary, body = encode_multipart(MultiDict(fields))
    return browser.post(address or page, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def test_a_scan_of_21_mb_and_one_far_too_large(world):
    manager, page = world.browser("manager A"), f"/authority/people/{world.candidate.id}/powers/new"
    a_little = send_scan(manager, page, 21 * MIB)
    assert (a_little.status_code, "20 MB at most" in a_little.text) == (422, True)
    assert send_scan(manager, page, 25 * MIB).status_code == 413
    assert send_scan(manager, page, 5 * MIB, "/authority/new").status_code == 413  # other forms stay small
    assert send_scan(world.browser("manager B"), "/authority/new", 5 * MIB, page).status_code == 404
    assert send_scan(manager, page, 19 * MIB).status_code == 303


def test_the_scan_can_follow_later_and_only_whoever_decides_opens_it(world):
    manager = world.browser("manager A")
    page = manager.submit(f"/authority/people/{world.candidate.id}/powers/new", **power_fields()).headers["Location"]
    assert manager.get(f"{page}/scan").status_code == 404
    assert manager.submit(f"{page}/scan", page).status_code == 422
    assert manager.submit(f"{page}/scan", page, scan=(io.BytesIO(b"<html>"), "a.pdf")).status_code == 422
    png = b"\x89PNG\r\n\x1a\n" + bytes(9)
    assert manager.submit(f"{page}/scan", page, scan=(io.BytesIO(png), "a<b>.html")).status_code == 303
    for who, status in (("manager A", 200), ("dispatcher", 200), ("auditor", 200), ("engineer A", 404),
                        ("manager B", 404), ("TSC engineer", 404)):  # fmt: skip
        answer = world.browser(who).get(f"{page}/scan")
        assert answer.status_code == status, who
        answer.close()


def test_nothing_of_customer_a_is_anything_to_customer_b(world):
    manager = world.browser("manager B")
    token = manager.get_token("/account")
    person, power = f"/authority/people/{world.recipient.id}", f"/authority/powers/{world.waiting_power.id}"
    for address in (person, f"{person}/change", f"{person}/powers/new", power, f"{power}/scan",
                    f"/authority/mend?person={world.recipient.id}&product={world.product.id}"):  # fmt: skip
        assert manager.get(address).status_code == 404, address
    for address in (f"{person}/change", f"{person}/powers/new", f"{power}/scan", f"{power}/revoke", f"{power}/ask"):
        assert manager.post(address, data={"csrf_token": token, "reason": "x"}).status_code == 404, address
    assert world.recipient.name not in manager.get("/authority").text
    assert manager.get("/api/v1/authorized-persons").json == {"authorized_persons": [], "next": None}
    with world.portal.sessions.begin() as session:
        secret = make_product(session, is_listed=False, name="Secret switch")
    address = f"/authority/mend?person={world.candidate.id}&product={secret.id}"
    assert world.browser("manager A").get(address).status_code == 404
    for query in ("", "person=x&product=y", f"person={world.candidate.id}&product={world.candidate.id}"):
        assert world.browser("manager A").get(f"/authority/mend?{query}").status_code == 404


def test_lists_for_programs_and_people_cost_the_same_however_long(world):
    answer = world.browser("engineer A").get("/api/v1/authorized-persons").json
    irina, petr = answer["authorized_persons"]
    assert (irina["name"], irina["standing"], petr["standing"]) == ("Irina", "in-force", "waits")
    assert irina["powers"][0]["products"] == "all"
    assert len(world.browser("dispatcher").get("/api/v1/authorized-persons?q=petr").json["authorized_persons"]) == 1

    def count() -> int:
        seen = []
        listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
        event.listen(world.portal.resources.engine, "before_cursor_execute", listen)
        assert world.browser("dispatcher").get("/authority").status_code == 200
        event.remove(world.portal.resources.engine, "before_cursor_execute", listen)
        return len(seen)

    count()
    before = count()
    with world.portal.sessions.begin() as session:
        for _ in range(5):
            organisation = make_organisation(session)
            named(session, organisation, f"x@{organisation.code}.example")
    assert count() == before


# from a refusal to what mends it


def named(session, organisation, email="zoe@a.example") -> AuthorizedPerson:
    return service.name_person(session, organisation, RecipientFacts("Zoe", email), by=PORTAL_COMMAND, at=START)


def mend_address(world, holder, product, need=Need.RECEIVE) -> str:
    lacking = answer_for(world, holder, product, need)
    assert isinstance(lacking, Lacking)
    _label, endpoint, arguments = way_to_mend(lacking, holder.id, product.id, need)
    with world.portal.app.test_request_context():
        return world.portal.app.url_for(endpoint, **arguments)


def sent_as_it_stands(browser, address):
    """Post the page's form exactly as it came, as one press of the button does."""
    text = browser.get(address).text
    form = text[text.index('<form class="panel narrow"') :]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        found = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if found.get("type") in ("checkbox", "radio") and " checked" not in tag:
            continue
        if found.get("type") != "file" and "name" in found:
            fields.setdefault(found["name"], []).append(found.get("value", ""))
    return browser.post(address, data=fields)


def last_power(world, holder) -> PowerOfAttorney:
    with world.portal.sessions() as session:
        rows = select(PowerOfAttorney).where(PowerOfAttorney.holder_id == holder.id)
        return session.scalars(rows.order_by(PowerOfAttorney.created_at.desc()).limit(1)).one()


def confirm(world, power):
    page = f"/authority/powers/{power.id}"
    assert world.browser("dispatcher").submit(f"{page}/confirm", page, checked="The scan").status_code == 303


def test_one_press_extends_what_has_ended(world):
    world.portal.clock.at = world.power.ends_at + timedelta(days=3)
    address = mend_address(world, world.recipient, world.product)
    assert sent_as_it_stands(world.browser("manager A"), address).status_code == 303
    new = last_power(world, world.recipient)
    assert (new.number, new.valid_from, new.valid_until - new.valid_from) == (
        world.power.number, date(2027, 1, 4), world.power.valid_until - world.power.valid_from)  # fmt: skip
    confirm(world, new)
    assert isinstance(answer_for(world, world.recipient, world.product), Held)


def narrow(world, **facts) -> AuthorizedPerson:
    """Somebody with a confirmed power for another product."""
    with world.portal.sessions.begin() as session:
        other = make_product(session, is_listed=True)
        holder = named(session, world.customer_a)
        new = NewPower("9", START.date(), "The director", START.date(), START.date() + timedelta(days=90),
                               product_ids=frozenset({other.id}), **facts)  # fmt: skip
        power = service.give_power(session, holder, new, by=PORTAL_COMMAND, at=START)
        service.confirm(session, power, checked="x", second_person=True, by=PORTAL_COMMAND, at=START)
        return holder


def test_one_press_adds_the_product_and_what_is_needed(world):
    zoe = narrow(world)
    for need in Need:
        address = mend_address(world, zoe, world.product, need)
        world.portal.clock.advance(minutes=1)
        assert sent_as_it_stands(world.browser("manager A"), address).status_code == 303
        new = last_power(world, zoe)
        assert new.valid_until == START.date() + timedelta(days=90)
        confirm(world, new)
        assert isinstance(answer_for(world, zoe, world.product, need), Held)


def test_what_waits_is_asked_for_once_a_day(world):
    address, manager = mend_address(world, world.candidate, world.product), world.browser("manager A")
    assert "The dispatchers were told" in manager.get(address).text
    ask = f"/authority/powers/{world.waiting_power.id}/ask"
    early = manager.submit(ask, "/account")
    assert (early.status_code, int(early.headers["Retry-After"])) == (429, 86401)
    world.portal.clock.advance(days=1)
    manager = world.browser("manager A")
    assert f'action="{ask}"' in manager.get(address).text
    assert manager.submit(ask, address).status_code == 303
    assert manager.submit(ask, "/account").status_code == 429
    world.portal.work()
    assert sum("17/Petr" in mail for mail in world.portal.mails()) >= 2


def test_where_there_is_none_the_form_wants_only_number_and_issuer_of_whoever_may(world):
    with world.portal.sessions.begin() as session:
        zoe = named(session, world.customer_a)
    address, manager = mend_address(world, zoe, world.product), world.browser("manager A")
    assert "has no power of attorney" in manager.get(address).text
    refused = sent_as_it_stands(manager, address)
    assert (refused.status_code, refused.text.count("Something has to be written")) == (422, 2)
    page = world.browser("engineer A").get(address).text
    assert world.people["manager A"].email in page
    assert '<form class="panel narrow"' not in page
