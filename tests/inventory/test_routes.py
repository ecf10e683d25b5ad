import re
from contextlib import contextmanager
from io import BytesIO

import pytest
from sqlalchemy import event

from portal.releases.models import Product
from tests.factories import make_device

FORM = {"product": "core", "serial": "SN-1", "name": "Hall", "installed_version": "4.9"}
HEAD = "product,serial,site,installed_version\n"


def add(world, who, **fields):
    return world.of(who).submit("/devices/new", **{**FORM, **fields})


def shown(world, who, content, **fields):
    """The page that says what the table would change."""
    sheet = (BytesIO(content if isinstance(content, bytes) else content.encode()), "devices.csv")
    return world.of(who).submit("/devices/import", sheet=sheet, **fields)


def confirmed(world, who, page, **fields):
    """Press the button of that page."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return world.of(who).post("/devices/import/confirm", data={**hidden, **fields})


def take_in(world, who, content, **fields):
    page = shown(world, who, content, **fields)
    return confirmed(world, who, page) if page.status_code == 200 else page


def have(world, count):
    with world.portal.sessions.begin() as session:
        customer, product = session.merge(world.homes["alpha"]), session.get_one(Product, world.core.id)
        for _ in range(count):
            make_device(session, customer, product)


def test_a_customer_adds_and_sees_its_own(world):
    answer = add(world, "alpha")
    assert answer.status_code == 303
    assert "SN-1" in world.of("alpha").get(answer.location).text
    assert "SN-1" in world.of("alpha").get("/devices").text
    assert "SN-1" in world.of("alpha").get("/devices.csv").text
    for address in (
        "/devices",
        "/devices?customer=ALPHA",
        "/devices?q=SN-1",
        "/devices.csv",
        "/devices.csv?customer=ALPHA",
    ):
        text = world.of("beta").get(address).text
        assert "Hall" not in text
        assert "Alpha" not in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"serial": ""}, "Something has to be written"),
        ({"serial": "\x00"}, "U+0000"),
        ({"serial": "[" * 100_000}, "at most 100"),
        ({"installed_version": "so!"}, "is not a natural version"),
        ({"product": "secret"}, "Not a valid choice"),
        ({"product": ""}, "Not a valid choice"),
    ],
)
def test_what_is_refused_is_said_beside_the_field(world, fields, sentence):
    answer = add(world, "alpha", **fields)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_taken_serial_tells_nothing(world):
    add(world, "alpha")
    answer = add(world, "beta")
    assert answer.status_code == 422
    assert "ask the support centre" in answer.text
    assert "Alpha" not in answer.text


def test_staff_choose_the_customer(world):
    assert add(world, "tsc", customer="beta", product="secret").status_code == 303
    assert "Secret Switch" in world.of("beta").get("/devices").text
    assert "no customer Gamma" in add(world, "tsc", customer="Gamma").text
    assert add(world, "tsc", customer="").status_code == 422
    assert "Beta Net" in world.of("tsc").get("/devices").text
    assert "no device" in world.of("tsc").get("/devices?customer=alpha").text.lower()


def test_a_customer_can_not_name_another(world):
    add(world, "alpha", customer="BETA")
    assert "SN-1" not in world.of("beta").get("/devices").text


def test_who_reads_does_not_add(world):
    assert world.of("publisher").get("/devices").status_code == 200
    for address in ("/devices/new", "/devices/import"):
        assert world.of("publisher").get(address).status_code == 403
        assert address not in world.of("publisher").get("/devices").text


def test_products_in_the_form(world):
    assert "Secret Switch" not in world.of("alpha").get("/devices/new").text
    assert "Secret Switch" in world.of("tsc").get("/devices/new").text
    assert "Alpha Telecom" not in world.of("beta").get("/devices/new").text


def test_a_table(world):
    page = shown(world, "alpha", HEAD + "core,SN-1,Hall,4.9\ncore,SN-2\n")
    assert page.status_code == 200
    assert "New: 2" in page.text
    assert "There are no devices" in world.of("alpha").get("/devices").text
    assert confirmed(world, "alpha", page).status_code == 303
    assert "SN-2" in world.of("alpha").get("/devices").text
    assert "HALL" in world.of("alpha").get("/sites").text


def test_what_is_confirmed_is_what_was_shown(world):
    page = shown(world, "alpha", HEAD + "core,SN-1,,4.10\n")
    add(world, "alpha")
    answer = confirmed(world, "alpha", page)
    assert answer.status_code == 409
    assert "no longer what was shown" in answer.text
    assert "<del>4.9</del>" in answer.text
    assert confirmed(world, "alpha", page, content="!!").status_code == 422
    assert confirmed(world, "alpha", answer).status_code == 303
    assert "4.10" in world.of("alpha").get("/devices").text


def test_wrong_lines_are_left_out_only_when_asked(world):
    page = shown(world, "alpha", HEAD + "core,SN-1\nnone,=cmd()\n")
    assert "leave out the wrong lines" in page.text
    assert "unknown-product" in page.text
    assert confirmed(world, "alpha", page, token="0" * 64).status_code == 409
    assert confirmed(world, "alpha", page).status_code == 303
    assert "SN-1" in world.of("alpha").get("/devices").text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfd", "not text in UTF-8"),
        (b"[" * 400_000, "line 1 is broken"),
        (HEAD, "no line follows"),
        (HEAD + 'core,"SN\n', "line 2 is broken"),
    ],
)
def test_a_bad_table(world, content, sentence):
    answer = take_in(world, "alpha", content)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "no devices on record" in world.of("alpha").get("/devices").text


def test_no_table_at_all(world):
    answer = world.of("alpha").submit("/devices/import")
    assert answer.status_code == 422
    assert "Choose a file" in answer.text


def test_staff_take_in_for_a_customer(world):
    assert take_in(world, "tsc", HEAD + "secret,SN-9\n", customer="ALPHA").status_code == 303
    assert "SN-9" in world.of("alpha").get("/devices").text
    assert "no customer Gamma" in take_in(world, "tsc", HEAD + "core,SN-8\n", customer="Gamma").text


def test_the_table_that_leaves_runs_nothing(world):
    add(world, "alpha", name="=HYPERLINK(0)")
    answer = world.of("alpha").get("/devices.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "'=HYPERLINK(0)" in answer.text


def test_the_list_asks_as_much_for_fifty_as_for_one(world):
    @contextmanager
    def statements():
        asked = []

        def note(_connection, _cursor, statement, *_rest):
            asked.append(statement)

        engine = world.portal.resources.engine
        event.listen(engine, "before_cursor_execute", note)
        yield asked
        event.remove(engine, "before_cursor_execute", note)

    def asked(address):
        world.of("alpha").get(address)
        with statements() as found:
            assert world.of("alpha").get(address).status_code == 200
        return len(found)

    have(world, 1)
    few = {address: asked(address) for address in ("/devices", "/devices.csv")}
    have(world, 60)
    assert {address: asked(address) for address in few} == few
    assert max(few.values()) <= 16
    assert world.of("alpha").get("/devices").text.count(">SN-") == 50
    assert world.of("alpha").get("/devices?page=2").text.count(">SN-") == 11
    assert world.of("alpha").get("/devices.csv").text.count("SN-") == 61


def test_a_page_in_russian(world):
    browser = world.of("alpha")
    browser.post("/language/ru", data={"csrf_token": browser.get_token("/devices/new")})
    assert "Добавить устройство" in browser.get("/devices/new").text


def test_a_device_is_changed_and_removed_on_its_pages(world):
    address = add(world, "alpha").location
    answer = world.of("alpha").submit(f"{address}/edit", serial="SN-1", name="node", site="", installed_version="5.0")
    assert answer.location == address
    page = world.of("alpha").get(address).text
    assert "4.9 → 5.0" in page
    assert "Reported by the customer" in page
    assert world.of("alpha").submit(f"{address}/edit", serial="SN-1", site="none").status_code == 422
    for path in ("", "/edit", "/remove", "/run-book.pdf"):
        assert world.of("beta").get(address + path).status_code == 404
    assert world.of("alpha").submit(f"{address}/remove", reason="").status_code == 422
    assert world.of("alpha").submit(f"{address}/remove", reason="Sold").location == "/devices"
    assert "SN-1" not in world.of("alpha").get("/devices").text.replace("SN-1 is removed", "")
    assert "was removed from the record" in world.of("alpha").get(address).text
    assert world.of("alpha").submit(f"{address}/edit", serial="SN-1").status_code == 409


def test_a_site_has_its_pages(world):
    given = {"code": "hall", "name": "Hall", "night_contact": "NOC +1"}
    address = world.of("tsc").submit("/sites/new", customer="ALPHA", **given).location
    assert "no customer Gamma" in world.of("tsc").submit("/sites/new", customer="Gamma", **given).text
    assert "has a site HALL already" in world.of("alpha").submit("/sites/new", **given).text
    assert "NOC +1" in world.of("alpha").get(address).text
    assert "Hall" in world.of("alpha").get("/sites?q=ha").text
    assert "Hall" not in world.of("beta").get("/sites").text
    for path in ("", "/edit", "/run-book.pdf"):
        assert world.of("beta").get(address + path).status_code == 404
    assert world.of("alpha").submit(f"{address}/edit", **{**given, "time_zone": "Mars"}).status_code == 422
    assert world.of("alpha").submit(f"{address}/edit", **{**given, "name": "Hall 2"}).location == address
    add(world, "alpha", site="hall")
    assert world.of("alpha").submit(f"{address}/remove", f"{address}/edit").status_code == 409
    assert "Hall 2" in world.of("alpha").get("/devices").text
