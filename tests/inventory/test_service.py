import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.accounts.errors import BadEmail
from portal.audit.models import AuditEvent
from portal.entitlements.decision import Basis
from portal.entitlements.rules import decide
from portal.errors import Forbidden, NotFound
from portal.inventory import queries, service, sites
from portal.inventory.errors import (
    DeviceRemoved,
    NotACustomer,
    NotATimeZone,
    SerialTaken,
    SiteCodeTaken,
    SiteInUse,
    SiteRemoved,
    UnknownDeviceProduct,
    UnknownSite,
)
from portal.inventory.models import ChangeKind, Device, HowKnown, Site
from portal.inventory.queries import Wanted
from portal.inventory.terms import DeviceChanges, SiteFacts, Source
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


def seen(world, who, **wanted):
    with world.portal.sessions() as session:
        rows = queries.devices(Wanted(**wanted), visible_to=world.actors[who])
        return [(device.organisation.name, device.serial) for device in session.scalars(rows)]


def test_a_device_is_added(world):
    add(world, serial=" SN  1 ", name="node  1", installed_version=" 4.9 ")
    with world.portal.sessions() as session:
        device = session.scalars(select(Device)).one()
        assert (device.serial, device.name, device.installed_version) == ("SN 1", "node 1", "4.9")
        assert (device.installed_key, device.how_known) == (
            Version.parse("4.9", world.core.scheme).key,
            HowKnown.REPORTED,
        )
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
        ({"name": "x" * 201}, TextTooLong),
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


# what becomes of a device

LATER = START + timedelta(days=1)


def known(world, session, who="alpha"):
    return queries.get_device(session, session.scalars(select(Device.id)).one(), visible_to=world.actors[who])


def histories(world, who="alpha"):
    with world.portal.sessions() as session:
        device = known(world, session)
        rows = queries.history(session, device.id, visible_to=world.actors[who])
        return [(row.kind, row.before, row.after, row.how_known, row.reference) for row in rows]


def test_each_change_is_noted_by_itself_and_nothing_when_nothing_differs(world):
    add(world, installed_version="4.9")
    with world.portal.sessions.begin() as session:
        home = session.merge(world.homes["alpha"])
        sites.add_site(session, home, SiteFacts("hall", "Hall 2"), by=world.actors["alpha"], at=START)
        changes = DeviceChanges("SN-2", "node", "Hall", "4.10")
        service.change_device(session, known(world, session), changes, by=world.actors["alpha"], at=LATER)
    with world.portal.sessions.begin() as session:
        device = known(world, session)
        assert service.change_device(session, device, changes, by=world.actors["alpha"], at=LATER) == []
        assert (device.serial, device.name, device.site.code, device.since) == ("SN-2", "node", "HALL", LATER)
    assert [row[:3] for row in histories(world)] == [
        (ChangeKind.VERSION, "4.9", "4.10"), (ChangeKind.SITE, "", "HALL"), (ChangeKind.NAME, "", "node"),
        (ChangeKind.SERIAL, "SN-1", "SN-2"), (ChangeKind.ADDED, "", "4.9"),
    ]  # fmt: skip
    assert histories(world, "beta") == []
    with world.portal.sessions() as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == "device.change"))
        assert event.facts["version"] == ["4.9", "4.10"]


def test_a_version_is_set_with_how_it_is_known(world):
    add(world, installed_version="4.9")
    source = Source(HowKnown.UPDATE, "U-000012")
    for version in ("4.10", "4.10", ""):
        with world.portal.sessions.begin() as session:
            service.set_version(
                session, known(world, session), version, source=source, by=world.actors["tsc"], at=LATER
            )  # fmt: skip
    assert histories(world)[:2] == [
        (ChangeKind.VERSION, "4.10", "", HowKnown.UPDATE, "U-000012"),
        (ChangeKind.VERSION, "4.9", "4.10", HowKnown.UPDATE, "U-000012"),
    ]
    with world.portal.sessions() as session:
        device = known(world, session)
        assert (device.installed_version, device.installed_key, device.how_known) == (None, None, HowKnown.UPDATE)


@pytest.mark.parametrize(
    ("who", "changes", "error"),
    [
        ("beta", DeviceChanges(name="x"), NotFound),
        ("publisher", DeviceChanges(name="x"), Forbidden),
        ("alpha", DeviceChanges(site="nowhere"), UnknownSite),
        ("alpha", DeviceChanges(site="THEIRS"), UnknownSite),
        ("alpha", DeviceChanges(serial="SN-9"), SerialTaken),
        ("alpha", DeviceChanges(serial=""), TextMissing),
        ("alpha", DeviceChanges(installed_version="no version!"), MalformedVersion),
    ],
)
def test_changes_that_are_refused(world, who, changes, error):
    device_id = add(world).id
    add(world, "beta", serial="SN-9")
    with world.portal.sessions.begin() as session:
        theirs = session.merge(world.homes["beta"])
        sites.add_site(session, theirs, SiteFacts("THEIRS", "Theirs"), by=world.actors["beta"], at=START)
    with world.portal.sessions.begin() as session:
        device = queries.get_device(session, device_id, visible_to=world.actors["tsc"])
        with pytest.raises(error):
            service.change_device(session, device, changes, by=world.actors[who], at=LATER)


def test_a_removed_device_counts_no_more_and_its_serial_is_free(world):
    add(world, "tsc", "alpha", product=world.secret)
    with world.portal.sessions.begin() as session:
        device = known(world, session)
        service.remove_device(session, device, reason="Sold", by=world.actors["alpha"], at=LATER)
        with pytest.raises(DeviceRemoved):
            service.set_version(
                session, device, "5", source=Source(HowKnown.REPORTED), by=world.actors["alpha"], at=LATER
            )  # fmt: skip
    assert seen(world, "tsc") == []
    assert histories(world)[0][:3] == (ChangeKind.REMOVED, "SN-1", "Sold")
    with pytest.raises(UnknownDeviceProduct):
        add(world, product=world.secret, serial="SN-2")
    add(world, "tsc", "beta", product=world.secret, serial="SN-1")


def test_two_changes_at_once_join_in_one_history(world):
    device_id = add(world, installed_version="1").id
    go = threading.Barrier(2)

    def race(version: str) -> None:
        go.wait(10)
        with world.portal.sessions.begin() as session:
            device = queries.get_device(session, device_id, visible_to=world.actors["tsc"])
            source = Source(HowKnown.REMOTE)
            service.set_version(session, device, version, source=source, by=world.actors["tsc"], at=LATER)

    threads = [threading.Thread(target=race, args=[version]) for version in ("2", "3")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    (_, middle, _, _, _), (_, first, then, _, _), _ = histories(world)
    assert (first, then) == ("1", middle)


# sites


def site(world, who="alpha", whose=None, **facts):
    with world.portal.sessions.begin() as session:
        given = SiteFacts(**{"code": "hall", "name": "Hall", **facts})
        return sites.add_site(
            session, session.merge(world.homes[whose or who]), given, by=world.actors[who], at=START
        )  # fmt: skip


def test_a_site_is_kept_as_it_is_said(world):
    made = site(world, address="Main street 1\r\n\n10115 Berlin", contact_email="Noc@Alpha.example")
    assert (made.code, made.address, made.contact_email) == (
        "HALL",
        ["Main street 1", "10115 Berlin"],
        "noc@alpha.example",
    )
    assert made.time_zone == world.homes["alpha"].time_zone
    site(world, "beta")
    with pytest.raises(SiteCodeTaken):
        site(world, "tsc", "alpha", code="Hall ")


@pytest.mark.parametrize(
    ("who", "facts", "error"),
    [
        ("publisher", {}, Forbidden),
        ("beta", {}, NotFound),
        ("alpha", {"time_zone": "Mars/Olympus"}, NotATimeZone),
        ("alpha", {"contact_email": "nobody"}, BadEmail),
        ("alpha", {"name": ""}, TextMissing),
    ],
)
def test_sites_that_are_refused(world, who, facts, error):
    with pytest.raises(error):
        site(world, who, "alpha", **facts)


def test_a_site_is_changed_removed_and_there_again(world):
    made = site(world)
    site(world, code="other")
    by = world.actors["alpha"]
    with world.portal.sessions.begin() as session:
        row = queries.get_site(session, made.id, visible_to=by)
        device = make_device(session, session.merge(world.homes["alpha"]), session.merge(world.core), site=row)
        with pytest.raises(SiteInUse):
            sites.remove_site(session, row, by=by, at=LATER)
        with pytest.raises(SiteCodeTaken):
            sites.change_site(session, row, SiteFacts("other", "x"), by=by, at=LATER)
        service.move_device(session, queries.get_device(session, device.id, visible_to=by), None, by=by, at=LATER)
        sites.change_site(session, row, SiteFacts("hall", "Hall 3"), by=by, at=LATER)
        sites.remove_site(session, row, by=by, at=LATER)
        with pytest.raises(SiteRemoved):
            sites.change_site(session, row, SiteFacts("hall", "x"), by=by, at=LATER)
    assert site(world, name="Hall 4").id == made.id
    with world.portal.sessions() as session:
        assert [row.name for row in queries.sites_of(session, world.homes["alpha"].id)] == ["Hall", "Hall 4"]
        with pytest.raises(NotFound):
            queries.get_site(session, made.id, visible_to=world.actors["beta"])
        assert session.scalars(queries.sites(Wanted(), visible_to=world.actors["beta"])).all() == []
        assert session.get(Site, made.id).removed_at is None
