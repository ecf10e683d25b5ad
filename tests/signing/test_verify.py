"""Folders as they may reach a customer, and what the verifier says of each."""

import base64
import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from signing import (
    MANIFEST,
    SUMS,
    SUMS_SIGNATURE,
    FileState,
    KeyRecord,
    KeyRing,
    Report,
    render,
    sign_manifest,
    verify_folder,
)
from signing.envelope import PAYLOAD_TYPE, pae
from tests.signing.making import AT, FILES, Received, key, manifest_of, received, run, sha256

IMAGE, PATCH, EMPTY = "образ 4.9.bin", "patch.bin", "empty.txt"


@pytest.fixture
def came(tmp_path: Path) -> Received:
    return received(tmp_path / "release")


def seen(report: Report) -> set[str]:
    """Codes of the problems; and `name: state` of every file that is not right, where anything was compared."""
    odd = {f"{finding.name}: {finding.state}" for finding in report.files if finding.state not in QUIET}
    return {problem.code for problem in report.problems} | odd


QUIET = {FileState.RIGHT, FileState.DOCUMENT, FileState.UNPROVEN}


def flip(came: Received) -> None:
    data = bytearray(came.read(IMAGE))
    data[len(data) // 2] ^= 1
    came.write(IMAGE, bytes(data))


def swap(came: Received) -> None:
    image, patch = came.read(IMAGE), came.read(PATCH)
    came.write(IMAGE, patch)
    came.write(PATCH, image)


def link(came: Received, name: str) -> None:
    """The same bytes, but behind a link that can be turned elsewhere after the check."""
    target = came.folder.parent / "target"
    (came.folder / name).rename(target)
    (came.folder / name).symlink_to(target)


def folder_for(came: Received) -> None:
    (came.folder / PATCH).unlink()
    (came.folder / PATCH).mkdir()


def nested(came: Received) -> None:
    (came.folder / "more").mkdir()
    (came.folder / "more" / "evil.bin").write_bytes(b"x")


def drop_and_remake(came: Received) -> None:
    """A file is taken away with its line; the attacker signs what is left."""
    (came.folder / PATCH).unlink()
    lines = [line for line in came.read(SUMS).splitlines(keepends=True) if not line.endswith(b"patch.bin\n")]
    came.resign_sums(b"".join(lines), key("attacker"))


def edit_line(came: Received) -> None:
    came.write(PATCH, b"evil")
    came.write(SUMS, came.read(SUMS).replace(sha256(b"patch").encode(), sha256(b"evil").encode()))


def attacker_s(came: Received, *documents: str) -> None:
    """Documents of the same release as an attacker would sign them."""
    other = received(came.folder.parent / "attacker", owner="attacker")
    for name in documents:
        shutil.copy(other.folder / name, came.folder / name)


def other_release(came: Received, *documents: str) -> None:
    """The vendor's own documents, of another release."""
    other = received(came.folder.parent / "other")
    other.write(PATCH, b"another patch")
    other.write(MANIFEST, sign_manifest(manifest_of({**FILES, PATCH: b"another patch"}), key()))
    sums = other.read(SUMS).replace(sha256(b"patch").encode(), sha256(b"another patch").encode())
    other.resign_sums(sums)
    for name in documents:
        shutil.copy(other.folder / name, came.folder / name)


def with_signature(came: Received, change: Callable[[bytes], bytes]) -> None:
    came.write(SUMS_SIGNATURE, change(came.read(SUMS_SIGNATURE)))


def vendor_lists(came: Received, change: Callable[[bytes], bytes]) -> None:
    """Malformed sums that the vendor's key really signed: signing does not make them safe."""
    came.resign_sums(change(came.read(SUMS)))


def with_envelope(came: Received, **changes: object) -> None:
    came.write(MANIFEST, json.dumps(json.loads(came.read(MANIFEST)) | changes).encode())


def altered_payload(came: Received) -> None:
    payload = base64.b64decode(json.loads(came.read(MANIFEST))["payload"]).replace(b'"counter":7', b'"counter":8')
    with_envelope(came, payload=base64.b64encode(payload).decode())


def attacker_under_vendor_s_name(came: Received) -> None:
    payload = base64.b64decode(json.loads(came.read(MANIFEST))["payload"])
    der = key("attacker").sign(pae(PAYLOAD_TYPE, payload)).der
    with_envelope(came, signatures=[{"keyid": key().key_id, "sig": base64.b64encode(der).decode()}])


def sums_from_manifest(came: Received) -> None:
    """The manifest's signature holds for its PAE: offer that as the sums."""
    envelope = json.loads(came.read(MANIFEST))
    came.write(SUMS, pae(PAYLOAD_TYPE, base64.b64decode(envelope["payload"])))
    came.write(SUMS_SIGNATURE, base64.b64decode(envelope["signatures"][0]["sig"]))


def manifest_from_sums(came: Received) -> None:
    """The signature of the sums holds for their bytes: offer them as an envelope's payload."""
    signature = {"keyid": key().key_id, "sig": base64.b64encode(came.read(SUMS_SIGNATURE)).decode()}
    with_envelope(came, payload=base64.b64encode(came.read(SUMS)).decode(), signatures=[signature])


def look_alike(came: Received) -> None:
    """The name in another Unicode form, with Cyrillic letters for Latin ones."""
    (came.folder / PATCH).rename(came.folder / "раtch.bin")


Attack = Callable[[Received], object]
ATTACKS: dict[str, tuple[Attack, set[str]]] = {
    "nothing": (lambda _: None, set()),
    "a bit flipped": (flip, {f"{IMAGE}: wrong"}),
    "a byte appended": (lambda came: came.write(PATCH, b"patch\0"), {f"{PATCH}: wrong"}),
    "a file emptied": (lambda came: came.write(IMAGE, b""), {f"{IMAGE}: wrong"}),
    "an empty file filled": (lambda came: came.write(EMPTY, b"x"), {f"{EMPTY}: wrong"}),
    "same length, other bytes": (lambda came: came.write(PATCH, b"hctap"), {f"{PATCH}: wrong"}),
    "two files swapped": (swap, {f"{IMAGE}: wrong", f"{PATCH}: wrong"}),
    "a file renamed": (
        lambda came: (came.folder / PATCH).rename(came.folder / "Patch.bin"),
        {f"{PATCH}: missing", "Patch.bin: not-listed"},
    ),
    "a look-alike name": (look_alike, {f"{PATCH}: missing", "раtch.bin: not-listed"}),
    "a file missing": (lambda came: (came.folder / IMAGE).unlink(), {f"{IMAGE}: missing"}),
    "a file too many": (lambda came: came.write("setup.exe", b"MZ"), {"setup.exe: not-listed"}),
    "an empty file too many": (lambda came: came.write(".hidden", b""), {".hidden: not-listed"}),
    "a key of the attacker's": (
        lambda came: came.write("vendor.pub.pem", key("attacker").public_pem.encode()),
        {"vendor.pub.pem: not-listed"},
    ),
    "a link instead of a file": (lambda came: link(came, PATCH), {f"{PATCH}: not-a-file"}),
    "a link to nowhere": (
        lambda came: (came.folder / "x").symlink_to("/nowhere"),
        {"x: not-a-file"},
    ),
    "a folder instead of a file": (folder_for, {f"{PATCH}: not-a-file"}),
    "a folder inside": (nested, {"more: not-a-file"}),
    "a pipe": (lambda came: os.mkfifo(came.folder / "pipe"), {"pipe: not-a-file"}),
    "a pipe for the sums": (
        lambda came: ((came.folder / SUMS).unlink(), os.mkfifo(came.folder / SUMS)),
        {"document-not-a-file", f"{SUMS}: not-a-file"},
    ),
    "a link for the sums": (lambda came: link(came, SUMS), {"document-not-a-file", f"{SUMS}: not-a-file"}),
    "a line taken away and signed by the attacker": (drop_and_remake, {"bad-signature"}),
    "a line edited": (edit_line, {"bad-signature"}),
    "a line added": (lambda came: came.write(SUMS, came.read(SUMS) + b"0" * 64 + b"  x\n"), {"bad-signature"}),
    "sums by the attacker": (lambda came: attacker_s(came, SUMS, SUMS_SIGNATURE), {"bad-signature"}),
    "all documents by the attacker": (
        lambda came: attacker_s(came, SUMS, SUMS_SIGNATURE, MANIFEST),
        {"bad-signature", "unknown-key"},
    ),
    "sums of another release": (lambda came: other_release(came, SUMS, SUMS_SIGNATURE), {"documents-disagree"}),
    "the manifest of another release": (lambda came: other_release(came, MANIFEST), {"documents-disagree"}),
    "all documents of another release": (
        lambda came: other_release(came, SUMS, SUMS_SIGNATURE, MANIFEST),
        {f"{PATCH}: wrong"},
    ),
    "sums missing": (lambda came: (came.folder / SUMS).unlink(), {"document-missing"}),
    "signature missing": (lambda came: (came.folder / SUMS_SIGNATURE).unlink(), {"document-missing"}),
    "signature empty": (lambda came: with_signature(came, lambda _: b""), {"bad-signature"}),
    "signature truncated": (lambda came: with_signature(came, lambda der: der[:-1]), {"bad-signature"}),
    "signature lengthened": (lambda came: with_signature(came, lambda der: der + b"\0"), {"bad-signature"}),
    "signature in Base64": (lambda came: with_signature(came, base64.b64encode), {"bad-signature"}),
    "signature of nought": (
        lambda came: with_signature(came, lambda _: bytes.fromhex("3006020100020100")),
        {"bad-signature"},
    ),
    "sums emptied": (lambda came: came.write(SUMS, b""), {"bad-signature"}),
    "CRLF": (lambda came: came.write(SUMS, came.read(SUMS).replace(b"\n", b"\r\n")), {"bad-signature"}),
    "CRLF, signed": (
        lambda came: vendor_lists(came, lambda sums: sums.replace(b"\n", b"\r\n")),
        {"malformed-sums"},
    ),
    "a line twice, signed": (
        lambda came: vendor_lists(came, lambda sums: sums + sums.splitlines(keepends=True)[0]),
        {"malformed-sums"},
    ),
    "traversal, signed": (
        lambda came: vendor_lists(came, lambda sums: sums + b"0" * 64 + b"  ../../etc/passwd\n"),
        {"malformed-sums"},
    ),
    "absolute name, signed": (
        lambda came: vendor_lists(came, lambda sums: sums + b"0" * 64 + b"  /etc/passwd\n"),
        {"malformed-sums"},
    ),
    "empty sums, signed": (lambda came: vendor_lists(came, lambda _: b""), {"malformed-sums"}),
    "a line too few, signed": (
        lambda came: vendor_lists(came, lambda sums: b"".join(sums.splitlines(keepends=True)[1:])),
        {"documents-disagree"},
    ),
    "payload type altered": (lambda came: with_envelope(came, payloadType="text/plain"), {"malformed-manifest"}),
    "payload altered": (altered_payload, {"bad-signature"}),
    "manifest by the attacker": (lambda came: attacker_s(came, MANIFEST), {"unknown-key"}),
    "manifest by the attacker under the vendor's name": (attacker_under_vendor_s_name, {"bad-signature"}),
    "manifest without signature": (lambda came: with_envelope(came, signatures=[]), {"malformed-manifest"}),
    "manifest emptied": (lambda came: came.write(MANIFEST, b""), {"malformed-manifest"}),
    "manifest's signature over sums": (sums_from_manifest, {"malformed-sums"}),
    "sums' signature over a manifest": (manifest_from_sums, {"bad-signature"}),
    "a link for the manifest": (lambda came: link(came, MANIFEST), {"document-not-a-file", f"{MANIFEST}: not-a-file"}),
    "an endless signature": (
        lambda came: os.truncate(came.folder / SUMS_SIGNATURE, 1 << 40),
        {"document-not-a-file"},
    ),
}


@pytest.mark.parametrize(("attack", "expected"), ATTACKS.values(), ids=ATTACKS.keys())
def test_what_is_said_of_a_folder(came: Received, attack: Attack, expected: set[str]):
    attack(came)
    report = verify_folder(came.folder, came.keys)
    assert seen(report) == expected
    assert report.ok is not bool(expected)
    assert report.exit_code == (1 if expected else 0)


@pytest.mark.parametrize("attack", [row[0] for row in ATTACKS.values()], ids=ATTACKS.keys())
def test_nothing_is_called_right_when_a_document_is_at_fault(came: Received, attack: Attack):
    attack(came)
    report = verify_folder(came.folder, came.keys)
    assert not (report.problems and report.named(FileState.RIGHT))


def test_the_judges_agree_on_a_good_folder(came: Received, tmp_path: Path):
    (tmp_path / "pub.pem").write_text(key().public_pem)
    judged = run(
        "openssl",
        "dgst",
        "-sha256",
        "-verify",
        tmp_path / "pub.pem",
        "-signature",
        SUMS_SIGNATURE,
        SUMS,
        cwd=came.folder,
    )
    assert (judged.returncode, judged.stdout) == (0, b"Verified OK\n")
    assert run("sha256sum", "--strict", "-c", SUMS, cwd=came.folder).returncode == 0
    assert verify_folder(came.folder, came.keys).exit_code == 0


@pytest.mark.parametrize("name", ["a bit flipped", "a file missing", "two files swapped", "a file emptied"])
def test_sha256sum_refuses_the_same_folders(came: Received, name: str):
    ATTACKS[name][0](came)
    assert run("sha256sum", "--strict", "-c", SUMS, cwd=came.folder).returncode == 1


@pytest.mark.parametrize(
    # "signature lengthened" is not among them: behind a signature of full length openssl reads no further
    "name",
    ["a line edited", "sums by the attacker", "signature truncated", "CRLF"],
)
def test_openssl_refuses_the_same_signatures(came: Received, tmp_path: Path, name: str):
    (tmp_path / "pub.pem").write_text(key().public_pem)
    ATTACKS[name][0](came)
    judged = run(
        "openssl",
        "dgst",
        "-sha256",
        "-verify",
        tmp_path / "pub.pem",
        "-signature",
        SUMS_SIGNATURE,
        SUMS,
        cwd=came.folder,
    )
    assert judged.returncode != 0


def test_a_folder_without_a_manifest_is_verified_by_its_sums(came: Received):
    (came.folder / MANIFEST).unlink()
    report = verify_folder(came.folder, came.keys)
    assert (report.ok, report.manifest, report.named(FileState.RIGHT)) == (True, None, tuple(sorted(FILES)))


@pytest.mark.parametrize(("installed", "expected"), [(6, set()), (7, set()), (8, {"counter-rollback"})])
def test_an_older_release_than_the_installed_one_is_refused(came: Received, installed: int, expected: set[str]):
    report = verify_folder(came.folder, came.keys, installed_counter=installed)
    assert seen(report) == expected
    assert report.exit_code == (1 if expected else 0)


def test_a_release_that_can_t_show_its_counter_is_refused_when_one_is_asked_for(came: Received):
    (came.folder / MANIFEST).unlink()
    assert seen(verify_folder(came.folder, came.keys, installed_counter=1)) == {"counter-unknown"}


def test_a_retired_key_is_believed_for_what_it_signed_in_its_time(came: Received):
    record = KeyRecord(key().public, active_until=AT + timedelta(days=1))
    current = KeyRecord(key("new").public, active_from=AT + timedelta(days=1))
    assert verify_folder(came.folder, KeyRing((current, record))).ok


def test_a_retired_key_is_not_believed_afterwards(came: Received):
    record = KeyRecord(key().public, active_until=AT)
    assert seen(verify_folder(came.folder, KeyRing((record,)))) == {"retired-key"}


def test_a_retired_key_can_t_speak_without_a_date(came: Received):
    (came.folder / MANIFEST).unlink()
    record = KeyRecord(key().public, active_until=AT + timedelta(days=1))
    assert seen(verify_folder(came.folder, KeyRing((record,)))) == {"retired-key"}


def test_a_revoked_key_is_never_believed(came: Received):
    record = KeyRecord(key().public, active_until=AT + timedelta(days=1), revoked_at=AT + timedelta(days=2))
    assert seen(verify_folder(came.folder, KeyRing((record,)))) == {"revoked-key"}


def test_without_any_key_nothing_is_proven(came: Received):
    assert seen(verify_folder(came.folder, KeyRing(()))) == {"unknown-key"}


def test_a_key_file_in_the_folder_is_allowed_when_it_is_the_one_pointed_at(came: Received):
    came.write("release.pub.pem", key().public_pem.encode())
    inside = came.folder / "release.pub.pem"
    assert verify_folder(came.folder, came.keys, key_files=[inside]).ok
    elsewhere = came.folder.parent / "release.pub.pem"
    assert seen(verify_folder(came.folder, came.keys, key_files=[elsewhere])) == {"release.pub.pem: not-listed"}


def test_pointing_at_a_listed_file_as_a_key_does_not_excuse_it(came: Received):
    flip(came)
    assert seen(verify_folder(came.folder, came.keys, key_files=[came.folder / IMAGE])) == {f"{IMAGE}: wrong"}


@pytest.mark.parametrize("place", ["nowhere", "a file"])
def test_a_folder_that_can_t_be_read_is_not_called_bad(tmp_path: Path, place: str):
    (tmp_path / "a file").write_bytes(b"")
    report = verify_folder(tmp_path / place, KeyRing.of(key().public))
    assert (seen(report), report.exit_code) == ({"folder-unreadable"}, 2)


def test_a_size_that_the_manifest_denies_is_wrong_even_with_the_right_digest(came: Received):
    manifest = manifest_of(FILES)
    lied = replace(manifest, artifacts=tuple(replace(item, size_bytes=1) for item in manifest.artifacts))
    came.write(MANIFEST, sign_manifest(lied, key()))
    assert seen(verify_folder(came.folder, came.keys)) == {f"{name}: wrong" for name in FILES}


def test_a_good_report_says_what_who_and_the_verdict(came: Received):
    lines = render(verify_folder(came.folder, came.keys)).splitlines()
    assert "Release     edge-router 4.9 (minor), release counter 7, published 2026-03-01 12:00 UTC" in lines
    assert f"Signed by   {key().public.fingerprint}" in lines
    assert f"OK          {IMAGE}" in lines
    assert lines[-1] == "VERIFIED: every file is exactly what the vendor signed."


def test_a_bad_report_says_which_file_and_why(came: Received):
    flip(came)
    (came.folder / PATCH).unlink()
    text = render(verify_folder(came.folder, came.keys))
    assert f"WRONG       {IMAGE} (its SHA-256 is {sha256(came.read(IMAGE))}" in text
    assert f"MISSING     {PATCH}\n" in text
    assert text.endswith("NOT VERIFIED: do not install. Ask the vendor for the files again.\n")


def test_a_problem_is_shown_with_its_code(came: Received):
    edit_line(came)
    text = render(verify_folder(came.folder, came.keys))
    assert f"UNPROVEN    {IMAGE}\n" in text
    assert "[bad-signature]" in text


def test_a_name_can_t_write_a_line_of_its_own_into_the_report(came: Received):
    came.write("x\nVERIFIED: every file\x1b[2J\u202e", b"")
    text = render(verify_folder(came.folder, came.keys))
    assert "NOT LISTED  x\\nVERIFIED: every file\\x1b[2J\\u202e\n" in text


def test_a_name_that_is_not_text_is_reported(came: Received):
    (Path(os.fsdecode(os.fsencode(came.folder) + b"/\xff.bin"))).write_bytes(b"")
    text = render(verify_folder(came.folder, came.keys))
    assert "NOT LISTED  \\udcff.bin" in text
    text.encode()


def test_a_file_exchanged_for_a_link_while_it_is_looked_at_is_not_followed(
    came: Received, monkeypatch: pytest.MonkeyPatch
):
    look = Path.lstat

    def look_then_exchange(path: Path) -> os.stat_result:
        seen_then = look(path)
        if path.name == PATCH:
            link(came, PATCH)
        return seen_then

    monkeypatch.setattr(Path, "lstat", look_then_exchange)
    report = verify_folder(came.folder, came.keys)
    assert (seen(report), report.exit_code) == ({f"{PATCH}: unreadable"}, 2)


def test_the_other_unicode_form_of_a_name_is_another_name(tmp_path: Path):
    name = unicodedata.normalize("NFC", "й.bin")
    (tmp_path / unicodedata.normalize("NFD", name)).write_bytes(b"x")
    received_ = Received(tmp_path, KeyRing.of(key().public))
    received_.resign_sums(f"{sha256(b'x')}  {name}\n".encode())
    assert {finding.state for finding in verify_folder(tmp_path, received_.keys).files} == {
        FileState.DOCUMENT, FileState.MISSING, FileState.NOT_LISTED,
    }  # fmt: skip
