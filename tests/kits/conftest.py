"""A portal with one published release, and kits of it."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from portal import migrations
from portal.actors import PORTAL_COMMAND
from portal.db import connect
from portal.kits import service as kits
from portal.kits.models import KitRecord
from portal.kits.service import KitSpec
from portal.releases import service as releases
from tests import factories
from tests.portals import START, Portal, open_test_portal

FILES = {
    "образ прошивки 4.9.bin": b"\x7fELF" + bytes(range(256)) * 300,
    "patch.bin": b"patch",
    "empty.txt": b"",
    "заметки — длинное имя, которое ещё не поместится в заголовок старого архива без продолжения.txt": b"text",
}
NOTES = {
    "en": {
        "summary": "# Better\n\n| a | b |\n|---|---|\n| 1 | <script>x</script> |",
        "rollback": "Put the old one back.",
    },
    "ru": {"summary": "**Лучше**, см. [сайт](https://example.net/).", "rollback": "Верните прежний."},
}


@dataclass
class Workshop:
    """Where kits are made."""

    portal: Portal
    release_id: UUID

    def spec(self, **facts: object) -> KitSpec:
        given = {
            "release_id": self.release_id,
            "delivery_number": "D-000017",
            "recipient_name": "Анна Петрова",
            "organisation_code": "ALPHA",
            "organisation_name": "Альфа Телеком",
            "medium_kind": "usb",
            "medium_serial": "USB-0042",
            **facts,
        }
        return KitSpec(**given)  # type: ignore[arg-type]

    def prepared(self, *, keep: bool = False, **facts: object) -> KitRecord:
        return kits.prepare(self.portal.resources, self.spec(**facts), by=PORTAL_COMMAND, at=START, keep=keep)

    def key(self) -> bytes:
        return self.portal.resources.keys.active().public.pem.encode()


def publish(portal: Portal, code: str = "edge-router", files: dict[str, bytes] = FILES) -> UUID:
    with portal.sessions.begin() as session:
        product = factories.make_product(session, code=code, name="Маршрутизатор «Край»")
        release = factories.make_release(session, product, "4.9")
        for name, data in files.items():
            factories.make_artifact(session, portal.store, release, name, data)
        releases.save_notes(session, release, NOTES, by=PORTAL_COMMAND, at=START)
        factories.make_published(portal.resources, session, release)
        return release.id


@pytest.fixture
def workshop(portal: Portal) -> Workshop:
    """On each database."""
    return Workshop(portal, publish(portal))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One for all tests of a file that change no row of it."""
    folder = tmp_path_factory.mktemp("workshop")
    engine = connect(f"sqlite:///{folder}/portal.sqlite")
    migrations.upgrade(engine)
    portal = open_test_portal(engine, folder / "portal")
    made = Workshop(portal, publish(portal))
    yield made
    engine.dispose()


def unpacked(workshop: Workshop, record: KitRecord, folder: Path) -> Path:
    """The kit as it lies on the recipient's disk: its top folder."""
    folder.mkdir(exist_ok=True)
    archive = folder / record.file_name
    kits.write(workshop.portal.store, record, archive)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    archive.unlink()
    return folder / record.folder


Unpack = Callable[..., Path]
