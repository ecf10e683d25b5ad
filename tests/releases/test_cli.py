"""The remote commands against a portal on a real socket, and the commands on keys."""

import hashlib
import shutil

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal.releases import queries
from portal.releases.cli import releases
from portal.releases.keys_cli import keys
from portal.releases.models import Artifact, NotesRevision, Release, ReleaseState
from portal.releases.verify_cli import verify
from tests.factories import make_product, make_published, make_release
from tests.portals import open_test_portal
from tests.releases.conftest import listening, make_vendor

NOTES = """Faster.

# Rollback instructions
Put the old one back.

```
# rollback
```

## Not a section
here
"""


def run(address, vendor, *words, token=None):
    environ = {"RELEASE_PORTAL_URL": address, "RELEASE_PORTAL_TOKEN": token or vendor.token}
    return CliRunner().invoke(releases, words, env=environ)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "image.bin").write_bytes(b"image" * 1000)
    (tmp_path / "tool.bin").write_bytes(b"tool")
    (tmp_path / "notes.md").write_text(NOTES)
    return tmp_path


def test_upload_submit_and_status_from_afar(portal, vendor, files):
    with portal.sessions.begin() as session:
        make_product(session, code="edge-router")
    words = [str(files / "image.bin"), str(files / "tool.bin"), "--level", "major"]
    for language in ("en", "ru"):
        words += ["--notes", f"{language}={files / 'notes.md'}"]
    with listening(portal) as address:
        done = run(address, vendor, "upload", "edge-router", "1.0", *words)
        assert done.exit_code == 0, done.output
        digest = hashlib.sha256(b"image" * 1000).hexdigest()
        assert f"{digest}  image.bin" in done.stdout.splitlines()
        again = run(address, vendor, "upload", "edge-router", "1.0", *words)
        assert again.exit_code == 0, again.output
        refused = run(address, vendor, "submit", "edge-router", "1.0")
        assert (refused.exit_code, refused.stderr.partition(":")[0]) == (1, "problems-remain")
        portal.work()
        assert (
            f"file     {digest}  image.bin (read back)" in run(address, vendor, "status", "edge-router", "1.0").stdout
        )
        assert run(address, vendor, "submit", "edge-router", "1.0").stdout == "edge-router 1.0: in-review\n"
    with portal.sessions() as session:
        assert session.scalars(select(Release)).one().state is ReleaseState.IN_REVIEW
        assert sorted(row.name for row in session.scalars(select(Artifact))) == ["image.bin", "tool.bin"]
        texts = session.scalars(select(NotesRevision)).one().texts["ru"]
        assert texts["summary"] == "Faster."
        assert texts["rollback"].endswith("## Not a section\nhere")


def test_refusals_are_one_line_with_a_code(portal, vendor, files):
    with portal.sessions.begin() as session:
        make_product(session, code="edge-router")
    image = str(files / "image.bin")
    with listening(portal) as address:
        assert run(address, vendor, "upload", "edge-router", "1.0", image).exit_code == 0
        (files / "image.bin").write_bytes(b"other")
        for words, code in (
            (("upload", "edge-router", "1.0", image), "name-taken"),
            (("upload", "edge-router", "not a version", image), "malformed-version"),
            (("upload", "nothing", "1.0", image), "not-found"),
            (("submit", "edge-router", "2.0"), "not-found"),
        ):
            said = run(address, vendor, *words)
            assert (said.exit_code, said.stderr.splitlines()[-1].partition(":")[0]) == (1, code)
        assert run(address, vendor, "status", "edge-router", "1.0", token="rp_wrong").stderr.startswith("token-")
    said = run(address, vendor, "status", "edge-router", "1.0")
    assert (said.exit_code, said.stderr.partition(":")[0]) == (3, "unreachable")


def test_the_limit_is_asked_for_before_anything_is_sent(engine, tmp_path, files):
    portal = open_test_portal(engine, tmp_path / "portal", max_artifact_bytes=100)
    vendor = make_vendor(portal)
    with portal.sessions.begin() as session:
        make_product(session, code="edge-router")
    with listening(portal) as address:
        said = run(address, vendor, "upload", "edge-router", "1.0", str(files / "image.bin"))
    assert (said.exit_code, said.stderr.partition(":")[0]) == (1, "too-large")
    with portal.sessions() as session:
        assert session.scalars(select(Release)).all() == []


def test_keys_are_made_listed_rotated_and_revoked(sqlite_template, tmp_path, monkeypatch):
    monkeypatch.setenv("PORTAL_DATA", str(tmp_path))
    shutil.copy(sqlite_template, tmp_path / "portal.sqlite")
    first = CliRunner().invoke(keys, ["create"]).stdout.split()[0]
    assert CliRunner().invoke(keys, ["create"]).stderr.startswith("key-exists: ")
    assert CliRunner().invoke(keys, ["revoke", first]).stderr.startswith("key-in-use: ")
    assert CliRunner().invoke(keys, ["rotate", "--replacing", first]).exit_code == 0
    assert CliRunner().invoke(keys, ["rotate", "--replacing", first]).stderr.startswith("key-changed-meanwhile: ")
    assert CliRunner().invoke(keys, ["revoke", first]).exit_code == 0
    listed = CliRunner().invoke(keys, ["list"]).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["active", "revoked"]
    assert listed[1].endswith(first)


def test_a_customer_verifies_a_folder_without_an_account(portal, tmp_path):
    with portal.sessions.begin() as session:
        release = make_published(portal.resources, session, make_release(session, make_product(session), "1.0"))
        signed = queries.publication(session, release.id)
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "SHA256SUMS").write_text(signed.sums)
    (folder / "SHA256SUMS.sig").write_bytes(signed.sums_signature)
    (folder / "manifest.dsse.json").write_text(signed.manifest)
    (folder / "image.bin").write_bytes(b"bytes")
    key = tmp_path / "key.pem"
    key.write_text(portal.resources.keys.active().public.pem)
    words = [str(folder), "--key", str(key)]
    good = CliRunner().invoke(verify, words)
    assert (good.exit_code, "VERIFIED: every file" in good.stdout) == (0, True)
    assert CliRunner().invoke(verify, [*words, "--installed-counter", "2"]).exit_code == 1
    (folder / "image.bin").write_bytes(b"other")
    assert CliRunner().invoke(verify, words).exit_code == 1
    assert CliRunner().invoke(verify, [str(folder), "--key", str(tmp_path / "no.pem")]).exit_code == 2
