"""The rule of what is kept, its SQL twin, and the keys."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.backups import rules
from portal.backups.errors import BackupKeyUnreadable
from portal.backups.keys import KeyRing
from portal.backups.models import BackupKind, CustomerKey, DeviceBackup
from tests.factories import make_backup
from tests.portals import START


def test_the_rule_and_its_twin_agree(world):
    chance, at = random.Random(5), START + timedelta(days=400)
    with world.portal.sessions.begin() as session:
        ring = KeyRing("a secret key for tests only")
        key, _ = ring.make(world.homes["alpha"].id, START)
        session.add(key)
        session.flush()
        for number in range(120):
            device = world.devices[chance.choice(["alpha", "beta"])]
            days = chance.choice([0, 1, 89, 90, 91, 100, 200, 300])
            session.add(
                DeviceBackup(
                    organisation_id=device.organisation_id, device_id=device.id, key_id=key.id, name="x",
                    kind=chance.choice(list(BackupKind)), size_bytes=0, sha256="", key=str(number),
                    stored_at=at - timedelta(days=days), stored_by_name="x",
                    problem=chance.choice([None, None, "backup-cut"]),
                )
            )  # fmt: skip
        session.flush()
        rows = session.scalars(select(DeviceBackup)).all()
        gone = rules.superfluous(rows, at)
        assert gone == {row.id for row in session.scalars(rules.superfluous_rows(at))}
        assert gone
        kept = [row for row in rows if row.id not in gone]
        assert {row.id for row in rows if row.stored_at >= at - rules.KEPT_FOR} <= {row.id for row in kept}
        for device in world.devices.values():
            mine = [row for row in rows if row.device_id == device.id]
            assert len([row for row in kept if row.device_id == device.id]) >= rules.KEPT_NEWEST
            assert {row.kind for row in mine} == {row.kind for row in kept if row.device_id == device.id}


def test_old_backups_go_row_first_then_object(world):
    portal = world.portal
    with portal.sessions.begin() as session:
        device = session.merge(world.devices["alpha"])
        made = [
            make_backup(portal.store, session, device, str(n).encode(), stored_at=START - timedelta(days=100 + n))
            for n in range(5)
        ]
    portal.work()
    left = {backup.id for backup in made[:3]}
    with portal.sessions() as session:
        assert set(session.scalars(select(DeviceBackup.id))) == left
    assert {found.key for found in portal.store.list("sha256/")} == {backup.key for backup in made[:3]}
    portal.clock.advance(days=2000)
    portal.work()
    with portal.sessions() as session:
        assert set(session.scalars(select(DeviceBackup.id))) == left


def test_keys_go_under_a_new_secret(world):
    old, new, both = KeyRing("the old secret key"), KeyRing("the new secret key"), None
    row, data_key = old.make(world.homes["alpha"].id, START)
    with pytest.raises(BackupKeyUnreadable):
        new.open(row)
    both = KeyRing("the new secret key", "the old secret key")
    assert both.open(row) == data_key
    assert both.rewrap(row, START)
    assert not both.rewrap(row, START)
    assert new.open(row) == data_key
    with pytest.raises(BackupKeyUnreadable):
        KeyRing("a third secret key", "a fourth secret key").rewrap(row, START)
    row.organisation_id = world.homes["beta"].id  # moved to another customer in the database
    with pytest.raises(BackupKeyUnreadable):
        new.open(row)
    with world.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(CustomerKey)) == 0
