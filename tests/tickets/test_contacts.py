import pytest

from portal.actors import PORTAL_COMMAND
from portal.errors import Forbidden, NotFound
from portal.tickets import contacts
from portal.tickets.contacts import ContactFacts, digits, parse_phones
from portal.tickets.errors import BadTelephone
from tests.portals import START


def made(world, name, phones="", who="tsc", customer="alpha", **facts):
    with world.begin() as session:
        given = ContactFacts(name, phones, **facts)
        return contacts.save(session, session.merge(getattr(world, customer)), None, given, by=world.actors[who],
                             at=START)  # fmt: skip


def found(world, text, who="tsc"):
    with world.portal.sessions() as session:
        return [one.name for one in contacts.callers(session, text, visible_to=world.actors[who])]


def test_a_caller_is_found_by_number_in_any_writing_by_name_and_by_company(world):
    made(world, "Olga Мостовая", "+7 (916) 123-45-67\n495 111 22 33")
    made(world, "Hans Müller", "+49 30 7654321", customer="beta")
    for text in ("89161234567", "8 (916) 123", "+7 916 123 45 67", "9161234", "123-45-67", "4951112233", "891612",
                 "мостовая", "МОСТОВАЯ ol", "alpha"):  # fmt: skip
        assert found(world, text) == ["Olga Мостовая"], text
    for text in ("030 7654321", "müller", "+49 30"):
        assert found(world, text) == ["Hans Müller"], text
    for text in ("", "1", "9999999", "%%%", "__", "Olga Hans"):
        assert found(world, text) == [], text


def test_a_removed_contact_is_found_no_more_and_a_customer_finds_nobody(world):
    olga = made(world, "Olga", "+7 916 123 45 67")
    assert found(world, "916123", who="beta") == []
    assert found(world, "916123", who="alpha") == []
    with world.begin() as session:
        row = contacts.get(session, olga.id, visible_to=world.actors["alpha"])
        contacts.remove(session, row, by=world.actors["alpha"], at=START)
    assert found(world, "916123") == []


def test_whose_contacts_one_may_write(world):
    made(world, "Own", who="alpha")
    with pytest.raises(NotFound):
        made(world, "Foreign", who="alpha", customer="beta")
    with pytest.raises(Forbidden):
        made(world, "Vendor's", who="publisher")


def test_numbers():
    assert digits("8 (916) 123-45-67") == "9161234567"
    assert digits("0800") == "0800"
    assert parse_phones("+7 916 123 45 67; 495 1112233,\n") == ["+7 916 123 45 67", "495 1112233"]
    for wrong in ("12", "+" + "1" * 30, "call me"):
        with pytest.raises(BadTelephone):
            parse_phones(wrong)


def test_the_pages_of_contacts(world):
    alpha = world.of("alpha")
    fields = {"name": "Olga", "phones": "+7 916 123 45 67", "email": "Olga@Alpha.example", "language": "ru",
              "role": "shift", "is_night_contact": "y"}  # fmt: skip
    assert alpha.submit("/contacts/new", **{**fields, "phones": "x"}).status_code == 422
    assert alpha.submit("/contacts/new", **fields).status_code == 303
    assert world.of("tsc").submit("/contacts/new", **fields, customer="NOBODY").status_code == 422
    assert "olga@alpha.example" in alpha.get("/contacts").text
    assert "olga@alpha.example" not in world.of("beta").get("/contacts").text
    with world.portal.sessions() as session:
        [row] = session.scalars(contacts.contacts(visible_to=PORTAL_COMMAND)).all()
    assert world.of("beta").get(f"/contacts/{row.id}").status_code == 404
    assert alpha.submit(f"/contacts/{row.id}", **{**fields, "name": "Olga B"}).status_code == 303
    number = world.open()
    assert "Whom to call at night" in world.of("tsc").get(f"/tickets/{number}").text
    assert "Whom to call at night" not in alpha.get(f"/tickets/{number}").text
    assert alpha.submit(f"/contacts/{row.id}/remove", page="/contacts/new").status_code == 303
    assert "no contact any more" in alpha.get("/contacts").text
    assert "Olga B" not in alpha.get("/contacts").text
