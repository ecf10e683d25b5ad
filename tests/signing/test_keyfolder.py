import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signing import KeyFolder, KeyRecord, KeyRing, KeyState, sign_release, verify_release
from signing.errors import KeyChangedMeanwhile, SigningError
from tests.signing.making import AT, FILES, PASSPHRASE, key, manifest_of, secrets

DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    made = KeyFolder(tmp_path / "keys")
    made.create(secrets, at=AT)
    return made


def refusal(call: object, *arguments: object, **named: object) -> str:
    with pytest.raises(SigningError) as refused:
        call(*arguments, **named)  # type: ignore[operator]
    assert str(refused.value)
    return refused.value.code


def test_an_empty_folder_has_no_key(tmp_path: Path):
    folder = KeyFolder(tmp_path / "none")
    assert folder.records() == ()
    assert refusal(folder.signer, secrets) == "key-missing"
    assert refusal(folder.rotate, secrets, at=AT) == "key-missing"


def test_the_first_key_is_active_from_its_making(folder: KeyFolder):
    (record,) = folder.records()
    assert (record.state, record.active_from, record.active_until) == (KeyState.ACTIVE, AT, None)
    assert folder.signer(secrets).key_id == record.key_id
    assert refusal(folder.create, secrets, at=AT) == "key-exists"


def test_rotation_retires_the_old_key_at_the_instant_the_new_one_begins(folder: KeyFolder):
    old = folder.active()
    new = folder.rotate(secrets, at=AT + DAY)
    assert [(item.key_id, item.state, item.active_from, item.active_until) for item in folder.records()] == [
        (new.key_id, KeyState.ACTIVE, AT + DAY, None),
        (old.key_id, KeyState.RETIRED, AT, AT + DAY),
    ]
    assert folder.signer(secrets).key_id == new.key_id != old.key_id


def test_rotation_destroys_the_old_private_key_and_keeps_its_public_one(folder: KeyFolder):
    old = folder.active()
    folder.rotate(secrets, at=AT + DAY)
    assert not (folder.path / f"{old.key_id[:16]}.pem").exists()
    assert (folder.path / f"{old.key_id[:16]}.pub.pem").read_text() == old.public.pem


def test_old_releases_verify_after_rotation_and_back_dated_ones_by_time(folder: KeyFolder):
    old = folder.signer(secrets)
    before, after = manifest_of(FILES, published_at=AT), manifest_of(FILES, published_at=AT + 2 * DAY)
    signed_before, signed_after = sign_release(before, old), sign_release(after, old)
    folder.rotate(secrets, at=AT + DAY)
    assert verify_release(signed_before, folder.ring()) == before
    assert refusal(verify_release, signed_after, folder.ring()) == "retired-key"


def test_a_lost_key_is_replaced_without_being_opened_and_old_releases_may_be_signed_anew(folder: KeyFolder):
    lost = folder.active()
    (folder.path / f"{lost.key_id[:16]}.pem").unlink()
    assert refusal(folder.signer, secrets) == "key-missing"
    folder.rotate(secrets, at=AT + DAY)
    old_release = manifest_of(FILES, published_at=AT - DAY)
    assert verify_release(sign_release(old_release, folder.signer(secrets)), folder.ring()) == old_release


def test_a_stolen_key_is_rotated_revoked_and_never_believed_again(folder: KeyFolder):
    stolen = folder.signer(secrets)
    signed = sign_release(manifest_of(FILES, published_at=AT), stolen)
    assert refusal(folder.revoke, stolen.key_id, at=AT) == "key-in-use"
    folder.rotate(secrets, at=AT + DAY)
    assert folder.revoke(stolen.key_id, at=AT + DAY).state is KeyState.REVOKED
    assert folder.revoke(stolen.key_id, at=AT + 2 * DAY).revoked_at == AT + DAY
    assert refusal(verify_release, signed, folder.ring()) == "revoked-key"
    assert refusal(folder.revoke, "0" * 64, at=AT) == "key-missing"


def test_rotation_can_t_go_back_in_time(folder: KeyFolder):
    before = folder.records()
    assert refusal(folder.rotate, secrets, at=AT - DAY) == "key-dates"
    assert refusal(folder.rotate, secrets, at=datetime(2027, 1, 1)) == "key-dates"
    assert folder.records() == before


def test_a_date_without_a_time_zone_makes_no_key(tmp_path: Path):
    folder = KeyFolder(tmp_path)
    assert refusal(folder.create, secrets, at=datetime(2026, 1, 1)) == "key-dates"
    assert list(tmp_path.glob("*.pem")) == []


def test_a_failed_rotation_changes_nothing(folder: KeyFolder):
    before = folder.records()
    assert refusal(folder.rotate, lambda _: "short", at=AT + DAY) == "weak-passphrase"
    assert refusal(folder.rotate, secrets, at=AT + DAY, address="gcpkms:x") == "key-address-unsupported"
    assert folder.records() == before
    assert folder.signer(secrets)


def test_the_folder_may_be_moved(folder: KeyFolder, tmp_path: Path):
    folder.path.rename(tmp_path / "elsewhere")
    assert KeyFolder(tmp_path / "elsewhere").signer(secrets).sign(b"x")


def test_only_the_owner_enters_the_folder_and_reads_the_key(folder: KeyFolder):
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (private,) = (path for path in folder.path.glob("*.pem") if not path.name.endswith(".pub.pem"))
    assert private.stat().st_mode & 0o777 == 0o600


ROTATE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
import signing.keyfolder as kf
if sys.argv[2] == "die":
    kf.replace_file = lambda *a, **k: os._exit(9)
kf.KeyFolder(Path(sys.argv[1])).rotate(lambda name: sys.argv[3], at=datetime.now(UTC))
"""


def rotating(folder: KeyFolder, how: str = "live") -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", ROTATE, str(folder.path), how, PASSPHRASE], cwd=Path(__file__).parents[2]
    )


def test_rotations_by_several_processes_at_once_are_all_recorded_one_after_another(folder: KeyFolder):
    started = [rotating(folder) for _ in range(5)]
    assert [process.wait(60) for process in started] == [0] * 5
    records = folder.records()
    assert len(records) == len({record.key_id for record in records}) == 6
    assert [record.active_until for record in records] == [None, *(record.active_from for record in records[:-1])]
    assert folder.signer(secrets).key_id == records[0].key_id
    privates = {path.name for path in folder.path.glob("*.pem")} - {path.name for path in folder.path.glob("*.pub.pem")}
    assert privates == {f"{records[0].key_id[:16]}.pem"}


def test_of_two_who_replace_the_same_key_at_once_one_is_told(folder: KeyFolder):
    seen = folder.active().key_id

    def rotate(_: int) -> str:
        try:
            return KeyFolder(folder.path).rotate(secrets, at=AT + DAY, replacing=seen).key_id
        except KeyChangedMeanwhile as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(rotate, range(4)))
    assert outcomes.count("key-changed-meanwhile") == 3
    assert len(folder.records()) == 2


def test_a_crash_before_the_state_is_written_leaves_the_old_key_at_work(folder: KeyFolder):
    before = folder.records()
    assert rotating(folder, "die").wait(60) == 9
    assert folder.records() == before
    assert folder.signer(secrets).key_id == before[0].key_id
    folder.rotate(secrets, at=AT + DAY)
    assert len(folder.records()) == 2


DAMAGED = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "no keys": b"{}",
    "a key without fields": b'{"keys":[{}]}',
    "a key that is no object": b'{"keys":[1]}',
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_state_is_said_and_not_written_over(folder: KeyFolder, data: bytes):
    (folder.path / "keyring.json").write_bytes(data)
    assert refusal(folder.records) == "key-folder-damaged"
    assert refusal(folder.create, secrets, at=AT) == "key-folder-damaged"
    assert (folder.path / "keyring.json").read_bytes() == data


def test_a_key_exchanged_in_the_state_is_noticed(folder: KeyFolder):
    state = json.loads((folder.path / "keyring.json").read_bytes())
    state["keys"][0]["public_pem"] = key("attacker").public_pem
    (folder.path / "keyring.json").write_text(json.dumps(state))
    assert refusal(folder.records) == "key-folder-damaged"


def test_a_private_key_exchanged_on_the_disk_is_not_used(folder: KeyFolder, tmp_path: Path):
    other = KeyFolder(tmp_path / "other")
    other.create(secrets, at=AT)
    (theirs,) = other.path.glob("????????????????.pem")
    (ours,) = folder.path.glob("????????????????.pem")
    ours.write_bytes(theirs.read_bytes())
    assert refusal(folder.signer, secrets) == "key-mismatch"


def test_the_published_ring_tells_no_address_and_reads_back(folder: KeyFolder):
    folder.rotate(secrets, at=AT + DAY)
    published = folder.ring().to_json()
    assert b"file:" not in published
    assert str(folder.path).encode() not in published
    read = KeyRing.from_json(published)
    assert [(item.public, item.active_from, item.active_until) for item in read] == [
        (item.public, item.active_from, item.active_until) for item in folder.ring()
    ]


@pytest.mark.parametrize("data", [*DAMAGED.values(), b'{"keys":[{"key_id":"0","public_pem":"x"}]}'])
def test_a_malformed_ring_is_refused(data: bytes):
    assert refusal(KeyRing.from_json, data) == "malformed-key"


def test_a_ring_dated_without_time_zone_is_refused():
    item = KeyRecord(key().public, active_from=AT).published() | {"active_until": "2026-01-01T00:00:00"}
    assert refusal(KeyRing.from_json, json.dumps({"keys": [item]}).encode()) == "malformed-key"


def test_dates_are_kept_to_the_microsecond_and_in_utc(tmp_path: Path):
    folder = KeyFolder(tmp_path)
    at = datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=UTC)
    folder.create(secrets, at=at)
    assert folder.active().active_from == at
