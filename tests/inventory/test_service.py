import threading

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent
from portal.entitlements.decision import Basis
from portal.entitlements.rules import decide
from portal.errors import Forbidden, NotFound
from portal.inventory import queries, service, sheets
from portal.inventory.errors import BadLines, NotACustomer, SerialTaken, UnknownDeviceProduct
from portal.inventory.models import Device
from portal.inventory.queries import Wanted
from portal.releases.models import ExportRule, Level, Release, ReleaseState
from portal.releases.versions import MalformedVersion, Version
from portal.texts import TextMissing, TextTooLong, TextUnkeepable
from tests.factories import make_device
from tests.portals import START


def add(world, who="alpha", whose=None, product=None, serial="SN-1", **facts):
    with world.portal.sessions.begin() as session:
        organisation = session.merge(world.homes[whose or who])
        given = service.DeviceFacts(organisation, session.merge(product or world.core), serial, **facts)
        return service.add_device(session, given, by=world.actors[who], at=START)


def take_in(world, text, who="alpha", whose=None):
    lines = sheets.read(f"product,serial,site,installed_version\n{text}".encode())
    with world.portal.sessions.begin() as session:
        organisation = session.merge(world.homes[whose or who])
        return service.import_devices(session, lines, organisation, by=world.actors[who], at=START)


def seen(world, who, **wanted):
    with world.portal.sessions() as session:
        rows = queries.devices(Wanted(**wanted), visible_to=world.actors[who])
        return [(device.organisation.name, device.serial) for device in session.scalars(rows)]


def test_a_device_is_added(world):
    add(world, serial=" SN  1 ", site="Hall 2", installed_version=" 4.9 ")
    with world.portal.sessions() as session:
        device = session.scalars(select(Device)).one()
        assert (device.serial, device.site, device.installed_version) == ("SN 1", "Hall 2", "4.9")
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == "device.add"))
        assert event.subject_name == "Core Router SN 1"


def test_each_sees_its_own(world):
    add(world, "alpha", serial="A")
    add(world, "beta", serial="B")
    assert seen(world, "alpha") == [("Alpha Telecom", "A")]
    assert seen(world, "beta") == [("Beta Net", "B")]
    assert seen(world, "tsc") == seen(world, "publisher") == [("Alpha Telecom", "A"), ("Beta Net", "B")]
    assert seen(world, "tsc", customer="beta") == [("Beta Net", "B")]
    assert seen(world, "alpha", customer="beta") == [("Alpha Telecom", "A")]
    assert seen(world, "alpha", text="b") == []
    assert seen(world, "tsc", text="%") == []


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"serial": ""}, TextMissing),
        ({"serial": "x" * 101}, TextTooLong),
        ({"serial": "a\x00"}, TextUnkeepable),
        ({"serial": "\ud800"}, TextUnkeepable),
        ({"site": "x" * 201}, TextTooLong),
        ({"installed_version": "not a version!"}, MalformedVersion),
        ({"installed_version": "9" * 101}, MalformedVersion),
        ({"whose": "beta"}, NotFound),
        ({"who": "publisher", "whose": "alpha"}, Forbidden),
        ({"who": "tsc"}, NotACustomer),
    ],
)
def test_what_is_refused(world, facts, error):
    with pytest.raises(error):
        add(world, **facts)
    assert seen(world, "tsc") == []


def test_only_products_that_the_customer_may_know_of(world):
    with pytest.raises(UnknownDeviceProduct):
        add(world, product=world.secret)
    add(world, "tsc", "alpha", product=world.secret)  # staff know that the customer has one
    add(world, product=world.secret, serial="SN-2")
    with pytest.raises(UnknownDeviceProduct):
        add(world, "beta", product=world.secret, serial="SN-3")


def test_an_export_rule_hides_the_product(world):
    with world.portal.sessions.begin() as session:
        session.add(ExportRule(product_id=world.core.id, country=world.homes["alpha"].country, clause="§ 1"))
    with pytest.raises(UnknownDeviceProduct):
        add(world)


def test_a_taken_serial_says_the_same_whoever_has_it(world):
    add(world, serial="SN-1")
    said = []
    for who in ("alpha", "beta"):
        with pytest.raises(SerialTaken) as caught:
            add(world, who, serial="SN-1")
        said.append(str(caught.value))
        assert set(caught.value.facts) == {"serial"}
    assert said[0] == said[1]
    assert "Alpha" not in said[1]
    add(world, "tsc", "beta", product=world.secret, serial="SN-1")  # another product's serials are its own


def test_one_of_two_at_once_gets_the_serial(world):
    go, outcomes = threading.Barrier(2), []

    def race(who: str) -> None:
        go.wait(10)
        try:
            add(world, who, serial="SN-1")
            outcomes.append("added")
        except SerialTaken:
            outcomes.append("taken")

    threads = [threading.Thread(target=race, args=[who]) for who in ("alpha", "beta")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(outcomes) == ["added", "taken"]


def test_the_unique_constraint_is_the_last_word(world, monkeypatch):
    """Where the look beforehand saw nothing, the database says it, and the session can go on."""
    add(world, serial="SN-1")
    monkeypatch.setattr(queries, "taken_serials", lambda *_: set())
    with world.portal.sessions.begin() as session:
        with pytest.raises(SerialTaken):
            make_device(session, session.merge(world.homes["beta"]), session.merge(world.core), serial="SN-1")
        assert session.scalar(select(func.count()).select_from(Device)) == 1


def test_a_device_brings_the_security_exemption(world):
    with world.portal.sessions.begin() as session:
        release = Release(product_id=world.core.id, version="4.9", created_at=START, level=Level.PATCH, counter=1,
                          version_key=Version.parse("4.9", world.core.scheme).key, state=ReleaseState.PUBLISHED,
                          published_at=START, open_from=START, is_free_security_fix=True)  # fmt: skip
        session.add(release)
    add(world)
    with world.portal.sessions() as session:
        decisions = {
            who: decide(session, organisation_id=world.homes[who].id, release=release, at=START)
            for who in ("alpha", "beta")
        }
    assert decisions["alpha"].is_granted
    assert decisions["alpha"].basis is Basis.SECURITY_EXEMPTION
    assert not decisions["beta"].is_granted


# tables


def test_a_table_is_taken_in(world):
    assert len(take_in(world, "core,SN-1,Hall,4.9\ncore,SN-2\n")) == 2
    assert [serial for _, serial in seen(world, "alpha")] == ["SN-1", "SN-2"]
    with world.portal.sessions() as session:
        count = select(func.count()).select_from(AuditEvent).where(AuditEvent.tag == "device.add")
        assert session.scalar(count) == 2


def test_one_bad_line_and_nothing_is_taken_in(world):
    add(world, "beta", serial="THEIRS")
    text = "core,SN-1\nsecret,SN-2\nnone,SN-3\ncore,SN-1\ncore,SN-4,,bad version!\ncore,THEIRS\ncore,\ncore,a\x00\n"
    with pytest.raises(BadLines) as caught:
        take_in(world, text)
    problems = [(number, error.code) for number, error in caught.value.facts["problems"]]
    assert problems == [
        (3, "unknown-product"), (4, "unknown-product"), (5, "serial-taken"), (6, "malformed-version"),
        (7, "serial-taken"), (8, "text-missing"), (9, "text-unkeepable"),
    ]  # fmt: skip
    assert caught.value.facts["count"] == 7
    assert seen(world, "alpha") == []


def test_a_table_for_another(world):
    with pytest.raises(NotFound):
        take_in(world, "core,SN-1\n", "alpha", "beta")
    with pytest.raises(Forbidden):
        take_in(world, "core,SN-1\n", "publisher", "alpha")
    take_in(world, "secret,SN-1\n", "tsc", "beta")
    assert seen(world, "beta") == [("Beta Net", "SN-1")]
