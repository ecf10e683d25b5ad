"""Uploads over a real socket: whole or not at all, whatever breaks on the way."""

import base64
import hashlib
import http.client
import json
import os
import resource
import socket
from contextlib import closing
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import select

from portal.releases.models import Artifact
from tests.factories import make_product, make_release
from tests.portals import open_test_portal
from tests.releases.conftest import listening, make_vendor

CONTENT = os.urandom(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def draft_of(portal, version="1.0"):
    with portal.sessions.begin() as session:
        return make_release(session, make_product(session), version).id


def put(address, vendor, release_id, name, content=CONTENT, query="", **headers):
    """PUT over a real connection; the answer's status and JSON."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    path = f"/api/v1/releases/{release_id}/artifacts/{quote(name, safe='')}{query}"
    headers = {"Authorization": f"Bearer {vendor.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    with closing(connection):
        connection.request("PUT", path, body=content, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def left_behind(portal):
    folder = portal.folder / "objects"
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def test_bytes_arrive_whole_and_are_read_back(portal, vendor):
    release_id = draft_of(portal)
    with listening(portal) as address:
        status, said = put(address, vendor, release_id, "прошивка 1.bin", query="?role=patch&platform=arm64")
        assert (status, said["sha256"], said["size_bytes"]) == (201, SHA256, len(CONTENT))
        assert (said["name"], said["role"], said["platform"], said["read_back"]) == (
            "прошивка 1.bin", "patch", "arm64", None,
        )  # fmt: skip
    portal.work()
    with portal.sessions() as session:
        artifact = session.scalars(select(Artifact)).one()
        assert (artifact.read_back_at, artifact.read_back_problem) == (portal.clock.at, None)
        assert artifact.uploaded_by == vendor.publisher.id
    with portal.store.open_range(artifact.key) as reader:
        assert reader.read() == CONTENT


def test_the_same_bytes_again_are_no_new_thing_and_other_bytes_are_refused_for_ever(portal, vendor):
    release_id = draft_of(portal)
    with listening(portal) as address:
        assert put(address, vendor, release_id, "a.bin")[0] == 201
        assert put(address, vendor, release_id, "a.bin")[0] == 200
        status, said = put(address, vendor, release_id, "a.bin", b"other")
        assert (status, said["code"]) == (409, "name-taken")
        status, said = put(address, vendor, release_id, "A.bin")
        assert (status, said["code"]) == (409, "name-taken")
    browser = portal.browser()
    gone = browser.delete(f"/api/v1/releases/{release_id}/artifacts/a.bin",
                          headers={"Authorization": f"Bearer {vendor.token}"})  # fmt: skip
    assert gone.status_code == 204
    with listening(portal) as address:
        assert put(address, vendor, release_id, "a.bin", b"other")[1]["code"] == "name-taken"
        assert put(address, vendor, release_id, "a.bin")[0] == 201
    with portal.sessions() as session:
        assert [row.removed_at for row in session.scalars(select(Artifact))] == [None]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_SHA256": SHA256.upper()},
        {"Repr_Digest": f"sha-512=:AAAA:, sha-256=:{base64.b64encode(bytes.fromhex(SHA256)).decode()}:"},
        {"Content_Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(SHA256)).decode()}:"},
    ],
)
def test_a_declared_digest_that_is_right(portal, vendor, headers):
    release_id = draft_of(portal)
    with listening(portal) as address:
        assert put(address, vendor, release_id, "a.bin", **headers)[0] == 201


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X_SHA256": "0" * 64}, "digest-mismatch"),
        ({"Repr_Digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"}, "digest-mismatch"),
        ({"X_SHA256": "0" * 63}, "malformed-digest"),
        ({"Repr_Digest": "sha-256=:AAAA:"}, "malformed-digest"),
        ({"Repr_Digest": "sha-256=AAAA"}, "malformed-digest"),
    ],
)
def test_a_declared_digest_that_is_wrong_keeps_nothing(portal, vendor, headers, code):
    release_id = draft_of(portal)
    with listening(portal) as address:
        status, said = put(address, vendor, release_id, "a.bin", **headers)
    assert (status, said["code"]) == (422, code)
    assert left_behind(portal) == []


def raw(address, vendor, release_id, headers, body):
    """Send exactly this, end our half of the connection, and read what is answered."""
    parts = urlsplit(address)
    head = f"PUT /api/v1/releases/{release_id}/artifacts/a.bin HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    head += f"Authorization: Bearer {vendor.token}\r\nConnection: close\r\n{headers}\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer.decode(errors="replace")


def test_an_upload_cut_in_the_middle_keeps_nothing(portal, vendor):
    release_id = draft_of(portal)
    with listening(portal) as address:
        answer = raw(address, vendor, release_id, "Content-Length: 3000000\r\n", CONTENT[:1_700_000])
        assert " 400 " in answer.splitlines()[0]
        assert '"upload-cut"' in answer
        assert left_behind(portal) == []
        assert put(address, vendor, release_id, "a.bin")[0] == 201


def test_a_length_or_a_digest_is_needed_to_tell_a_cut(portal, vendor):
    release_id = draft_of(portal)
    with listening(portal) as address:
        chunked = "Transfer-Encoding: chunked\r\n"
        assert '"length-required"' in raw(address, vendor, release_id, chunked, b"0\r\n\r\n")
        body = f"{len(CONTENT):x}\r\n".encode() + CONTENT + b"\r\n0\r\n\r\n"
        answer = raw(address, vendor, release_id, f"{chunked}X-SHA256: {SHA256}\r\n", body)
        assert " 201 " in answer.splitlines()[0], answer


def test_the_limit_is_told_before_and_held(engine, tmp_path):
    portal = open_test_portal(engine, tmp_path / "portal", max_artifact_bytes=1000)
    vendor, release_id = make_vendor(portal), draft_of(portal)
    assert portal.browser().get("/api/v1/limits").json == {"max_artifact_bytes": 1000}
    with listening(portal) as address:
        assert put(address, vendor, release_id, "exact.bin", bytes(1000))[0] == 201
        status, said = put(address, vendor, release_id, "a.bin", bytes(1001))
        assert (status, said["code"], said["facts"]["limit_bytes"]) == (413, "too-large", "1000")
        digest = hashlib.sha256(bytes(1001)).hexdigest()
        chunked = f"Transfer-Encoding: chunked\r\nX-SHA256: {digest}\r\n"
        answer = raw(address, vendor, release_id, chunked, b"3e9\r\n" + bytes(1001) + b"\r\n0\r\n\r\n")
        assert " 413 " in answer.splitlines()[0]
        assert '"too-large"' in answer


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\0b", "n" * 300, "SHA256SUMS", "sha256sums.SIG", "manifest.dsse.json", "con.txt"]
)
def test_a_bad_name_is_refused_before_the_bytes_are_read(portal, vendor, name):
    release_id = draft_of(portal)
    with listening(portal) as address:
        status, said = put(address, vendor, release_id, name)
    assert (status, said["code"]) == (422, "bad-file-name")
    assert left_behind(portal) == []


@pytest.fixture
def no_room():
    """No file of this process may grow beyond 2 MB: to the store, a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_store_keeps_nothing(portal, vendor, no_room):
    release_id = draft_of(portal)
    with listening(portal) as address:
        status, said = put(address, vendor, release_id, "a.bin")
        assert (status, said["code"]) == (507, "store-full")
        assert left_behind(portal) == []
        assert put(address, vendor, release_id, "a.bin", CONTENT[:1000])[0] == 201


def test_s3_that_does_not_answer(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    portal = open_test_portal(engine, tmp_path / "portal", store=f"s3://bucket?endpoint=http://127.0.0.1:{closed}")
    vendor, release_id = make_vendor(portal), draft_of(portal)
    with listening(portal) as address:
        status, said = put(address, vendor, release_id, "a.bin")
    assert (status, said["code"]) == (503, "store-unavailable")
    with portal.sessions() as session:
        assert session.scalars(select(Artifact)).all() == []


def test_nobody_and_a_customer_can_not_upload(portal, vendor):
    release_id = draft_of(portal)
    address = f"/api/v1/releases/{release_id}/artifacts/a.bin"
    assert portal.browser().put(address, data=b"x").status_code in (400, 401)
    browser = portal.signed_in(vendor.administrator.email)
    token = {"X-CSRFToken": browser.get_token("/account")}
    assert browser.put(address, data=b"x", headers=token).status_code == 403
    browser = portal.signed_in(vendor.publisher.email)
    assert browser.put(address, data=b"x").json["code"] == "form-expired"
    token = {"X-CSRFToken": browser.get_token("/account")}
    assert browser.put(address, data=bytes(3 << 20), headers=token).status_code == 201


def test_a_release_that_left_draft_takes_no_more_files(portal, vendor):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0")
        release.submit(None, portal.clock.at)
    with listening(portal) as address:
        assert put(address, vendor, release.id, "a.bin")[1]["code"] == "not-draft"
    assert left_behind(portal) == []
