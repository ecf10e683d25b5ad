"""Ways to alter a kit on its way, and what both verifiers say: `portal verify` and the kit's own `verify.py`.

Rows are played by an attacker who holds the medium, by a courier who swaps it, and by a vendor whose key has signed
nonsense. The program that travels is taken from elsewhere here, as VERIFY.html advises: the attacker's own copy would
say anything.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.releases.verify_cli import verify
from signing import (
    MANIFEST,
    SLIP,
    SUMS,
    SUMS_SIGNATURE,
    KeyRing,
    OpenedKey,
    PublicKey,
    keys_within,
    to_json,
    verify_folder,
)
from signing.envelope import pae
from signing.offline import verifier
from tests.kits.conftest import FILES, Workshop, publish, unpacked
from tests.signing.making import key as key_of
from tests.signing.making import sha256

IMAGE, PATCH, EMPTY, LONG = FILES
PYTHON = os.environ.get("PORTAL_TEST_OLD_PYTHON", sys.executable)
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STEEL = b"\x89PNG"


@dataclass
class Kit:
    """A kit as it came, the vendor's key to forge with, and what the attacker could lay hands on."""

    folder: Path
    vendor: OpenedKey
    others: dict[str, Path]

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def payload(self, name: str) -> bytes:
        return base64.b64decode(json.loads(self.read(name))["payload"])

    def seal(self, name: str, payload: bytes, by: OpenedKey | None = None, *, as_if_by: str | None = None) -> None:
        """The statement in an envelope, signed by the vendor or somebody else."""
        signature = (by or self.vendor).sign(pae(PAYLOAD_TYPE, payload))
        one = {"keyid": as_if_by or signature.key_id, "sig": base64.b64encode(signature.der).decode()}
        envelope = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": [one]}
        self.write(name, json.dumps(envelope).encode())

    def vendor_says(self, name: str, old: str, new: str) -> None:
        """A statement that differs in one place, with the vendor's own signature."""
        payload = self.payload(name)
        assert old.encode() in payload
        self.seal(name, payload.replace(old.encode(), new.encode(), 1))

    def vendor_slips(self, change: Callable[[dict], object]) -> None:
        statement = json.loads(self.payload(SLIP))
        change(statement)
        self.seal(SLIP, json.dumps(statement, ensure_ascii=False).encode())

    def move(self, name: str, to: str) -> None:
        (self.folder / name).rename(self.folder / to)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def link(self, name: str) -> None:
        """The same bytes, but behind a link that can be turned elsewhere after the check."""
        target = self.folder.parent / ("target of " + name.replace("/", " "))
        shutil.move(self.folder / name, target)
        (self.folder / name).symlink_to(target)

    def copy_from(self, other: str, *names: str) -> None:
        for name in names:
            shutil.copy(self.others[other] / name, self.folder / name)

    def replace_all(self, other: str) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.others[other], self.folder)

    @property
    def key_file(self) -> str:
        [path] = (self.folder / "keys").iterdir()
        return f"keys/{path.name}"


def flip(kit: Kit, name: str) -> None:
    data = bytearray(kit.read(name))
    data[len(data) // 2] ^= 1
    kit.write(name, bytes(data))


def swap(kit: Kit) -> None:
    one, other = kit.read(IMAGE), kit.read(PATCH)
    kit.write(IMAGE, other)
    kit.write(PATCH, one)


def folder_for(kit: Kit, name: str) -> None:
    kit.remove(name)
    (kit.folder / name).mkdir()


def pipe_for(kit: Kit, name: str) -> None:
    kit.remove(name)
    os.mkfifo(kit.folder / name)


def linked_keys(kit: Kit) -> None:
    shutil.move(kit.folder / "keys", kit.folder.parent / "keys elsewhere")
    (kit.folder / "keys").symlink_to(kit.folder.parent / "keys elsewhere")


def nested(kit: Kit) -> None:
    (kit.folder / "keys" / "more").mkdir()
    (kit.folder / "keys" / "more" / "evil.bin").write_bytes(b"x")


def other_key(kit: Kit) -> None:
    kit.write(kit.key_file, key_of("attacker").public_pem.encode())


def whole_kit_by_attacker(kit: Kit) -> None:
    """All that is signed, signed anew, and the attacker's key in place of the vendor's."""
    attacker = key_of("attacker")
    kit.write(PATCH, b"evil!")
    sums = kit.read(SUMS).replace(sha256(b"patch").encode(), sha256(b"evil!").encode())
    kit.write(SUMS, sums)
    kit.write(SUMS_SIGNATURE, attacker.sign(sums).der)
    manifest = kit.payload(MANIFEST).replace(sha256(b"patch").encode(), sha256(b"evil!").encode())
    kit.seal(MANIFEST, manifest, attacker)
    kit.seal(SLIP, kit.payload(SLIP), attacker)
    other_key(kit)


def page_that_says_otherwise(kit: Kit) -> None:
    kit.write("VERIFY.html", kit.read("VERIFY.html").replace(b"sha256sum", b"true # sha256sum"))


def listed_and_added(kit: Kit) -> None:
    kit.write("setup.exe", b"MZ")
    kit.write("KIT.SHA256SUMS", kit.read("KIT.SHA256SUMS") + f"{sha256(b'MZ')}  setup.exe\n".encode())


def with_file(statement: dict, name: str, digest: str = "0" * 64) -> None:
    statement["subject"].append({"name": name, "digest": {"sha256": digest}})
    statement["predicate"]["files"].append({"name": name, "size": 1})


def trailing(kit: Kit) -> None:
    """A longest signature with something behind it: some versions of openssl read only as far as they need."""
    while len(der := kit.vendor.sign(kit.read(SUMS)).der) < 72:
        pass
    kit.write(SUMS_SIGNATURE, der + b"\0")


def renamed(kit: Kit, name: str, to: str) -> None:
    assert name != to
    kit.move(name, to)


OWN = ["KIT.SHA256SUMS", "VERIFY.html", "verify.py", "notes.en.html", "notes.en.pdf", "notes.ru.html", "notes.ru.pdf"]
Row = tuple[Callable[[Kit], object], set[str]]
WAYS: dict[str, Row] = {
    "nothing": (lambda _: None, set()),
    # files
    "a bit flipped": (lambda kit: flip(kit, IMAGE), {f"{IMAGE}: wrong"}),
    "a byte appended": (lambda kit: kit.write(PATCH, b"patch\0"), {f"{PATCH}: wrong"}),
    "a file emptied": (lambda kit: kit.write(IMAGE, b""), {f"{IMAGE}: wrong"}),
    "an empty file filled": (lambda kit: kit.write(EMPTY, b"x"), {f"{EMPTY}: wrong"}),
    "two files swapped": (swap, {f"{IMAGE}: wrong", f"{PATCH}: wrong"}),
    "a file missing": (lambda kit: kit.remove(IMAGE), {f"{IMAGE}: missing"}),
    "a file added": (lambda kit: kit.write("setup.exe", b"MZ"), {"setup.exe: not-listed"}),
    "a hidden file added": (lambda kit: kit.write(".autorun", b""), {".autorun: not-listed"}),
    "autorun added": (lambda kit: kit.write("autorun.inf", b"[autorun]"), {"autorun.inf: not-listed"}),
    "a file in another case": (
        lambda kit: renamed(kit, PATCH, "Patch.bin"),
        {f"{PATCH}: missing", "Patch.bin: not-listed"},
    ),
    "a name in another Unicode form": (
        lambda kit: renamed(kit, LONG, unicodedata.normalize("NFD", LONG)),
        {f"{LONG}: missing", f"{unicodedata.normalize('NFD', LONG)}: not-listed"},
    ),
    "a look-alike beside": (lambda kit: kit.write("раtch.bin", b"evil"), {"раtch.bin: not-listed"}),
    "a name of a line of its own": (
        lambda kit: kit.write("x\nOK          patch.bin", b""),
        {"x\nOK          patch.bin: not-listed"},
    ),
    "a name that is no text": (
        lambda kit: kit.write(os.fsdecode(b"\xff.bin"), b""),
        {os.fsdecode(b"\xff.bin: not-listed")},
    ),
    "a terabyte of nothing": (lambda kit: os.truncate(kit.folder / PATCH, 1 << 40), {f"{PATCH}: wrong"}),
    "a link for a file": (lambda kit: kit.link(PATCH), {f"{PATCH}: not-a-file"}),
    "a folder for a file": (lambda kit: folder_for(kit, PATCH), {f"{PATCH}: not-a-file"}),
    "a pipe for a file": (lambda kit: pipe_for(kit, PATCH), {f"{PATCH}: not-a-file"}),
    "a folder added": (lambda kit: (kit.folder / "drivers").mkdir(), {"drivers: not-a-file"}),
    # what the slip covers
    "notes edited": (lambda kit: flip(kit, "notes.ru.html"), {"notes.ru.html: wrong"}),
    "notes missing": (lambda kit: kit.remove("notes.en.pdf"), {"notes.en.pdf: missing"}),
    "notes in another language added": (lambda kit: kit.write("notes.de.html", b"x"), {"notes.de.html: not-listed"}),
    "the page says otherwise": (page_that_says_otherwise, {"VERIFY.html: wrong"}),
    "the page with a byte order mark": (
        lambda kit: kit.write("VERIFY.html", b"\xef\xbb\xbf" + kit.read("VERIFY.html")),
        {"VERIFY.html: wrong"},
    ),
    "verify.py replaced": (lambda kit: kit.write("verify.py", b"print('VERIFIED')"), {"verify.py: wrong"}),
    "the kit's sums with CRLF": (
        lambda kit: kit.write("KIT.SHA256SUMS", kit.read("KIT.SHA256SUMS").replace(b"\n", b"\r\n")),
        {"KIT.SHA256SUMS: wrong"},
    ),
    "a file added and listed": (listed_and_added, {"KIT.SHA256SUMS: wrong", "setup.exe: not-listed"}),
    # keys
    "the key replaced": (other_key, {"KEY: wrong"}),
    "the key missing": (lambda kit: kit.remove(kit.key_file), {"KEY: missing"}),
    "a key added": (
        lambda kit: kit.write("keys/new.pub.pem", key_of("attacker").public_pem.encode()),
        {"keys/new.pub.pem: not-listed"},
    ),
    "a folder among the keys": (nested, {"keys/more: not-a-file"}),
    "a link for the keys": (linked_keys, {"KEY: missing", "keys: not-a-file"}),
    "a link for the key": (lambda kit: kit.link(kit.key_file), {"KEY: not-a-file"}),
    "a file for the keys": (
        lambda kit: (shutil.rmtree(kit.folder / "keys"), kit.write("keys", b"")),
        {"KEY: missing", "keys: not-listed"},
    ),
    # documents
    "the whole kit by an attacker": (whole_kit_by_attacker, {"bad-signature", "unknown-key"}),
    "sums edited": (
        lambda kit: kit.write(SUMS, kit.read(SUMS).replace(b"0", b"1", 1)),
        {"bad-signature"},
    ),
    "sums with CRLF": (lambda kit: kit.write(SUMS, kit.read(SUMS).replace(b"\n", b"\r\n")), {"bad-signature"}),
    "sums with a byte order mark": (
        lambda kit: kit.write(SUMS, b"\xef\xbb\xbf" + kit.read(SUMS)),
        {"bad-signature"},
    ),
    "sums' signature missing": (lambda kit: kit.remove(SUMS_SIGNATURE), {"document-missing"}),
    "sums' signature emptied": (lambda kit: kit.write(SUMS_SIGNATURE, b""), {"bad-signature"}),
    "sums' signature with something behind it": (trailing, {"bad-signature"}),
    "malformed sums, signed": (
        lambda kit: (
            kit.write(SUMS, kit.read(SUMS) + b"0" * 64 + b"  ../x\n"),
            kit.write(SUMS_SIGNATURE, kit.vendor.sign(kit.read(SUMS)).der),
        ),
        {"malformed-sums"},
    ),
    "a link for the manifest": (
        lambda kit: kit.link(MANIFEST),
        {"document-not-a-file", f"{MANIFEST}: not-a-file"},
    ),
    "a pipe for the slip": (lambda kit: pipe_for(kit, SLIP), {"document-not-a-file", f"{SLIP}: not-a-file"}),
    "the manifest missing": (lambda kit: kit.remove(MANIFEST), {"document-missing"}),
    "the manifest emptied": (lambda kit: kit.write(MANIFEST, b""), {"malformed-manifest"}),
    "the manifest's counter raised": (
        lambda kit: kit.write(
            MANIFEST,
            json.dumps(
                json.loads(kit.read(MANIFEST))
                | {"payload": base64.b64encode(kit.payload(MANIFEST).replace(b'"counter":1', b'"counter":9')).decode()}
            ).encode(),
        ),
        {"bad-signature"},
    ),
    "the manifest of another release": (
        lambda kit: kit.copy_from("other release", MANIFEST),
        {"documents-disagree", "slip-disagrees"},
    ),
    "all but the slip of another release": (
        lambda kit: kit.copy_from("other release", MANIFEST, SUMS, SUMS_SIGNATURE),
        {"slip-disagrees"},
    ),
    # the slip
    "the slip missing": (lambda kit: kit.remove(SLIP), {"keys: not-a-file", *(f"{name}: not-listed" for name in OWN)}),
    "the slip emptied": (lambda kit: kit.write(SLIP, b""), {"malformed-slip"}),
    "the slip with a byte order mark": (
        lambda kit: kit.write(SLIP, b"\xef\xbb\xbf" + kit.read(SLIP)),
        {"malformed-slip"},
    ),
    "the slip by an attacker": (lambda kit: kit.seal(SLIP, kit.payload(SLIP), key_of("attacker")), {"unknown-key"}),
    "the slip by an attacker under the vendor's name": (
        lambda kit: kit.seal(SLIP, kit.payload(SLIP), key_of("attacker"), as_if_by=kit.vendor.key_id),
        {"bad-signature"},
    ),
    "the recipient altered": (
        lambda kit: kit.write(
            SLIP,
            json.dumps(
                json.loads(kit.read(SLIP))
                | {"payload": base64.b64encode(kit.payload(SLIP).replace(b"ALPHA", b"GAMMA")).decode()}
            ).encode(),
        ),
        {"bad-signature"},
    ),
    "the manifest for a slip": (lambda kit: shutil.copy(kit.folder / MANIFEST, kit.folder / SLIP), {"malformed-slip"}),
    "the slip for a manifest": (
        lambda kit: shutil.copy(kit.folder / SLIP, kit.folder / MANIFEST),
        {"malformed-manifest"},
    ),
    "the slip of another delivery": (
        lambda kit: kit.copy_from("other delivery", SLIP),
        {"VERIFY.html: wrong", "KIT.SHA256SUMS: wrong"},
    ),
    "the slip of another release": (lambda kit: kit.copy_from("other release", SLIP), {"slip-disagrees"}),
    "another customer's slip": (
        lambda kit: kit.copy_from("other customer", SLIP),
        {"other-customer", "VERIFY.html: wrong", "KIT.SHA256SUMS: wrong"},
    ),
    "another customer's kit": (lambda kit: kit.replace_all("other customer"), {"other-customer"}),
    "an older release": (lambda kit: kit.replace_all("older"), {"counter-rollback"}),
    # what the vendor's own key should never have signed
    "a slip with a path that leads out, signed": (
        lambda kit: kit.vendor_slips(lambda slip: with_file(slip, "../evil")),
        {"malformed-slip"},
    ),
    "a slip with another folder, signed": (
        lambda kit: kit.vendor_slips(lambda slip: with_file(slip, "bin/evil")),
        {"malformed-slip"},
    ),
    "a slip that lists a release's file, signed": (
        lambda kit: kit.vendor_slips(lambda slip: with_file(slip, PATCH)),
        {"slip-disagrees"},
    ),
    "a slip that lists a document, signed": (
        lambda kit: kit.vendor_slips(lambda slip: with_file(slip, "sha256sums")),
        {"malformed-slip"},
    ),
    "a slip with a file twice, signed": (
        lambda kit: kit.vendor_slips(lambda slip: with_file(slip, "verify.py")),
        {"malformed-slip"},
    ),
    "a slip with a member twice, signed": (
        lambda kit: kit.vendor_says(SLIP, '"counter":1', '"counter":1,"counter":2'),
        {"malformed-slip"},
    ),
    "a slip of another counter, signed": (
        lambda kit: (
            kit.vendor_says(SLIP, '"counter":2', '"counter":3')
            if b'"counter":2' in kit.payload(SLIP)
            else kit.vendor_says(SLIP, '"counter":1', '"counter":3')
        ),
        {"slip-disagrees"},
    ),
    "a slip of the 30th of February, signed": (
        lambda kit: kit.vendor_says(SLIP, '"issuedAt":"2026-03-10', '"issuedAt":"2026-02-30'),
        {"malformed-slip"},
    ),
    "a slip with true for a counter, signed": (
        lambda kit: kit.vendor_slips(lambda slip: slip["predicate"].update(counter=True)),
        {"malformed-slip"},
    ),
    "a slip with no recipient, signed": (
        lambda kit: kit.vendor_slips(lambda slip: slip["predicate"].update(recipient="")),
        {"malformed-slip"},
    ),
    "a slip that drops a file, signed": (
        lambda kit: kit.vendor_slips(lambda slip: slip["predicate"]["artifacts"].remove(PATCH)),
        set(),
    ),
    "a slip that drops a file, signed, and the file": (
        lambda kit: (
            kit.vendor_slips(lambda slip: slip["predicate"]["artifacts"].remove(PATCH)),
            kit.remove(PATCH),
        ),
        set(),
    ),
}
ids = WAYS.keys()


@pytest.fixture(scope="module")
def shelf(shared: Workshop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kits as they were sent: the one in question, and what else an attacker may hold."""
    folder = tmp_path_factory.mktemp("shelf")
    theirs = {"organisation_code": "BETA", "organisation_name": "Beta"}
    other = Workshop(shared.portal, publish(shared.portal, "access-switch", {**FILES, PATCH: b"other"}))
    records = {
        "sent": shared.prepared(),
        "other delivery": shared.prepared(delivery_number="D-000018"),
        "other customer": shared.prepared(delivery_number="D-000019", **theirs),
        "other release": other.prepared(delivery_number="D-000020"),
    }
    return {name: unpacked(shared, record, folder / name) for name, record in records.items()}


@pytest.fixture
def kit(shared: Workshop, shelf: dict[str, Path], tmp_path: Path) -> Kit:
    shutil.copytree(shelf["sent"], tmp_path / "kit")
    (tmp_path / "verify.py").write_bytes(verifier())
    (tmp_path / "vendor.pem").write_bytes(shared.key())
    return Kit(tmp_path / "kit", shared.portal.resources.signer(), {**shelf, "older": shelf["sent"]})


def by_program(kit: Kit, *options: str) -> dict[str, object]:
    """What verify.py finds, run as a customer runs it: by an interpreter that sees nothing but its own library."""
    command = [PYTHON, "-I", "-S", str(kit.folder.parent / "verify.py"), str(kit.folder), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    assert done.returncode == found["exit_code"], done.stderr
    return found


def odd(found: dict, key_file: str) -> set[str]:
    quiet = {"right", "document", "unproven", "not-sent"}
    files = {f"{name}: {state}" for name, state in found["files"].items() if state not in quiet}
    return set(found["problems"]) | {one.replace(key_file, "KEY") for one in files}


@pytest.mark.parametrize("name", ids)
def test_both_verifiers_find_the_same(kit: Kit, name: str):
    key_file = kit.key_file
    attack, expected = WAYS[name]
    attack(kit)
    installed = 9 if name == "an older release" else 1
    options = ["--key", str(kit.folder.parent / "vendor.pem"), "--customer", "alpha"]
    options += ["--installed-counter", str(installed)]
    ring = KeyRing.of(PublicKey.from_pem((kit.folder.parent / "vendor.pem").read_bytes()))
    report = verify_folder(kit.folder, ring, installed_counter=installed, customer="alpha")
    told = json.loads(to_json(report))
    assert by_program(kit, *options) == told
    expected = expected | consequences(kit, told)
    assert odd(told, key_file) == expected
    assert report.exit_code == (1 if expected else 0)
    at_fault = set(told["problems"]) - {"other-customer", "customer-unknown", "counter-rollback"}
    assert not (at_fault and "right" in told["files"].values())


def consequences(kit: Kit, told: dict) -> set[str]:
    """What was asked for can't be shown when the document that would show it does not hold."""
    unknown = {"customer-unknown"} if told["delivery"] is None else set()
    return unknown | ({"counter-unknown"} if told["counter"] is None else set())


def test_there_are_enough_ways():
    assert len(WAYS) > 60


@pytest.mark.parametrize("told", ["nothing", "fingerprint", "a false fingerprint", "the kit's own key"])
def test_a_key_in_the_kit_proves_nothing_until_somebody_vouches_for_it(kit: Kit, told: str):
    options = {
        "nothing": [],
        "fingerprint": ["--fingerprint", kit.vendor.public.fingerprint.upper()],
        "a false fingerprint": ["--fingerprint", "0000 1111"],
        "the kit's own key": ["--key", str(kit.folder / kit.key_file)],
    }[told]
    found = by_program(kit, *options)
    said = CliRunner().invoke(verify, [str(kit.folder), "--json", *options])
    assert json.loads(said.output) == found
    assert said.exit_code == found["exit_code"] == {"fingerprint": 0, "a false fingerprint": 1}.get(told, 2)
    expected = {"fingerprint": [], "a false fingerprint": ["unknown-key"] * 3}.get(told, ["key-within"])
    assert found["problems"] == expected


def test_an_attacker_s_own_kit_is_not_believed_by_its_own_key(kit: Kit):
    whole_kit_by_attacker(kit)
    assert by_program(kit)["exit_code"] != 0
    assert by_program(kit, "--fingerprint", kit.vendor.public.fingerprint)["exit_code"] == 1


@pytest.mark.parametrize("trap", ["json.py", "argparse.py", "__future__.py", "os.py", "openssl", "openssl.exe"])
def test_what_lies_in_the_kit_is_never_run(kit: Kit, trap: str):
    """The attacker's module or program would say whatever one likes to hear."""
    kit.write("verify.py", verifier())
    kit.write(
        trap, b"#!/bin/sh\nexit 0\n" if trap.startswith("openssl") else b"import sys; print('VERIFIED'); sys.exit(0)"
    )
    (kit.folder / trap).chmod(0o755)
    command = [PYTHON, "verify.py", "--json", "--key", str(kit.folder.parent / "vendor.pem")]
    path = os.pathsep.join(["", ".", os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=kit.folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    assert odd(json.loads(done.stdout), kit.key_file) == {f"{trap}: not-listed"}


def test_keys_are_read_from_a_kit_without_following_links(kit: Kit):
    (kit.folder / "keys" / "broken.pub.pem").write_bytes(STEEL)
    os.mkfifo(kit.folder / "keys" / "pipe")
    assert [record.key_id for record in keys_within(kit.folder)] == [kit.vendor.key_id]
    linked_keys(kit)
    assert list(keys_within(kit.folder)) == []


def test_a_plain_release_folder_is_checked_by_the_same_program(kit: Kit):
    for name in {path.name for path in kit.folder.iterdir()} - {*FILES, SUMS, SUMS_SIGNATURE, MANIFEST, "keys"}:
        kit.remove(name)
    shutil.rmtree(kit.folder / "keys")
    found = by_program(kit, "--key", str(kit.folder.parent / "vendor.pem"))
    assert (found["exit_code"], found["delivery"], found["counter"]) == (0, None, 1)
