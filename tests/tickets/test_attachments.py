from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pytest
from sqlalchemy import select

from portal.accounts.tokens import NewToken, create_token
from portal.permissions import Scope
from portal.tickets.attachments import file_name
from portal.tickets.desk_models import TicketFile
from tests.portals import START


def upload(world, who, number, *files, **fields):
    browser = world.of(who)
    fields["csrf_token"] = browser.get_token(f"/tickets/{number}")
    fields["file"] = [(BytesIO(content), name) for name, content in files]
    return browser.post(f"/tickets/{number}/files", data=fields)


def rows(world):
    with world.portal.sessions() as session:
        return session.scalars(select(TicketFile).order_by(TicketFile.name)).all()


def test_files_go_in_and_come_out_to_be_saved(world):
    number, content = world.open(), b"<script>steal()</script>" * 15_000
    assert upload(world, "alpha", number, ("лог<1>.html", content), ("b.txt", b"b")).status_code == 303
    assert [row.name for row in rows(world)] == ["b.txt", "лог<1>.html"]
    row = rows(world)[1]
    assert (row.sha256, row.size_bytes) == (sha256(content).hexdigest(), len(content))
    for who, status in (("alpha2", 200), ("tsc", 200), ("publisher", 200), ("beta", 404), ("admin", 403)):
        answer = world.of(who).get(f"/tickets/{number}/files/{row.id}")
        assert answer.status_code == status, who
    answer = world.of("alpha").get(f"/tickets/{number}/files/{row.id}")
    assert answer.data == content
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "лог&lt;1&gt;.html" in world.of("tsc").get(f"/tickets/{number}").text


def test_internal_files_are_the_support_centres(world):
    number = world.open()
    assert upload(world, "alpha", number, ("a.txt", b"a"), internal="1").status_code == 403
    assert upload(world, "tsc", number, ("secret-capture.pcap", b"a"), internal="1").status_code == 303
    [row] = rows(world)
    assert row.is_internal
    assert world.of("alpha").get(f"/tickets/{number}/files/{row.id}").status_code == 404
    assert "secret-capture" not in world.of("alpha").get(f"/tickets/{number}").text
    assert world.of("tsc").get(f"/tickets/{number}/files/{row.id}").status_code == 200
    other = world.open()
    assert world.of("tsc").get(f"/tickets/{other}/files/{row.id}").status_code == 404


@pytest.mark.parametrize(("files", "status"), [((("a.txt", b""),), 422), ((), 422), ((("a.txt", b"x" * 2000),), 413)])
def test_what_is_no_file_or_too_large(world, files, status):
    portal = world.portal
    config = replace(portal.resources.config, max_attachment_bytes=1000)
    portal.resources = portal.app.extensions["portal"] = replace(portal.resources, config=config)
    number = world.open()
    assert upload(world, "alpha", number, *files).status_code == status
    assert rows(world) == []
    token = _token(world)
    if files and status == 413:
        answer = world.portal.browser().post(f"/api/v1/tickets/{number}/files", data=files[0][1], headers=token)
        assert (answer.status_code, answer.json["code"]) == (413, "attachment-too-large")


def test_the_api(world):
    number, token = world.open(), _token(world)
    program, address = world.portal.browser(), f"/api/v1/tickets/{number}/files"
    made = program.post(f"{address}?name=core.dump", data=b"dump" * 10, headers=token)
    assert (made.status_code, made.json["name"], made.json["sha256"]) == (
        201, "core.dump", sha256(b"dump" * 10).hexdigest(),
    )  # fmt: skip
    upload(world, "tsc", number, ("hidden.txt", b"h"), internal="1")
    assert [one["name"] for one in program.get(address, headers=token).json["files"]] == ["core.dump"]
    assert program.get(made.headers["Location"], headers=token).data == b"dump" * 10
    assert world.of("tsc").get(address).json["files"] == program.get(address, headers=token).json["files"]
    assert world.of("beta").get(address).status_code == 404


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\a.txt", "a.txt"),
        ("", "file"),
        ("...", "file"),
        ("a\r\nb\0.txt", "a b .txt"),
        ("gnp.\u202eexe", "gnp. exe"),
        ("x" * 300 + ".tar", "x" * 196 + ".tar"),
    ],
)
def test_names(written, kept):
    assert file_name(written) == kept


def _token(world):
    with world.begin() as session:
        person = session.merge(world.people["alpha"])
        new = NewToken("script", frozenset({Scope.TICKETS}), world.portal.resources.config.link_for)
        _row, token = create_token(session, person, new, by=world.actors["alpha"], at=START)
    return {"Authorization": f"Bearer {token}"}
