"""Statements: issued once by a job, the same bytes ever after, true by the vendor's key alone."""

import hashlib
import io
import json
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from sqlalchemy import func, select

from portal import migrations
from portal.audit.models import AuditEvent
from portal.cli import portal as command
from portal.db import connect
from portal.evidence.packing import archive
from portal.evidence.verifying import members
from portal.jobs.models import Job
from portal.reports import packing, service
from portal.reports.models import Statement
from portal.reports.months import Month
from portal.reports.packing import DATA, PAPER, verify
from signing import SUMS, SUMS_SIGNATURE, KeyFolder
from tests.portals import START, open_test_portal
from tests.reports.conftest import utc

FEBRUARY = Month(2026, 2)


def fill(world) -> None:
    with world.portal.sessions.begin() as session:
        release = world.release(session, "4.9", "2026-02-03")
        world.device(session, "alpha", ("2025-06-01", "4.8"), ("2026-02-05", "4.9"))
        world.device(session, "alpha", ("2025-06-01", "4.8"))
        assert release.is_published
        world.ticket(session, "alpha", "2026-01-31T10:00", answer=29, title="Мост не отвечает")
        world.ticket(session, "alpha", "2026-02-10T03:00", answer=31)
        world.ticket(session, "alpha", "2026-01-31T09:59", answer=1, title="Of January")
        world.ticket(session, "beta", "2026-02-10T03:00", answer=5, title="Beta's own trouble")


def held(world, who="alpha", month=FEBRUARY) -> list[Statement]:
    with world.portal.sessions() as session:
        rows = select(Statement).where(Statement.organisation_id == getattr(world, who).id)
        return list(session.scalars(rows.where(Statement.month == str(month)) if month else rows))


def bytes_of(world, statement) -> bytes:
    with world.portal.store.open_range(statement.object_key) as reader:
        return b"".join(reader)


def at(world, text: str) -> None:
    world.portal.clock.at = utc(text)
    world.portal.work()


def test_a_job_issues_each_statement_once(world):
    fill(world)
    at(world, "2026-03-02T23:59")
    assert held(world) == []  # the month has only just ended on the last island
    at(world, "2026-03-03T00:01")
    [first] = held(world)
    content = bytes_of(world, first)
    assert (first.sha256, first.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (first.asked, first.kept, first.late) == (2, 1, 1)
    assert (first.language, first.time_zone) == ("ru", "Pacific/Kiritimati")
    assert len(held(world, "beta")) == 1
    assert [str(one.month) for one in held(world, month=None)].count("2026-01") == 1  # and what was missing before it
    with world.portal.sessions.begin() as session:  # what is known later changes nothing, and no second is made
        world.ticket(session, "alpha", "2026-02-11T03:00", answer=500)
        session.query(Job).filter(Job.name.like("reports.%")).delete(synchronize_session=False)
    world.portal.clock.advance(hours=7)
    world.portal.work()
    world.portal.clock.advance(days=3)
    world.portal.work()
    assert [one.id for one in held(world)] == [first.id]
    again = service.issue(world.portal.resources, world.alpha.id, FEBRUARY, at=world.portal.clock())
    assert again is not None
    assert (again.id, bytes_of(world, again)) == (first.id, content)
    with world.portal.sessions() as session:
        events = select(func.count()).where(AuditEvent.tag == "statement.issue")
        assert session.scalar(events) == session.scalar(select(func.count()).select_from(Statement))
        told = session.get_one(Statement, first.id)
        told.asked = 0
        with pytest.raises(TypeError):
            session.flush()
    assert service.issue(world.portal.resources, world.people["tsc"].organisation_id, FEBRUARY, at=START) is None
    assert verify(content, world.portal.resources.keys.ring()).is_true
    _read(content)
    _pages(world, first, content)


def _read(content: bytes) -> None:
    """What it says, to people in their language and to programs."""
    files = members(content)
    said = json.loads(files[DATA])
    assert (said["customer"], said["month"]) == ({"code": "ALPHA", "name": "Alpha Telecom"}, "2026-02")
    assert said["begins_at"] == "2026-01-31T10:00:00+00:00"
    assert said["ends_at"] == "2026-02-28T10:00:00+00:00"
    assert said["contracts"][0]["number"] == "C-ALPHA"
    assert said["answers"]["permille_in_time"] == 500
    assert [(one["outcome"], one["left_seconds"]) for one in said["tickets"]] == [("kept", 60), ("late", -60)]
    [release] = said["releases"]
    assert (release["version"], release["installed_devices"], release["median_seconds"]) == ("4.9", 1, 2 * 86400)
    assert release["waiting_devices"] == 1
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(files[PAPER])).pages).split())
    for words in (
        "Месячный отчёт: февраль 2026",
        "Мост не отвечает",
        "C-ALPHA",
        "50,0",
        "2026-02-01 00:00",
        "−00:01:00",
    ):
        assert words in text, words
    assert "Beta" not in text
    assert "January" not in text
    assert not any(b"Beta" in files[name] for name in (DATA, packing.READ_ME))


def _pages(world, statement, content: bytes) -> None:
    """Its customer has it and the support centre; to anybody else it does not exist."""
    for who in ("alpha", "alpha manager", "tsc"):
        page = world.of(who).get("/reports/statements")
        assert f"/reports/statements/{statement.id}.pdf" in page.text
        packed = world.of(who).get(f"/reports/statements/{statement.id}.zip")
        assert packed.data == content
        assert world.of(who).get(f"/reports/statements/{statement.id}.pdf").data == members(content)[PAPER]
    for kind in ("pdf", "zip"):
        assert world.of("beta").get(f"/reports/statements/{statement.id}.{kind}").status_code == 404
    listed = world.of("beta").get("/reports/statements").text
    assert str(statement.id) not in listed
    assert "Alpha" not in listed
    assert world.of("beta").get(f"/reports/statements?customer={world.alpha.id}").status_code == 404
    assert world.of("tsc").get("/reports/statements?month=2026-02").text.count(".zip") == 2
    assert world.of("tsc").get(f"/reports/statements?month=2026-02&customer={world.beta.id}").text.count(".zip") == 1
    assert world.of("tsc").get("/reports/statements?month=never").status_code == 422


def test_of_two_at_once_one_is_kept(world, monkeypatch):
    fill(world)
    other = []

    def pack(content, signer, pack=packing.pack):
        if not other:  # another worker is through while this one draws
            other.append(None)
            other[0] = service.issue(world.portal.resources, world.alpha.id, FEBRUARY, at=START)
        return pack(content, signer)

    monkeypatch.setattr(packing, "pack", pack)
    mine = service.issue(world.portal.resources, world.alpha.id, FEBRUARY, at=START + timedelta(seconds=9))
    assert mine.id == other[0].id == held(world)[0].id


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """An archive, the ring that believes it and the public key as a file."""
    folder = tmp_path_factory.mktemp("statement")
    engine = connect(f"sqlite:///{folder}/portal.sqlite")
    migrations.upgrade(engine)
    portal = open_test_portal(engine, folder / "portal")
    none = {"asked": 0, "in_time": 0, "late": 0, "not_answered_yet": 0, "nothing_promised": 0, "permille_in_time": None}
    content = {
        "format": "release-portal statement 1", "customer": {"code": "ALPHA", "name": "=Alpha"}, "language": "en",
        "month": "2026-02", "time_zone": "Europe/Berlin", "begins_at": "2026-01-31T23:00:00+00:00",
        "ends_at": "2026-02-28T23:00:00+00:00", "issued_at": START.isoformat(), "contracts": [], "answers": none,
        "groups": [], "tickets": [], "releases": [],
    }  # fmt: skip
    data = packing.pack(content, portal.resources.signer())
    key = folder / "vendor.pem"
    key.write_text(portal.resources.keys.active().public.pem)
    yield data, portal.resources.keys.ring(), key
    engine.dispose()


def test_openssl_alone_vouches_for_it(signed, tmp_path: Path):
    data, _, key = signed
    for name, content in members(data).items():
        (tmp_path / name).write_bytes(content)

    def check():
        asked = ["openssl", "dgst", "-sha256", "-verify", key, "-signature", SUMS_SIGNATURE, SUMS]
        vouched = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
        sums = subprocess.run(["sha256sum", "--strict", "-c", SUMS], cwd=tmp_path, capture_output=True, check=False)
        return "Verified OK" in vouched.stdout and vouched.returncode == 0, sums.returncode == 0

    assert check() == (True, True)
    for name, expected in ((PAPER, (True, False)), (SUMS, (False, True))):
        whole = (tmp_path / name).read_bytes()
        changed = bytearray(whole)
        changed[len(changed) // 2] ^= 1
        (tmp_path / name).write_bytes(bytes(changed))
        assert check()[0] is expected[0]
        assert not all(check())
        (tmp_path / name).write_bytes(whole)


def test_whatever_is_altered_is_named(signed, tmp_path: Path):
    data, ring, _ = signed
    files = members(data)
    assert verify(data, ring).is_true
    for name in files:
        changed = bytearray(files[name])
        changed[len(changed) // 2] ^= 1
        assert not verify(archive(files | {name: bytes(changed)}), ring).is_true, name
        assert [
            fault.code for fault in verify(archive({n: c for n, c in files.items() if n != name}), ring).faults
        ] == ["file-missing"]
    assert [str(f) for f in verify(archive(files | {PAPER: b"%PDF"}), ring).faults] == ["file-changed: statement.pdf"]
    assert [str(f) for f in verify(archive(files | {"more.txt": b""}), ring).faults] == ["file-not-listed: more.txt"]
    for nothing in (b"", b"no archive", data[:-30]):
        assert verify(nothing, ring).faults[0].code == "archive-unreadable"
    stranger = KeyFolder(tmp_path / "keys")
    stranger.create(lambda _name: "another passphrase", at=START)
    assert verify(data, stranger.ring()).faults[0].code == "bad-signature"


def test_the_command_says_true_or_what_was_changed(signed, tmp_path: Path):
    data, _, key = signed
    file = tmp_path / "statement.zip"

    def run(content: bytes):
        file.write_bytes(content)
        return CliRunner().invoke(command, ["statements", "verify", str(file), "--key", str(key)])

    good = run(data)
    assert (good.exit_code, "True: the statement ALPHA 2026-02" in good.output) == (0, True)
    bad = run(archive(members(data) | {DATA: members(data)[DATA].replace(b"=Alpha", b"=Bravo")}))
    assert (bad.exit_code, "CHANGED  file-changed: statement.json" in bad.output) == (1, True)
    key.with_name("none.pem").write_text("no key")
    asked = ["statements", "verify", str(file), "--key", str(key.with_name("none.pem"))]
    assert CliRunner().invoke(command, asked).exit_code == 2
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
