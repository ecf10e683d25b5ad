"""`portal media …`: kits on real files, read back; what the command refuses before it writes."""

import hashlib
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal.couriers import cli, copying
from portal.couriers.errors import (
    MediumDiffers,
    MediumNotEmpty,
    MediumNotFree,
    MediumOfAnother,
    MediumTooSmall,
    MediumUnwritable,
    OwnerMissing,
    PathNotEmpty,
    UnknownDelivery,
    UnknownMedium,
)
from portal.couriers.models import MediumWriting
from portal.couriers.states import MediumKind, MediumState
from portal.deliveries.states import DeliveryState

FULL = Path("/dev/full")


pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""One database is enough here: what the verbs do on both is tested beside."""


@pytest.fixture
def command(depot, monkeypatch):
    """`portal media …` on this portal."""
    monkeypatch.setattr(cli, "open_for_command", lambda: depot.portal.resources)
    return lambda *words: CliRunner().invoke(cli.media_group, [str(word) for word in words])


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_kit_is_written_read_back_and_prepares_the_delivery(depot, command, stick):
    assert command("add", "usb", "AB-1", "--capacity", 1 << 30).output == "AB-1: in-stock\n"
    delivery = depot.approved()
    answer = command("write", stick, "--delivery", delivery.number.removeprefix("D-"), "--medium", "ab1")
    assert answer.exit_code == 0, answer.output
    [kit, sums] = files(stick)
    sha256 = hashlib.sha256((stick / kit).read_bytes()).hexdigest()
    assert (stick / sums).read_text() == f"{sha256}  {kit}\n"
    assert delivery.number in kit
    with tarfile.open(stick / kit) as archive:
        assert any(name.endswith("VERIFY.html") for name in archive.getnames())
    assert depot.now(delivery).state is DeliveryState.PREPARED
    evidence = depot.events(delivery)[-1].evidence
    assert (evidence["sha256"], evidence["read_back_sha256"], evidence["file"]) == (sha256, sha256, kit)
    assert depot.consignment(delivery).medium_id == depot.medium_now("AB-1").id
    assert command("list").output == f"AB-1\tusb\t{1 << 30}\twritten\n"


def test_the_files_of_a_kit_may_be_laid_out(depot, command, stick):
    delivery, _ = depot.approved(), depot.medium("A1")
    answer = command("write", stick, "--delivery", delivery.number, "--medium", "A1", "--extract")
    assert answer.exit_code == 0, answer.output
    [folder] = stick.iterdir()
    assert {"VERIFY.html", "verify.py", "SHA256SUMS"} <= set(files(folder))
    assert depot.now(delivery).state is DeliveryState.PREPARED


def test_a_disc_gets_an_image_and_what_was_burnt_is_read_back(depot, command, stick):
    delivery, _ = depot.approved(), depot.medium("D1", kind=MediumKind.DISC)
    burnt = stick / "sr0"
    burnt.write_bytes(b"another disc")
    answer = command("write", stick, "--delivery", delivery.number, "--medium", "D1", "--burnt", burnt)
    assert isinstance(answer.exception, MediumDiffers)
    [image] = [path for path in stick.iterdir() if path.suffix == ".iso"]
    burnt.write_bytes(image.read_bytes() + bytes(4096))
    answer = command("write", stick, "--delivery", delivery.number, "--medium", "D1", "--burnt", burnt)
    assert answer.exit_code == 0, answer.output
    assert depot.now(delivery).state is DeliveryState.PREPARED


@pytest.mark.parametrize("is_extracted", [False, True])
def test_a_medium_that_gives_other_bytes_prepares_nothing(depot, command, stick, monkeypatch, is_extracted):
    delivery, _ = depot.approved(), depot.medium("A1")
    honest = copying.write

    def rots(store, record, place, progress):
        honest(store, record, place, progress)
        target = place.target(record)
        path = next(target.rglob("*.bin")) if is_extracted else target
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    monkeypatch.setattr(copying, "write", rots)
    words = ["--extract"] if is_extracted else []
    answer = command("write", stick, "--delivery", delivery.number, "--medium", "A1", *words)
    assert isinstance(answer.exception, MediumDiffers)
    assert depot.now(delivery).state is DeliveryState.APPROVED
    assert depot.kinds(delivery)[-1] == "medium-differs"
    with depot.sessions() as session:
        [writing] = session.scalars(select(MediumWriting))
    assert writing.outcome.value == "differs"
    assert depot.medium_now("A1").state is MediumState.IN_STOCK


def test_what_is_refused_before_anything_is_written(depot, command, stick):
    first, second = depot.prepared("A1"), depot.approved()
    depot.medium("B1", depot.world.beta)
    depot.medium("C1", capacity_bytes=4096)
    depot.medium("D1")
    for number, serial, error in (
        (second.number, "A1", MediumNotFree),
        (second.number, "B1", MediumOfAnother),
        (second.number, "C1", MediumTooSmall),
        (second.number, "nobody's", UnknownMedium),
        ("D-999999", "D1", UnknownDelivery),
        ("\0", "D1", UnknownDelivery),
    ):
        answer = command("write", stick, "--delivery", number, "--medium", serial)
        assert isinstance(answer.exception, error), (serial, answer.output)
    assert files(stick) == []
    assert command("write", stick, "--delivery", second.number).exit_code == 2
    assert isinstance(command("add", "usb", "E1", "--capacity", 1, "--customer", "nobody").exception, OwnerMissing)
    assert depot.now(first).state is DeliveryState.PREPARED


def test_what_lies_on_the_medium_already_is_not_overwritten(depot, command, stick):
    delivery, _ = depot.approved(), depot.medium("A1")
    words = ("write", stick, "--delivery", delivery.number, "--medium", "A1")
    name = f"{depot.world.product.code}-4.10-{delivery.number}.tar"
    (stick / name).write_bytes(b"something else")
    assert isinstance(command(*words).exception, PathNotEmpty)
    (stick / name).unlink()
    (stick / f"{name}.part").write_bytes(b"broken off")
    mine = stick.parent / "the clerk's own"
    mine.write_bytes(b"precious")
    (stick / f"{name}.sha256").symlink_to(mine)
    assert command(*words).exit_code == 0
    assert mine.read_bytes() == b"precious"
    assert files(stick) == [name, f"{name}.sha256"]


def test_a_link_of_the_right_size_is_no_kit_that_was_written_already(depot, command, stick):
    """A medium that the customer lends may bring it along, leading to a file of the clerk's machine."""
    delivery, _ = depot.approved(), depot.medium("A1")
    words = ("write", stick, "--delivery", delivery.number, "--medium", "A1")
    assert command(*words).exit_code == 0
    [kit] = stick.glob("*.tar")
    mine = stick.parent / "elsewhere"
    kit.rename(mine)
    kit.symlink_to(mine)
    again = depot.approved()
    depot.medium("B1")
    link = stick / f"{depot.world.product.code}-4.10-{again.number}.tar"
    kit.rename(link)
    (stick / f"{kit.name}.sha256").unlink()
    answer = command("write", stick, "--delivery", again.number, "--medium", "B1")
    assert isinstance(answer.exception, PathNotEmpty), answer.output
    assert (link.is_symlink(), mine.exists()) == (True, True)


@pytest.mark.parametrize("words", [[], ["--extract"]], ids=["archive", "extracted"])
def test_nothing_else_travels_on_a_medium(depot, command, stick, words):
    """Neither what somebody slipped onto it nor the kit of the customer who had it before."""
    delivery, _ = depot.approved(), depot.medium("A1")
    write = ("write", stick, "--delivery", delivery.number, "--medium", "A1", *words)
    for name in ("autorun.inf", "R1-4.9-D-000001.tar", "x\n\x1b[2Kall right"):
        (stick / name).write_bytes(b"MZ")
        answer = command(*write)
        assert isinstance(answer.exception, MediumNotEmpty)
        assert (ascii(name) in str(answer.exception), "\n" in str(answer.exception)) == (True, False)
        assert files(stick) == [name]
        (stick / name).unlink()
    for name in range(9):
        (stick / f"file {name}").mkdir()
    assert str(command(*write).exception).count("file ") == copying.MOST_NAMES
    for name in range(9):
        (stick / f"file {name}").rmdir()
    (stick / "System Volume Information").mkdir()
    assert command(*write).exit_code == 0
    assert depot.now(delivery).state is DeliveryState.PREPARED


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_medium_that_breaks_off_is_noted_and_told(depot, command, stick, monkeypatch):
    delivery, _ = depot.approved(), depot.medium("A1")

    def full(store, record, place, progress):
        with copying._told(place.folder), FULL.open("wb", buffering=0) as device:
            device.write(b"x")

    monkeypatch.setattr(copying, "write", full)
    answer = command("write", stick, "--delivery", delivery.number, "--medium", "A1")
    assert isinstance(answer.exception, MediumUnwritable)
    assert "No space left" in str(answer.exception)
    assert depot.kinds(delivery)[-1] == "medium-differs"
    assert depot.now(delivery).state is DeliveryState.APPROVED
