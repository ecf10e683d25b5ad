"""Evidence packs: true as they come from the portal, and whatever is altered is named."""

import base64
import hashlib
import io
import json
import tracemalloc
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal import migrations
from portal.actors import PORTAL_COMMAND
from portal.authority.models import AuthorizedPerson
from portal.cli import portal as command
from portal.db import connect
from portal.deliveries import chain, queries
from portal.deliveries.models import DeliveryEvent
from portal.deliveries.states import DeliveryState, EventKind
from portal.evidence import packing, service
from portal.evidence.packing import EVIDENCE, RECORD, SEAL, archive, canonical, pack
from portal.evidence.verifying import members, verify
from portal.handovers.models import Act, ActItem, ActState, DocumentKind, SignatureKind
from portal.handovers.texts import digest
from signing import KeyFolder, KeyRing, Seal, Slip, sign_seal, sign_slip
from tests.deliveries.conftest import build
from tests.portals import Portal, open_test_portal

TEXT = {"paragraphs": ["Принято."], "language": "ru"}
DRAWN = b"\x89PNG a drawing"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One pack with everything in it, the ring that believes it, and what is needed to seal another."""
    folder = tmp_path_factory.mktemp("evidence")
    with module_portal(folder) as portal:
        world = build(portal)
        world.get("alpha")
        delivery_id = world.deliveries()[0].id
        sign_an_act(portal, delivery_id)
        by, at = PORTAL_COMMAND, portal.clock()
        with portal.sessions() as session:
            found = service.find(session, queries.get(session, delivery_id, visible_to=by))
            session.expunge_all()
        parts = service.fetch(found, portal.store, language="ru", at=at)
        delivery = parts.delivery
        slip = sign_slip(
            Slip(
                delivery_number=delivery.number or "", recipient_name="Иван", medium_kind="usb", medium_serial="SN-1",
                organisation_code=delivery.organisation.code, organisation_name="Alpha", product="R1",
                version=delivery.release.version, counter=1, manifest_sha256="0" * 64, issued_at=at,
                artifacts=("a.bin",),
            ),
            portal.resources.signer(),
        )  # fmt: skip
        parts = replace(parts, slip=slip.decode())
        ring, signer = portal.resources.keys.ring(), portal.resources.signer()
        yield Made(pack(parts, ring, signer, at=at), ring, signer, delivery, at)


class Made:
    def __init__(self, data, ring, signer, delivery, at) -> None:
        self.data, self.ring, self.signer, self.delivery, self.at = data, ring, signer, delivery, at

    @property
    def files(self) -> dict[str, bytes]:
        return members(self.data)

    def sealed(self, files: dict[str, bytes], signer=None) -> bytes:
        """The files under a new seal, as somebody with the portal's key could make it."""
        files = {name: content for name, content in files.items() if name != SEAL}
        entries = json.loads(files[EVIDENCE])["entries"]
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        seal = Seal(str(self.delivery.id), len(entries), entries[-1]["hash"], self.at, digests)
        return archive(files | {SEAL: sign_seal(seal, signer or self.signer)})


@contextmanager
def module_portal(folder: Path) -> Iterator[Portal]:
    engine = connect(f"sqlite:///{folder}/portal.sqlite")
    migrations.upgrade(engine)
    yield open_test_portal(engine, folder / "portal")
    engine.dispose()


def sign_an_act(portal, delivery_id) -> None:
    """A signed act of the delivery, as the hand-over leaves it."""
    at = portal.clock()
    picture = hashlib.sha256(DRAWN).hexdigest()
    key = portal.store.receive(io.BytesIO(DRAWN), limit_bytes=1000).key
    with portal.sessions.begin() as session:
        delivery = queries.get(session, delivery_id, visible_to=PORTAL_COMMAND)
        delivery.number = "D-000001"
        person = AuthorizedPerson(
            organisation_id=delivery.organisation_id, name="Иван", email="ivan@example.org", created_at=at
        )
        session.add(person)
        session.flush()
        act = Act(
            number="A-000001", kind="acceptance", state=ActState.SIGNED, organisation_id=delivery.organisation_id,
            recipient_id=person.id, recipient={}, power={}, document_kind=DocumentKind.PASSPORT, document_ending="1234",
            language="ru", time_zone="UTC", record=TEXT, text_sha256=digest(TEXT), place="HQ", handed_by_name="Dina",
            submission="x", opened_at=at, signed_at=at, signature_kind=SignatureKind.DRAWN, signature_key=key,
            signature_sha256=picture, pdf_key=key,
        )  # fmt: skip
        session.add(act)
        session.flush()
        session.add(ActItem(act_id=act.id, delivery_id=delivery.id, position=1, medium_serials=[]))
        proof = {"text_sha256": digest(TEXT), "signature_sha256": picture, "act_number": act.number}
        chain.append(session, delivery, EventKind.ACKNOWLEDGED, proof, by=PORTAL_COMMAND, at=at)
        delivery.state = DeliveryState.ACKNOWLEDGED


def codes(data: bytes, ring: KeyRing | None) -> set[str]:
    return {
        f"{fault.code} {fault.what}" if fault.code.startswith("file") else fault.code
        for fault in verify(data, ring).faults
    }


def test_a_pack_is_true_and_holds_what_proves_the_delivery(made):
    findings = verify(made.data, made.ring)
    assert findings.faults == ()
    assert (findings.delivery, findings.keys_within) == ("D-000001", False)
    names = set(made.files)
    assert {EVIDENCE, RECORD, SEAL, "READ-ME.txt", "acts/A-000001.json", "acts/A-000001.pdf", "slip.dsse.json",
            "pictures/A-000001-signature.png", "release/SHA256SUMS", "release/SHA256SUMS.sig",
            "release/manifest.dsse.json"} <= names  # fmt: skip
    assert any(name.startswith("keys/") for name in names)
    assert made.files[RECORD].startswith(b"%PDF-")
    assert verify(made.data, None).keys_within


def test_the_command_says_true_or_names_what_was_changed(made, tmp_path):
    key, good, bad = tmp_path / "vendor.pem", tmp_path / "good.zip", tmp_path / "bad.zip"
    key.write_text(next(iter(made.ring)).public.pem)
    good.write_bytes(made.data)
    bad.write_bytes(archive(made.files | {RECORD: b"%PDF-another"}))
    said = CliRunner().invoke(command, ["evidence", "verify", str(good), "--key", str(key)])
    assert (said.exit_code, "True: the evidence of delivery D-000001" in said.output) == (0, True)
    said = CliRunner().invoke(command, ["evidence", "verify", str(bad), "--key", str(key)])
    assert (said.exit_code, "file-changed: record.pdf" in said.output) == (1, True)
    bad.write_bytes(archive(made.files | {"x\nTrue: the evidence\x1b[2K": b""}))
    said = CliRunner().invoke(command, ["evidence", "verify", str(bad), "--key", str(key)])
    assert (said.exit_code, [line for line in said.output.splitlines() if line.startswith("True")]) == (1, [])
    assert CliRunner().invoke(command, ["evidence", "verify", str(good)]).exit_code == 2
    assert CliRunner().invoke(command, ["evidence", "verify", str(good), "--key", str(good)]).exit_code == 2


def changed(name: str):
    def change(files):
        content = files[name]
        files[name] = content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]

    return change


def without(name: str):
    def change(files):
        del files[name]

    return change


def renamed(old: str, new: str):
    def change(files):
        files[new] = files.pop(old)

    return change


def added(files):
    files["extra.txt"] = b"more"


def seal_payload(files):
    document = json.loads(files[SEAL])
    payload = base64.b64decode(document["payload"]).replace(b'"entries":', b'"entries": ')
    files[SEAL] = json.dumps(document | {"payload": base64.b64encode(payload).decode()}).encode()


OUTSIDE = {
    "the evidence": (changed(EVIDENCE), "file-changed evidence.json"),
    "the record": (changed(RECORD), "file-changed record.pdf"),
    "the paper of the act": (changed("acts/A-000001.pdf"), "file-changed acts/A-000001.pdf"),
    "the drawing": (changed("pictures/A-000001-signature.png"), "signature-missing-or-changed"),
    "the sums": (changed("release/SHA256SUMS"), "file-changed release/SHA256SUMS"),
    "the signature of the sums": (changed("release/SHA256SUMS.sig"), "bad-signature"),
    "the manifest": (changed("release/manifest.dsse.json"), "file-changed release/manifest.dsse.json"),
    "the slip": (changed("slip.dsse.json"), "file-changed slip.dsse.json"),
    "the explanation": (changed("READ-ME.txt"), "file-changed READ-ME.txt"),
    "the record is gone": (without(RECORD), "file-missing record.pdf"),
    "the evidence is gone": (without(EVIDENCE), "file-missing evidence.json"),
    "the manifest is gone": (without("release/manifest.dsse.json"), "file-missing release/manifest.dsse.json"),
    "the seal is gone": (without(SEAL), "file-missing seal.dsse.json"),
    "another name": (renamed(RECORD, "record-2.pdf"), "file-not-listed record-2.pdf"),
    "one file more": (added, "file-not-listed extra.txt"),
    "the seal's own words": (seal_payload, "bad-signature"),
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_whatever_is_altered_from_outside_is_named(made, what):
    change, code = OUTSIDE[what]
    files = made.files
    change(files)
    assert code in codes(archive(files), made.ring)


def test_a_seal_by_a_stranger_is_not_believed(made, tmp_path):
    strangers = KeyFolder(tmp_path / "keys")
    strangers.create(lambda _name: "a passphrase of a stranger", at=made.at)
    forged = made.sealed(made.files, strangers.signer(lambda _name: "a passphrase of a stranger"))
    assert "unknown-key" in codes(forged, made.ring)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "archive-unreadable"), (b"PK\x03\x04 no archive", "archive-unreadable"), (None, "archive-unreadable")],
)
def test_what_is_no_archive_is_told_so(made, data, code):
    found = verify(made.data[: len(made.data) // 2] if data is None else data, made.ring)
    assert [fault.code for fault in found.faults] == [code]


def bomb(method: int, unpacked_bytes: int, told_bytes: int) -> bytes:
    """An archive of one member that says it has `told_bytes`."""
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", method) as target:
        target.writestr(EVIDENCE, bytes(unpacked_bytes))
        target.filelist[0].file_size = told_bytes  # as the directory at the end says it
    return room.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_unpacks_to_no_more_than_it_says(made, method):
    data = bomb(method, 64 << 20, 1000)
    assert len(data) < 100_000
    tracemalloc.start()
    found = verify(data, made.ring)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [fault.code for fault in found.faults] == ["archive-unreadable"]
    assert most < 4 << 20


def test_a_member_that_stands_there_twice_is_named(made):
    room = io.BytesIO(made.data)
    with warnings.catch_warnings(), zipfile.ZipFile(room, "a") as target:
        warnings.simplefilter("ignore")
        target.writestr(EVIDENCE, b"{}")
    assert codes(room.getvalue(), made.ring) == {"file-twice evidence.json"}


def entries(change):
    def alter(files):
        document = json.loads(files[EVIDENCE])
        change(document)
        files[EVIDENCE] = canonical(document)

    return alter


def act_text(files):
    files["acts/A-000001.json"] = canonical(TEXT | {"paragraphs": ["Не принято."]})


def put(*path, value):
    def change(document):
        *way, last = path
        for step in way:
            document = document[step]
        document[last] = value

    return entries(change)


INSIDE = {
    "who did it": (put("entries", 0, "person_name", value="Somebody else"), "entry-changed"),
    "when": (put("entries", 1, "at", value="2020-01-01T00:00:00+00:00"), "entry-changed"),
    "from where": (put("entries", 0, "address", value="198.51.100.7"), "entry-changed"),
    "what was proved": (put("entries", 1, "evidence", "bytes", value=1), "entry-changed"),
    "an entry left out": (entries(lambda d: d["entries"].pop(1)), "entry-changed"),
    "entries the other way round": (entries(lambda d: d["entries"].reverse()), "entry-changed"),
    "the last entry cut off": (entries(lambda d: d["entries"].pop()), "state-differs"),
    "no entry but one of another": (put("entries", 0, "delivery_id", value="0" * 32), "entry-of-another-delivery"),
    "a kind that does not exist": (put("entries", 0, "kind", value="never"), "evidence-malformed"),
    "the state": (put("delivery", "state", value="returned"), "state-differs"),
    "the version": (put("delivery", "version", value="9.99"), "release-differs"),
    "the decision": (put("delivery", "decision", value={"granted": True}), "decision-differs"),
    "a digest": (put("files", 0, "sha256", value="0" * 64), f"file-not-in-release {chr(0)}"),
    "a file": (put("files", 0, "name", value="another.bin"), "file-not-in-release another.bin"),
    "the customer": (put("delivery", "customer", "code", value="BETA"), "slip-of-another-delivery"),
    "the number": (put("delivery", "number", value="D-000002"), "slip-of-another-delivery"),
    "the format": (put("format", value="another 1"), "format-unknown"),
    "the shape": (put("files", value=7), "evidence-malformed"),
    "the text of the act": (act_text, "act-text-changed"),
    "the act is gone": (without("acts/A-000001.json"), "act-missing-or-changed"),
    "the drawing is another": (changed("pictures/A-000001-signature.png"), "signature-missing-or-changed"),
    "the release's signature": (changed("release/SHA256SUMS.sig"), "bad-signature"),
}


@pytest.mark.parametrize("what", INSIDE)
def test_whatever_an_insider_alters_and_seals_anew_contradicts_another_document(made, what):
    change, code = INSIDE[what]
    files = made.files
    change(files)
    found = codes(made.sealed(files), made.ring)
    assert any(said.startswith(code.rstrip("\0 ")) for said in found), found


def test_a_customer_gets_its_own_pack_and_nobody_elses(portal):
    world = build(portal)
    world.get("alpha")
    address = f"/deliveries/{world.deliveries()[0].id}/evidence.zip"
    answer = world.of("alpha").get(address)
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert verify(answer.data, portal.resources.keys.ring()).faults == ()
    assert world.of("beta").get(address).status_code == 404
    assert world.portal.browser().get(address).status_code in (302, 303, 401)


def test_a_record_altered_in_the_database_is_named_by_its_pack(portal):
    world = build(portal)
    world.get("alpha")
    with portal.sessions.begin() as session:
        session.scalars(select(DeliveryEvent).limit(1)).one().person_name = "Somebody else"
    answer = world.of("alpha").get(f"/deliveries/{world.deliveries()[0].id}/evidence.zip")
    assert "entry-changed" in codes(answer.data, portal.resources.keys.ring())


def test_packing_is_the_same_for_the_same():
    assert packing.archive({"b": b"2", "a": b"1"}) == packing.archive({"a": b"1", "b": b"2"})
