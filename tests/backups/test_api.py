"""Backups by programs: restored to the byte, closed to others, every look on record."""

import hashlib
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.audit.service import Tag
from portal.backups import cli, jobs, serving
from portal.backups.keys import KeyRing
from portal.backups.models import CustomerKey, DeviceBackup
from portal.cli import portal as command
from portal.config import MIB
from portal.inventory import service as inventory
from portal.inventory.queries import get_device
from portal.permissions import Scope
from tests.backups.test_sealing import content, raw

SECRET = "a secret key for tests only"


def events(world, tag):
    with world.portal.sessions() as session:
        return session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.sequence)).all()


def send(world, who="alpha", plain=b"hostname core-1", name="running.cfg", query="?kind=configuration", **headers):
    address = world.address("alpha", name) + query
    return world.portal.browser().put(address, data=plain, headers=world.program(who) | headers,
                                      environ_overrides={"CONTENT_LENGTH": str(len(plain))})  # fmt: skip


@pytest.mark.parametrize("size", [0, MIB, 5 * MIB + 3])
def test_a_backup_is_restored_to_the_byte(world, size):
    plain = content(size)
    told = send(world, plain=plain, query="?kind=image&note=before+4.10")
    assert told.status_code == 201, told.text
    facts = told.json
    assert (facts["sha256"], facts["size_bytes"]) == (hashlib.sha256(plain).hexdigest(), size)
    assert (facts["kind"], facts["note"], facts["installed_version"]) == ("image", "before 4.10", "4.9")
    world.portal.work()
    mine, client = world.program("alpha"), world.portal.browser()
    got = client.get(told.headers["Location"], headers=mine)
    assert (got.status_code, got.data) == (200, plain)
    listed = client.get(world.address("alpha"), headers=mine).json["backups"]
    assert [(one["id"], one["problem"], bool(one["checked_at"])) for one in listed] == [(facts["id"], None, True)]
    if size:
        part = client.get(told.headers["Location"], headers=mine | {"Range": f"bytes={size - 20}-{size - 3}"})
        assert (part.status_code, part.data) == (206, plain[size - 20 : size - 2])
        assert [event.facts["range"] for event in events(world, Tag.BACKUP_READ)] == [[0, size], [size - 20, size - 2]]
    lying = [found.key for found in world.portal.store.list("sha256/")]
    assert len(lying) == 1
    assert not size or plain[:64] not in raw(world.portal.store, lying[0])


def test_a_backup_is_its_customers_alone(world):
    told = send(world)
    address, page = told.headers["Location"], f"/backups/{told.json['id']}"
    client = world.portal.browser()
    for who, status in (("beta", 404), ("tsc", 403)):
        assert client.get(address, headers=world.program(who)).status_code == status, who
        assert world.of(who).get(page).status_code == status, who
    assert world.of("administrator").get(page).status_code == 403
    assert client.get(address, headers=world.program("tsc")).json["code"] == "backup-not-yours"
    assert send(world, "beta").status_code == 404
    assert client.get(address, headers=world.program("alpha", Scope.INVENTORY)).status_code == 403
    assert not events(world, Tag.BACKUP_READ)
    assert send(world, "tsc", b"by the support centre").status_code == 201
    serving.ask_updates(world.portal.app, lambda _session, device_id, person_id: (
        device_id == world.devices["alpha"].id and person_id == world.people["tsc"].id
    ))  # fmt: skip
    assert client.get(address, headers=world.program("tsc")).data == b"hostname core-1"
    assert client.get(address, headers=world.program("beta")).status_code == 404
    [look] = events(world, Tag.BACKUP_READ)
    assert look.person_id == world.people["tsc"].id


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("?kind=secret", {}, 422, "bad-backup-kind"),
        ("?note=" + "x" * 501, {}, 422, "text-too-long"),
        ("", {"X-SHA256": "0" * 64}, 422, "digest-mismatch"),
    ],
)
def test_bad_input_leaves_nothing(world, query, headers, status, code):
    refused = send(world, query=query, **headers)
    assert (refused.status_code, refused.json["code"]) == (status, code)
    assert list(world.portal.store.list("sha256/")) == []


def test_a_repeated_request_has_one_effect(world):
    first, again = send(world), send(world)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"]
    world.portal.work()
    assert len(list(world.portal.store.list("sha256/"))) == 1
    world.portal.clock.advance(days=1)
    assert send(world).status_code == 201
    with world.portal.sessions.begin() as session:
        device = get_device(session, world.devices["alpha"].id, visible_to=world.actors["alpha"])
        inventory.remove_device(session, device, reason="sold", by=world.actors["alpha"],
                                at=world.portal.clock())  # fmt: skip
    assert send(world).json["code"] == "device-removed"


def test_a_damaged_backup_is_told_and_never_given(world):
    told, portal = send(world), world.portal
    key = next(iter(portal.store.list("sha256/"))).key
    (portal.store.local_path(key)).chmod(0o600)
    portal.store.local_path(key).write_bytes(b"\0" * (len(b"hostname core-1") + 16))
    portal.work()
    got = portal.browser().get(told.headers["Location"], headers=world.program("alpha"))
    assert (got.status_code, got.json["code"]) == (500, "backup-damaged")
    with portal.sessions() as session:
        assert session.get_one(DeviceBackup, UUID(told.json["id"])).problem == "backup-damaged"
    jobs.check(portal.resources, at=portal.clock(), backup_id="00000000-0000-0000-0000-000000000000")


def test_the_secret_key_is_changed(world, monkeypatch):
    told, portal = send(world), world.portal
    with portal.sessions.begin() as session:
        row = session.scalars(select(CustomerKey)).one()
        data_key = KeyRing(SECRET).open(row)
        KeyRing("an older secret key", SECRET).rewrap(row, portal.clock())
    unreadable = portal.browser().get(told.headers["Location"], headers=world.program("alpha"))
    assert unreadable.json["code"] == "backup-key-unreadable"
    monkeypatch.setattr(cli, "open_for_command", lambda: portal.resources)
    failed = CliRunner().invoke(command, ["backups", "rewrap"])
    assert failed.exception.code == "backup-key-unreadable"
    object.__setattr__(portal.resources.config, "old_secret_key", "an older secret key")
    assert "1 of 1" in CliRunner().invoke(command, ["backups", "rewrap"]).output
    assert "0 of 1" in CliRunner().invoke(command, ["backups", "rewrap"]).output
    object.__setattr__(portal.resources.config, "old_secret_key", "")
    assert portal.browser().get(told.headers["Location"], headers=world.program("alpha")).data == b"hostname core-1"
    with portal.sessions() as session:
        assert KeyRing(SECRET).open(session.scalars(select(CustomerKey)).one()) == data_key
    assert len(events(world, Tag.BACKUP_REWRAP)) == 1
