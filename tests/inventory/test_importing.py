"""A table changes exactly what its preview showed, or nothing."""

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent
from portal.errors import Forbidden, NotFound
from portal.inventory import importing, queries, service
from portal.inventory.errors import BadLines, StalePreview
from portal.inventory.importing import Order, Outcome
from portal.inventory.models import ChangeKind, Device, HowKnown
from portal.inventory.queries import Wanted
from tests.factories import make_device
from tests.portals import START

HEAD = "product,serial,name,site,site_name,installed_version\n"


def previewed(world, text, who="alpha", whose=None):
    with world.portal.sessions() as session:
        organisation = session.merge(world.homes[whose or who])
        return importing.preview(session, (HEAD + text).encode(), organisation, by=world.actors[who])


def take_in(world, text, who="alpha", whose=None, **order):
    with world.portal.sessions.begin() as session:
        organisation = session.merge(world.homes[whose or who])
        given = Order((HEAD + text).encode(), "devices.csv", **order)
        return importing.take_in(session, given, organisation, by=world.actors[who], at=START)


def on_record(world):
    with world.portal.sessions() as session:
        rows = session.scalars(queries.devices(Wanted(), visible_to=world.actors["tsc"]))
        return {(row.serial, row.name, row.site.code if row.site else "", row.installed_version) for row in rows}


def test_each_line_says_what_becomes_of_it(world):
    take_in(world, "core,SN-1,a,hall,Hall 1,4.9\ncore,SN-2,b,,,4.9\n")
    shown = previewed(world, "core,SN-1,,HALL,,4.10\ncore,SN-2,b\ncore,SN-3\ncore,SN-3\nnone,SN-4\n")
    assert [line.outcome for line in shown.lines] == [
        Outcome.CHANGED, Outcome.UNCHANGED, Outcome.NEW, Outcome.WRONG, Outcome.WRONG,
    ]  # fmt: skip
    assert [(c.what, c.before, c.after) for c in shown.lines[0].changes] == [("installed_version", "4.9", "4.10")]
    assert [line.error.code for line in shown.of(Outcome.WRONG)] == ["line-repeated", "unknown-product"]
    assert shown.new_sites == {}
    assert on_record(world) == {("SN-1", "a", "HALL", "4.9"), ("SN-2", "b", "", "4.9")}


def test_exactly_what_was_shown_is_done(world):
    text = "core,SN-1,a,hall,Hall 1,4.9\ncore,SN-2,=1+1,hall\n"
    shown = previewed(world, text)
    assert shown.new_sites == {"HALL": "Hall 1"}
    take_in(world, text, token=shown.token)
    assert on_record(world) == {("SN-1", "a", "HALL", "4.9"), ("SN-2", "=1+1", "HALL", None)}
    take_in(world, "core,SN-1,,,,5.0\n")
    with world.portal.sessions() as session:
        device = session.scalars(select(Device).where(Device.serial == "SN-1")).one()
        newest, *_ = queries.history(session, device.id, visible_to=world.actors["alpha"])
        assert (newest.kind, newest.before, newest.after) == (ChangeKind.VERSION, "4.9", "5.0")
        assert newest.how_known is HowKnown.IMPORT
        assert newest.reference.startswith("devices.csv sha256:")
        count = select(func.count()).select_from(AuditEvent)
        assert session.scalar(count.where(AuditEvent.tag == "device.add")) == 2
        assert session.scalar(count.where(AuditEvent.tag == "device.change")) == 1


def test_a_preview_of_another_file_or_another_world_is_refused(world):
    text = "core,SN-1,,,,4.9\n"
    token = previewed(world, text).token
    with pytest.raises(StalePreview):
        take_in(world, text.replace("4.9", "4.8"), token=token)
    with pytest.raises(StalePreview):
        take_in(world, text, "tsc", "beta", token=token)
    take_in(world, "core,SN-1,,,,4.0\n")
    with pytest.raises(StalePreview):
        take_in(world, text, token=token)
    assert on_record(world) == {("SN-1", "", "", "4.0")}


def test_one_wrong_line_and_nothing_is_taken_in_unless_asked(world):
    with world.portal.sessions.begin() as session:
        make_device(session, session.merge(world.homes["beta"]), session.merge(world.core), serial="THEIRS")
    text = (
        "core,SN-1\nsecret,SN-2\nnone,SN-3\ncore,SN-1\ncore,SN-4,,,,bad version!\ncore,THEIRS\ncore,\ncore,a\u202e\n"
        f"core,SN-5,{'x' * 201}\ncore,SN-6,a,b,c,1,x\n"
    )
    with pytest.raises(BadLines) as caught:
        take_in(world, text)
    assert [(number, error.code) for number, error in caught.value.facts["problems"]] == [
        (3, "unknown-product"), (4, "unknown-product"), (5, "line-repeated"), (6, "malformed-version"),
        (7, "serial-taken"), (8, "text-missing"), (9, "text-unkeepable"), (10, "text-too-long"),
        (11, "too-many-cells"),
    ]  # fmt: skip
    assert on_record(world) == {("THEIRS", "", "", None)}
    take_in(world, text, keep_going=True, token=previewed(world, text).token)
    assert on_record(world) == {("THEIRS", "", "", None), ("SN-1", "", "", None)}


def test_a_table_for_another(world):
    with pytest.raises(NotFound):
        take_in(world, "core,SN-1\n", "alpha", "beta")
    with pytest.raises(Forbidden):
        take_in(world, "core,SN-1\n", "publisher", "alpha")
    take_in(world, "secret,SN-1\n", "tsc", "beta")
    assert on_record(world) == {("SN-1", "", "", None)}


def test_a_removed_device_is_new_again(world):
    take_in(world, "core,SN-1,,,,4.9\n")
    with world.portal.sessions.begin() as session:
        device = session.scalars(queries.devices(Wanted(), visible_to=world.actors["tsc"])).one()
        service.remove_device(session, device, reason="Sold", by=world.actors["alpha"], at=START)
    take_in(world, "core,SN-1,,,,5.0\n", "beta")
    assert on_record(world) == {("SN-1", "", "", "5.0")}
