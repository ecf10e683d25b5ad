"""The pages of contracts, exceptions, agreements and why, walked as people do."""

import io
import re

import pytest
from sqlalchemy import event, select

from portal.audit.models import AuditEvent
from portal.entitlements.models import AgreementAcceptance, AgreementVersion, Contract, ContractLine, Grant
from portal.releases.models import ALL_LEVELS

TERM = {"programme": "", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "time_zone": "Europe/Berlin"}
EVERY = [str(level) for level in (1, 2, 4, 8, 16)]


def make(shop, **fields):
    given = {"number": "17-204", "customer": shop.customer.code.lower(), **TERM, **fields}
    return shop.browser("administrator").submit("/contracts/new", **given)


def contract_of(shop, number="17-204"):
    with shop.portal.sessions() as session:
        return session.scalar(select(Contract).where(Contract.number == number))


def lines_of(shop):
    with shop.portal.sessions() as session:
        return session.scalars(select(ContractLine)).all()


def tags(shop):
    with shop.portal.sessions() as session:
        return [row.tag for row in session.scalars(select(AuditEvent).order_by(AuditEvent.sequence))]


def add_line(shop, contract, **fields):
    given = {
        "covers": f"product:{shop.product.id}",
        "levels": EVERY,
        "devices": "",
        "has_back_catalogue": "y",
        **fields,
    }
    return shop.browser("administrator").submit(f"/contracts/{contract.id}/lines/new", **given)


def test_a_contract_from_nothing_to_what_the_customer_may_take(shop):
    answer = make(shop)
    contract = contract_of(shop)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/contracts/{contract.id}"
    assert (contract.programme, contract.ends_on.isoformat()) == ("Expert 24X7", "2026-12-31")
    page = shop.browser("engineer").get(f"/why/{shop.new.id}").text
    assert "no-contract" in page
    assert add_line(shop, contract).status_code == 303
    page = shop.browser("engineer").get(f"/why/{shop.new.id}").text
    assert "active-contract" in page
    assert "17-204" in page
    assert {"contract.create", "contract.change"} <= set(tags(shop))


def test_a_line_is_changed_and_removed(shop):
    make(shop)
    contract = contract_of(shop)
    add_line(shop, contract)
    (line,) = lines_of(shop)
    browser = shop.browser("administrator")
    address = f"/contracts/{contract.id}/line?line={line.id}"
    assert browser.submit(address, levels=["8", "16"], devices="40").status_code == 303
    (line,) = lines_of(shop)
    assert (line.levels.value, line.devices, line.has_back_catalogue) == (24, 40, False)
    assert "level-not-covered" in shop.browser("engineer").get(f"/why/{shop.new.id}").text
    assert browser.submit(address, levels=[], devices="many").status_code == 422
    gone = browser.submit(f"/contracts/{contract.id}/line/remove", page=f"/contracts/{contract.id}", line=str(line.id))
    assert gone.status_code == 303
    assert lines_of(shop) == []
    again = browser.submit(f"/contracts/{contract.id}/line/remove", page=f"/contracts/{contract.id}", line=str(line.id))
    assert again.status_code == 404


def test_the_same_product_twice_is_refused_beside_its_field(shop):
    make(shop)
    contract = contract_of(shop)
    add_line(shop, contract)
    answer = add_line(shop, contract)
    assert answer.status_code == 422
    assert f"a line for {shop.product.name} already" in answer.text
    assert len(lines_of(shop)) == 1


def test_hold_and_resume(shop):
    make(shop)
    contract = contract_of(shop)
    add_line(shop, contract)
    browser, page = shop.browser("administrator"), f"/contracts/{contract.id}"
    assert browser.submit(f"{page}/hold", page=page, reason="").status_code == 422
    assert browser.submit(f"{page}/hold", page=page, reason="Unpaid since May").status_code == 303
    assert "Unpaid since May" in browser.get(page).text
    why = shop.browser("engineer").get(f"/why/{shop.new.id}").text
    assert "suspended" in why
    assert browser.submit(f"{page}/hold", page=page, reason="again").status_code == 409
    assert browser.submit(f"{page}/resume", page=page).status_code == 303
    assert browser.submit(f"{page}/resume", page=page).status_code == 409
    assert "active-contract" in shop.browser("engineer").get(f"/why/{shop.new.id}").text
    assert {"contract.hold", "contract.resume"} <= set(tags(shop))


def test_a_changed_term_decides_at_once(shop):
    make(shop)
    contract = contract_of(shop)
    add_line(shop, contract)
    browser = shop.browser("administrator")
    page = f"/contracts/{contract.id}/term"
    assert browser.submit(page, **{**TERM, "ends_on": "2025-12-31"}).status_code == 422
    assert browser.submit(page, **{**TERM, "starts_on": "01.02.2025", "ends_on": "2025-12-31"}).status_code == 303
    why = shop.browser("engineer").get(f"/why/{shop.new.id}").text
    assert "Contract 17-204 ended on 2025-12-31." in why
    assert "A renewal from any date before 2026-03-11 covers this release." in why


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("number", "", "has to be written"),
        ("number", "1" * 61, "at most 60"),
        ("customer", "nobody", "There is no customer"),
        ("starts_on", "31/12/2025", "is not a day"),
        ("starts_on", "2026-02-29", "is not a day"),
        ("ends_on", "9999-12-31", "is not a day"),
        ("ends_on", "2025-12-31", "before it starts"),
        ("time_zone", "Moscow", "not a time zone"),
        ("time_zone", "../../etc/passwd", "not a time zone"),
        ("programme", "a\0b", "can&#39;t be kept"),
    ],
)
def test_what_is_wrong_with_a_contract_stands_beside_its_field(shop, field, value, reason):
    answer = make(shop, **{field: value})
    assert answer.status_code == 422
    assert reason in answer.text
    assert contract_of(shop) is None


def test_a_number_is_given_once(shop):
    make(shop)
    answer = make(shop)
    assert answer.status_code == 422
    assert "There is a contract 17-204 already." in answer.text


def test_the_list_is_searched_and_narrowed(shop):
    make(shop)
    make(shop, number="16-100%", starts_on="2024-01-01", ends_on="2024-12-31")
    browser = shop.browser("approver")
    everything = browser.get("/contracts").text
    assert "17-204" in everything
    assert "16-100%" in everything
    for query, there, gone in (
        ("q=16-100%25", "16-100%", "17-204"),
        ("state=running", "17-204", "16-100%"),
        ("state=ended", "16-100%", "17-204"),
    ):
        page = browser.get(f"/contracts?{query}").text
        assert there in page
        assert gone not in page
    assert "No contract matches." in browser.get("/contracts?q=%00%25_").text
    assert browser.get("/contracts?state=nonsense&page=99999999999999999999").status_code == 200


def test_lists_ask_the_database_as_often_for_one_row_as_for_twenty(shop):
    make(shop)
    browser = shop.browser("approver")
    pages = ("/contracts", "/grants", "/agreements", f"/why/{shop.new.id}?customer={shop.customer.id}")
    few = [statements(shop, browser, page) for page in pages]
    for number in range(20):
        make(shop, number=f"N-{number}")
        add_line(shop, contract_of(shop, f"N-{number}"))
        give(shop, reason=f"trial {number}")
        agree(shop, code=f"licence-{number}")
    assert [statements(shop, browser, page) for page in pages] == [few[0], few[1], few[2] + 2, few[3] + 1]
    assert max(few) <= 9


def statements(shop, browser, page):
    seen = []
    listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
    event.listen(shop.portal.resources.engine, "before_cursor_execute", listen)
    assert browser.get(page).status_code == 200
    event.remove(shop.portal.resources.engine, "before_cursor_execute", listen)
    return len([text for text in seen if not text.startswith(("BEGIN", "PRAGMA"))])


def give(shop, **fields):
    given = {"customer": shop.customer.code, "product": shop.product.code, "version": "1.1", "last_day": "2026-04-01",
             "reason": "field trial", **fields}  # fmt: skip
    return shop.browser("approver").submit("/grants/new", **given)


def test_an_exception_is_given_and_revoked(shop):
    assert give(shop).status_code == 303
    with shop.portal.sessions() as session:
        grant = session.scalars(select(Grant)).one()
    assert grant.until.isoformat() == "2026-04-01T22:00:00+00:00"  # the end of that day in Berlin
    assert "code: grant" in shop.browser("engineer").get(f"/why/{shop.new.id}").text.lower()
    browser = shop.browser("approver")
    assert "field trial" in browser.get("/grants?q=1.1").text
    assert browser.submit(f"/grants/{grant.id}/revoke", page="/grants").status_code == 303
    assert "no-contract" in shop.browser("engineer").get(f"/why/{shop.new.id}").text
    assert browser.submit(f"/grants/{grant.id}/revoke", page="/grants").status_code == 409
    assert {"grant.give", "grant.revoke"} <= set(tags(shop))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("customer", "nobody", "There is no customer"),
        ("product", "nothing", "There is no product"),
        ("version", "9.9", "is not published"),
        ("last_day", "2026-03-09", "would be over before"),
        ("reason", "", "has to be written"),
    ],
)
def test_what_is_wrong_with_an_exception_stands_beside_its_field(shop, field, value, reason):
    answer = give(shop, **{field: value})
    assert answer.status_code == 422
    assert reason in answer.text


def agree(shop, address="/agreements/new", **fields):
    given = {"code": "licence", "title_en": "Licence", "body_en": "**Do** no harm", "title_ru": "Лицензия",
             "body_ru": "Не навреди", "products": shop.product.code, **fields}  # fmt: skip
    return shop.browser("administrator").submit(address, **given)


def test_an_agreement_is_accepted_before_the_release_is_taken(shop):
    make(shop)
    add_line(shop, contract_of(shop))
    assert agree(shop).status_code == 303
    engineer = shop.browser("engineer")
    why = engineer.get(f"/why/{shop.new.id}").text
    assert "agreement-required" in why
    accept = re.search(r'href="(/agreements/[^"]+/accept[^"]*)"', why).group(1).replace("&amp;", "&")
    text = engineer.get(accept).text
    assert "<strong>Do</strong> no harm" in text
    answer = engineer.submit(accept, next=f"/why/{shop.new.id}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/why/{shop.new.id}")
    assert "active-contract" in engineer.get(f"/why/{shop.new.id}").text
    assert "Accepted" in engineer.get(accept).text
    with shop.portal.sessions() as session:
        row = session.scalars(select(AgreementAcceptance)).one()
        assert row.address == "127.0.0.1"
        assert row.organisation_id == shop.customer.id
        assert len(row.text_sha256) == 64
        version = session.scalars(select(AgreementVersion)).one()
    # a newer version asks anew, and the old one can no longer be accepted
    assert agree(shop, f"/agreements/{version.agreement_id}/edit", body_en="More").status_code == 303
    assert "agreement-required" in engineer.get(f"/why/{shop.new.id}").text
    with shop.portal.sessions.begin() as session:
        session.query(AgreementAcceptance).delete()
    assert engineer.submit(accept).status_code == 409
    assert {"agreement.save", "agreement.accept"} <= set(tags(shop))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("title_ru", " ", "needed"),
        ("body_en", "", "needed"),
        ("products", "nothing", "There is no product"),
        ("code", "", "has to be written"),
    ],
)
def test_what_is_wrong_with_an_agreement_stands_beside_its_field(shop, field, value, reason):
    answer = agree(shop, **{field: value})
    assert answer.status_code == 422
    assert reason in answer.text


def test_where_to_after_accepting_is_a_page_of_ours(shop):
    agree(shop)
    with shop.portal.sessions() as session:
        version = session.scalars(select(AgreementVersion)).one()
    answer = shop.browser("engineer").submit(f"/agreements/{version.id}/accept", next="//evil.example/")
    assert answer.headers["Location"] == "/"


def upload(shop, content, **fields):
    browser = shop.browser("administrator")
    token = browser.get_token("/contracts/import")
    data = {"csrf_token": token, "sheet": (io.BytesIO(content), "contracts.csv"), **fields}
    return browser.post("/contracts/import", data=data)


def test_a_table_is_imported_by_the_page(shop):
    head = "contract;customer;starts_on;ends_on;product;levels\r\n"
    good = f"A-1;{shop.customer.code};01.01.2026;31.12.2026;{shop.product.code};all\r\n"
    bad = f"B-1;nobody;2026-01-01;2025-01-01;{shop.product.code};huge\r\n"
    answer = upload(shop, (head + good + bad).encode("utf-8-sig"))
    assert answer.status_code == 422
    assert "Nothing is imported." in answer.text
    assert all(word in answer.text for word in ("<code>customer</code>", "<code>ends_on</code>", "<code>levels</code>"))
    assert contract_of(shop, "A-1") is None
    answer = upload(shop, (head + good + bad).encode(), keep_going="y")
    assert answer.status_code == 200
    assert contract_of(shop, "A-1") is not None
    assert contract_of(shop, "B-1") is None
    assert upload(shop, (head + good.replace("A-1", "A-2")).encode()).status_code == 303
    assert "contract.import" in tags(shop)


def test_the_decision_for_programs(shop):
    make(shop)
    engineer = shop.browser("engineer")
    answer = engineer.get(f"/api/v1/decisions?release={shop.new.id}").get_json()
    assert answer["decision"]["granted"] is False
    assert answer["decision"]["code"] == "no-contract"
    add_line(shop, contract_of(shop))
    answer = engineer.get(f"/api/v1/decisions?release={shop.new.id}").get_json()
    assert answer["decision"]["basis"] == "active-contract"
    assert answer["decision"]["until"] == "2026-12-31T23:00:00+00:00"
    staff = shop.browser("approver")
    same = staff.get(f"/api/v1/decisions?release={shop.new.id}&customer={shop.customer.id}").get_json()
    assert same == answer
    assert staff.get(f"/api/v1/decisions?release={shop.new.id}").status_code == 404
    assert staff.get(f"/api/v1/decisions?release={shop.new.id}&customer=x").status_code == 404
    assert engineer.get("/api/v1/decisions?release=x").status_code == 422
    assert engineer.get("/api/v1/decisions").get_json()["code"] == "release-not-named"


def test_a_customer_asks_for_itself_alone(shop):
    other = shop.browser("engineer").get(f"/why/{shop.new.id}?customer={shop.new.id}")
    assert other.status_code == 404


def test_the_rights_live_on_when_all_levels_are_said(shop):
    make(shop)
    add_line(shop, contract_of(shop))
    assert lines_of(shop)[0].levels == ALL_LEVELS
