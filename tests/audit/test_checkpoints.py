"""Checkpoints are attacked in the object store; the record says which are no longer what they were."""

import base64
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from portal.actors import PORTAL_JOB
from portal.audit import cli
from portal.audit.checkpoints import PREFIX, read_all, write
from portal.audit.models import AuditEvent
from tests.audit.conftest import fill, past_the_triggers
from tests.audit.test_chain import forge
from tests.portals import START


def objects(portal):
    found = {}
    for stored in portal.store.list(PREFIX):
        with portal.store.open_range(stored.key) as reader:
            found[stored.key] = reader.read()
    return found


def replaced(portal, key, data):
    portal.store.delete(key)
    portal.store.put(key, data)


def test_nothing_recorded_needs_no_checkpoint(portal):
    assert write(portal.resources, by=PORTAL_JOB, at=START) is None
    assert objects(portal) == {}


def test_a_checkpoint_names_the_last_link_and_is_itself_recorded(filled):
    key = write(filled.resources, by=PORTAL_JOB, at=START)
    content = json.loads(objects(filled)[key])
    with filled.sessions() as session:
        assert content["hash"] == session.get_one(AuditEvent, 9).hash
        noted = session.get_one(AuditEvent, 10)
    assert (content["sequence"], content["type"], content["at"]) == (9, "portal-audit-checkpoint/1", START.isoformat())
    assert content["key_id"] == filled.resources.keys.active().key_id
    assert (noted.tag, noted.subject_name, noted.facts["sequence"]) == ("audit.checkpoint", key, 9)


def test_when_nothing_was_added_none_is_written(filled):
    assert write(filled.resources, by=PORTAL_JOB, at=START)
    assert write(filled.resources, by=PORTAL_JOB, at=START + timedelta(days=1)) is None
    fill(filled.sessions, 1)
    assert write(filled.resources, by=PORTAL_JOB, at=START + timedelta(days=2))
    assert len(objects(filled)) == 2


def test_the_job_writes_one_a_day(filled):
    filled.work()
    filled.work()
    assert len(objects(filled)) == 1
    fill(filled.sessions, 1)
    filled.clock.advance(days=1)
    filled.work()
    assert len(objects(filled)) == 2


def changed(**fields):
    def change(data):
        return json.dumps({**json.loads(data), **fields}).encode()

    return change


def with_false_signature(data):
    content = json.loads(data)
    der = bytearray(base64.b64decode(content["signature"]))
    der[-1] ^= 1
    return json.dumps({**content, "signature": base64.b64encode(bytes(der)).decode()}).encode()


ATTACKS = {
    "another sequence": changed(sequence=8),
    "another hash": changed(hash="0" * 64),
    "another instant": changed(at="2027-01-01T00:00:00+00:00"),
    "another type": changed(type="something else"),
    "one more field": changed(note="all is well"),
    "a false signature": with_false_signature,
    "no signature": changed(signature=""),
    "a signature that is no base64": changed(signature="§§"),
    "an instant without zone": changed(at="2026-03-10T12:00:00"),
    "no JSON": lambda _data: b"{",
    "a list": lambda _data: b"[]",
    "nothing": lambda _data: b" ",
    "too much": lambda data: data + b" " * 20_000,
    "not UTF-8": lambda _data: b"\xff\xfe",
}


def test_a_tampered_checkpoint_is_named(filled):
    key = write(filled.resources, by=PORTAL_JOB, at=START)
    genuine = objects(filled)[key]
    for name, attack in ATTACKS.items():
        replaced(filled, key, attack(genuine))
        good, bad = read_all(filled.store, filled.resources.keys.ring())
        assert not good, name
        assert [one.key for one in bad] == [key], name
        problems, _said = cli.examine(filled.resources)
        assert len(problems) == 1, name
        assert key in problems[0], name
    replaced(filled, key, genuine)
    assert cli.examine(filled.resources)[0] == []


def test_a_checkpoint_under_another_key_is_named(filled, tmp_path):
    key = write(filled.resources, by=PORTAL_JOB, at=START)
    stranger = type(filled.resources.keys)(tmp_path / "strangers")
    stranger.create(lambda _name: "a stranger's passphrase", at=START)
    good, bad = read_all(filled.store, stranger.ring())
    assert not good
    assert bad[0].key == key


def test_a_checkpoint_stays_good_after_the_key_is_rotated(filled):
    write(filled.resources, by=PORTAL_JOB, at=START)
    filled.resources.keys.rotate(lambda _name: filled.resources.config.key_passphrase, at=START + timedelta(days=1))
    assert cli.examine(filled.resources)[0] == []


def test_a_checkpoint_that_was_removed_is_named(filled):
    key = write(filled.resources, by=PORTAL_JOB, at=START)
    filled.store.delete(key)
    assert cli.examine(filled.resources)[0] == [f"checkpoint {key}: it was removed from the object store"]


@pytest.fixture
def command(filled, monkeypatch):
    """`portal audit …` on the filled portal."""
    monkeypatch.setattr(cli, "open_for_command", lambda: filled.resources)
    return lambda *words: CliRunner().invoke(cli.audit, words)


def test_the_command_says_that_all_is_well(command):
    answer = command("verify")
    assert (answer.exit_code, answer.stdout) == (
        0, "The record is whole: 9 events. No checkpoint yet: a cut tail would not be noticed.\n",
    )  # fmt: skip
    assert command("checkpoint").stdout.startswith(PREFIX)
    assert "10 events. 1 signed checkpoints agree" in command("verify").stdout
    assert "Nothing was recorded" in command("checkpoint").stdout


def test_the_command_names_the_first_bad_row_and_fails(command, filled):
    write(filled.resources, by=PORTAL_JOB, at=START)
    forge(filled, keep=7)
    answer = command("verify")
    assert answer.exit_code == 1
    assert "row 8: cut-tail" in answer.stderr
    assert answer.stdout == ""


def test_the_command_names_an_altered_row(command, filled):
    with past_the_triggers(filled.resources.engine) as connection:
        connection.exec_driver_sql("UPDATE audit_events SET tag = 'x' WHERE sequence = 4")
        connection.exec_driver_sql("UPDATE audit_events SET tag = 'x' WHERE sequence = 6")
    answer = command("verify")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("row 4: altered")
    assert "row 6" not in answer.stderr
