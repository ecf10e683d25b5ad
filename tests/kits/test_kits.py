"""Preparing, writing, reading and writing again: always the same bytes, or an error that names what is wrong."""

import hashlib
import json
import tarfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.actors import PORTAL_COMMAND
from portal.audit.models import AuditEvent
from portal.errors import NotFound
from portal.kits import service as kits
from portal.kits.errors import KitArtifactUnknown, KitDamaged, KitDiffers, KitKeyRevoked, KitTaken
from portal.kits.models import KitFormat, KitRecord
from portal.releases import queries as releases
from portal.releases import service as release_verbs
from portal.releases.errors import NotPublished
from portal.releases.models import Artifact
from signing import KeyRing, PublicKey, open_slip, verify_folder
from storage import SizeMismatch
from tests import factories
from tests.kits.conftest import FILES, NOTES, Workshop, publish, unpacked
from tests.portals import START

IMAGE, PATCH, EMPTY, LONG = FILES
OWN = {"KIT.SHA256SUMS", "VERIFY.html", "verify.py", "SHA256SUMS", "SHA256SUMS.sig", "manifest.dsse.json",
       "slip.dsse.json", "notes.en.html", "notes.en.pdf", "notes.ru.html", "notes.ru.pdf"}  # fmt: skip
MIB = 1 << 20


def reloaded(workshop: Workshop, record: KitRecord) -> KitRecord:
    with workshop.portal.sessions() as session:
        return session.get_one(KitRecord, record.id)


def whole(workshop: Workshop, record: KitRecord) -> bytes:
    with kits.open_kit(workshop.portal.store, record) as reader:
        return reader.read()


def ring(workshop: Workshop) -> KeyRing:
    return KeyRing.of(PublicKey.from_pem(workshop.key()))


def stored(workshop: Workshop, name: str) -> Path:
    with workshop.portal.sessions() as session:
        artifact = session.scalars(
            select(Artifact).where(Artifact.name == name, Artifact.release_id == workshop.release_id)
        ).one()
    path = workshop.portal.store.local_path(artifact.key)
    path.chmod(0o600)
    return path


def test_a_kit_holds_the_release_its_papers_and_the_slip_and_nothing_else(workshop: Workshop, tmp_path: Path):
    record = workshop.prepared()
    folder = unpacked(workshop, record, tmp_path)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    key_id = PublicKey.from_pem(workshop.key()).key_id
    assert names == {*FILES, *OWN, f"keys/{key_id[:16]}.pub.pem"}
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    report = verify_folder(folder, ring(workshop), customer="ALPHA")
    assert report.exit_code == 0
    assert (report.slip.delivery_number, report.slip.recipient_name) == ("D-000017", "Анна Петрова")
    assert (report.slip.medium_kind, report.slip.medium_serial) == ("usb", "USB-0042")
    with workshop.portal.sessions() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == "kit.prepare")).one()
    assert event.facts == {"delivery": "D-000017", "sha256": record.sha256, "organisation": "ALPHA"}


def test_the_archive_is_plain_and_fixed_in_all_that_could_differ(shared: Workshop, tmp_path: Path):
    record = shared.prepared(delivery_number="D-plain")
    kits.write(shared.portal.store, record, tmp_path / "kit.tar")
    with tarfile.open(tmp_path / "kit.tar") as archive:
        members = archive.getmembers()
    names = [member.name for member in members]
    assert names[:2] == [record.folder, f"{record.folder}/keys"]
    assert names[2:] == sorted(names[2:])
    assert record.folder == "edge-router-4.9-D-plain"
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    assert {member.mtime for member in members} == {START.timestamp()}
    assert {member.mode for member in members if member.isfile()} == {0o644, 0o755}


@pytest.mark.parametrize("kit_format", KitFormat)
def test_the_same_bytes_are_made_again_whatever_happened_since(
    workshop: Workshop, tmp_path: Path, kit_format: KitFormat
):
    record = workshop.prepared(format=kit_format)
    first = whole(workshop, record)
    assert (len(first), hashlib.sha256(first).hexdigest()) == (record.size_bytes, record.sha256)
    with workshop.portal.sessions.begin() as session:
        release = releases.get(session, workshop.release_id, visible_to=PORTAL_COMMAND)
        corrected = {"en": NOTES["en"] | {"summary": "Corrected."}}
        release_verbs.save_notes(session, release, corrected, reason="a slip", by=PORTAL_COMMAND, at=START)
        workshop.portal.resources.keys.rotate(
            lambda _: workshop.portal.resources.config.key_passphrase, at=START + timedelta(days=1)
        )
        release_verbs.withdraw(
            session, release, reason="bad", replacement=None, by=PORTAL_COMMAND, at=START + timedelta(days=2)
        )
    again = reloaded(workshop, record)
    kits.write(workshop.portal.store, again, tmp_path / again.file_name)
    assert (tmp_path / again.file_name).read_bytes() == first
    kits.read_back(again, tmp_path / again.file_name)
    assert again.notes_revision == 1


def test_the_same_asked_twice_is_one_kit_and_something_else_is_refused(workshop: Workshop):
    record = workshop.prepared()
    assert workshop.prepared().id == record.id
    with pytest.raises(KitTaken):
        workshop.prepared(organisation_code="BETA")
    assert workshop.prepared(medium_serial="USB-0043").id != record.id


def test_of_two_prepared_at_once_there_is_one(workshop: Workshop):
    with ThreadPoolExecutor(4) as pool:
        records = list(pool.map(lambda _: workshop.prepared(), range(4)))
    assert len({record.id for record in records}) == 1
    with workshop.portal.sessions() as session:
        assert len(session.scalars(select(AuditEvent).where(AuditEvent.tag == "kit.prepare")).all()) == 1


def test_a_kit_may_hold_some_of_the_files(shared: Workshop, tmp_path: Path):
    with shared.portal.sessions() as session:
        ids = {row.name: row.id for row in releases.artifacts_ever(session, shared.release_id)}
    record = shared.prepared(delivery_number="D-part", artifact_ids=(ids[PATCH], ids[EMPTY]), languages=("ru",))
    folder = unpacked(shared, record, tmp_path)
    report = verify_folder(folder, ring(shared))
    assert report.exit_code == 0
    assert {finding.name for finding in report.files if finding.state == "not-sent"} == {IMAGE, LONG}
    assert not (folder / "notes.en.html").exists()
    (folder / PATCH).unlink()
    assert verify_folder(folder, ring(shared)).exit_code == 1
    for chosen in ((uuid4(),), ()):
        with pytest.raises(KitArtifactUnknown):
            shared.prepared(delivery_number="D-none", artifact_ids=chosen)


def test_the_slip_in_the_record_is_the_one_in_the_kit(shared: Workshop, tmp_path: Path):
    record = shared.prepared(delivery_number="D-slip")
    slip = open_slip(record.slip.encode(), shared.portal.resources.keys.ring())
    assert slip.issued_at == START
    assert slip.digests.keys() >= {"VERIFY.html", "verify.py", "KIT.SHA256SUMS", "notes.ru.pdf"}
    assert (unpacked(shared, record, tmp_path) / "slip.dsse.json").read_text() == record.slip
    assert json.loads(record.slip)["payloadType"] == "application/vnd.in-toto+json"


def test_only_a_published_release_goes_into_a_kit(workshop: Workshop):
    with workshop.portal.sessions.begin() as session:
        draft = factories.make_release(session, factories.make_product(session), "1.0")
        with pytest.raises(NotPublished):
            kits.plan(session, workshop.spec(release_id=draft.id))
        with pytest.raises(NotFound):
            kits.plan(session, workshop.spec(release_id=uuid4()))


def test_a_release_withdrawn_while_its_kit_was_built_is_not_recorded(workshop: Workshop):
    with workshop.portal.sessions() as session:
        planned = kits.plan(session, workshop.spec())
    built = kits.build(workshop.portal.resources, planned, at=START)
    with workshop.portal.sessions.begin() as session:
        release = releases.get(session, workshop.release_id, visible_to=PORTAL_COMMAND)
        release_verbs.withdraw(session, release, reason="bad", replacement=None, by=PORTAL_COMMAND, at=START)
    with workshop.portal.sessions.begin() as session, pytest.raises(NotPublished):
        kits.record(session, built, by=PORTAL_COMMAND)


def test_after_a_rotation_the_kit_holds_both_keys_and_after_a_theft_it_is_refused(workshop: Workshop, tmp_path: Path):
    resources = workshop.portal.resources
    old = resources.keys.active()
    resources.keys.rotate(lambda _: resources.config.key_passphrase, at=START + timedelta(days=1))
    record = kits.prepare(resources, workshop.spec(), by=PORTAL_COMMAND, at=START + timedelta(days=2))
    folder = unpacked(workshop, record, tmp_path)
    assert len(list((folder / "keys").iterdir())) == 2
    assert verify_folder(folder, resources.keys.ring()).exit_code == 0
    resources.keys.revoke(old.key_id, at=START + timedelta(days=3))
    with pytest.raises(KitKeyRevoked):
        workshop.prepared(delivery_number="D-later")


@pytest.mark.parametrize("way", ["a bit", "cut", "gone"])
def test_what_is_damaged_in_the_store_is_named_and_nothing_is_left_behind(workshop: Workshop, tmp_path: Path, way: str):
    record = workshop.prepared()
    path = stored(workshop, IMAGE)
    data = path.read_bytes()
    {
        "a bit": lambda: path.write_bytes(data[:100] + b"!" + data[101:]),
        "cut": lambda: path.write_bytes(data[:-1]),
        "gone": path.unlink,
    }[way]()
    for attempt in (
        lambda: kits.write(workshop.portal.store, record, tmp_path / "kit.tar"),
        lambda: workshop.prepared(delivery_number="D-another"),
        lambda: kits.write_folder(workshop.portal.store, record, tmp_path / "folder"),
    ):
        with pytest.raises(KitDamaged) as refused:
            attempt()
        assert refused.value.facts["path"] == IMAGE
    assert not (tmp_path / "kit.tar").exists()


def test_a_file_that_is_there_is_never_written_over(shared: Workshop, tmp_path: Path):
    record = shared.prepared(delivery_number="D-there")
    (tmp_path / "kit.tar").write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        kits.write(shared.portal.store, record, tmp_path / "kit.tar")
    assert (tmp_path / "kit.tar").read_bytes() == b"somebody's"


@pytest.mark.parametrize("change", [b"", b"x", b"cut"])
def test_what_was_written_is_read_back(shared: Workshop, tmp_path: Path, change: bytes):
    record = shared.prepared(delivery_number="D-back")
    path = tmp_path / "kit.tar"
    kits.write(shared.portal.store, record, path)
    if not change:
        return kits.read_back(record, path)
    path.write_bytes(path.read_bytes()[:-1] if change == b"cut" else path.read_bytes()[:-1] + change)
    with pytest.raises(KitDiffers):
        kits.read_back(record, path)
    return None


def test_a_kit_as_a_folder_is_what_the_archive_holds(shared: Workshop, tmp_path: Path):
    record = shared.prepared(delivery_number="D-folder")
    kits.write_folder(shared.portal.store, record, tmp_path / "folder")
    folder = unpacked(shared, record, tmp_path)
    assert {path.name for path in folder.rglob("*")} == {path.name for path in (tmp_path / "folder").rglob("*")}
    assert verify_folder(tmp_path / "folder", ring(shared)).exit_code == 0


@pytest.fixture(scope="module")
def archive(shared: Workshop) -> tuple[Workshop, KitRecord, bytes]:
    record = shared.prepared(delivery_number="D-ranges")
    return shared, record, whole(shared, record)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_range_of_an_archive_that_was_never_written_can_be_read(archive, data: st.DataObject):
    workshop, record, expected = archive
    start = data.draw(st.integers(0, record.size_bytes))
    length = data.draw(st.integers(0, record.size_bytes - start))
    block = data.draw(st.integers(1, 100_000))
    with kits.open_kit(workshop.portal.store, record, start, length) as reader:
        got = b"".join(iter(lambda: reader.read(block), b""))
    assert got == expected[start : start + length]


def test_a_kept_archive_is_an_object_like_any_other(shared: Workshop):
    record = shared.prepared(delivery_number="D-kept", keep=True)
    with shared.portal.store.open_range(record.kept_key) as reader:
        assert reader.read() == whole(shared, record)
    assert shared.prepared(delivery_number="D-not-kept").kept_key is None


def test_memory_does_not_grow_with_the_files(shared: Workshop, tmp_path: Path):
    workshop = Workshop(shared.portal, publish(shared.portal, "large", {"large.bin": bytes(96 * MIB)}))
    tracemalloc.start()
    record = workshop.prepared(delivery_number="D-large")
    kits.write(workshop.portal.store, record, tmp_path / "kit.tar")
    kits.read_back(record, tmp_path / "kit.tar")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert record.size_bytes > 96 * MIB
    assert most < 16 * MIB


def test_a_source_that_ends_early_is_not_taken_for_the_end(shared: Workshop):
    """The reader is a source for a store, which compares lengths itself too."""
    record = shared.prepared(delivery_number="D-early")
    with kits.open_kit(shared.portal.store, record, 0, 100) as reader, pytest.raises(SizeMismatch):
        shared.portal.store.receive(reader, limit_bytes=1000, expected_size=101)
