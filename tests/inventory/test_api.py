"""Devices for programs, and the command."""

from datetime import timedelta

from click.testing import CliRunner

from portal.accounts.tokens import NewToken, create_token
from portal.cli import portal as command
from portal.inventory import cli
from portal.permissions import Scope
from tests.portals import START

TABLE = "product;serial;installed_version\ncore;SN-1;4.9\ncore;SN-2;=1\n"
GOOD = TABLE.replace("=1", "5.0")


def headers(world, who, *scopes):
    with world.portal.sessions.begin() as session:
        new = NewToken("script", frozenset(scopes), timedelta(days=3))
        _, secret = create_token(session, session.merge(world.people[who]), new, by=world.actors[who], at=START)
    return {"Authorization": f"Bearer {secret}"}


def test_a_table_by_a_program(world):
    mine, client = headers(world, "alpha", Scope.INVENTORY), world.portal.browser()
    shown = client.post("/api/v1/devices/import?dry_run=1", data=TABLE, headers=mine).json
    assert [line["outcome"] for line in shown["lines"]] == ["new", "wrong"]
    assert shown["lines"][1]["wrong"]["code"] == "malformed-version"
    refused = client.post("/api/v1/devices/import", data=TABLE, headers=mine)
    assert (refused.status_code, refused.json["applied"]) == (422, False)
    assert client.get("/api/v1/devices", headers=mine).json["devices"] == []
    token = client.post("/api/v1/devices/import?dry_run=1", data=GOOD, headers=mine).json["token"]
    stale = client.post(f"/api/v1/devices/import?token={token}", data=GOOD + "core;SN-3\n", headers=mine)
    assert (stale.status_code, stale.json["code"]) == (409, "stale-preview")
    done = client.post(f"/api/v1/devices/import?token={token}", data=GOOD, headers=mine)
    assert (done.status_code, done.json["applied"]) == (200, True)
    devices = client.get("/api/v1/devices?q=5.0", headers=mine).json["devices"]
    assert [(one["serial"], one["installed_version"], one["how_known"]) for one in devices] == [
        ("SN-2", "5.0", "import")
    ]  # fmt: skip


def test_a_version_is_reported_by_a_program(world):
    mine, client = headers(world, "alpha", Scope.INVENTORY), world.portal.browser()
    client.post("/api/v1/devices/import", data=GOOD, headers=mine)
    device_id = client.get("/api/v1/devices", headers=mine).json["devices"][0]["id"]
    address = f"/api/v1/devices/{device_id}/version"
    told = client.post(address, json={"version": "5.1", "reference": "nightly"}, headers=mine)
    assert (told.status_code, told.json["installed_version"], told.json["how_known"]) == (200, "5.1", "reported")
    for wrong in ("[]", "{", '{"version": 5}', '{"version": "5", "x": 1}', '{"version": "no version!"}'):
        assert client.post(address, data=wrong, headers=mine).status_code == 422
    theirs = headers(world, "beta", Scope.INVENTORY)
    assert client.post(address, json={"version": "6"}, headers=theirs).status_code == 404
    assert client.get("/api/v1/devices", headers=theirs).json["devices"] == []
    assert client.get(f"/api/v1/devices/{device_id}/plan", headers=theirs).status_code == 404
    narrow = headers(world, "alpha", Scope.DOWNLOAD)
    assert client.post(address, json={"version": "6"}, headers=narrow).status_code == 403
    plan = client.get(f"/api/v1/devices/{device_id}/plan", headers=mine).json
    assert (plan["device"]["installed_version"], plan["plan"]["verdict"]) == ("5.1", "up-to-date")


def test_the_command_reports_by_line(world, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "open_for_command", lambda: world.portal.resources)
    file = tmp_path / "devices.csv"
    file.write_text(TABLE)

    def run(*options):
        return CliRunner().invoke(command, ["inventory", "import", str(file), "--customer", "alpha", *options])

    first = run()
    assert first.exit_code == 1
    assert "line 3: =1 is not a natural version" in first.output
    assert "(malformed-version)" in first.output
    assert "Nothing was taken in" in first.output
    assert run("--keep-going").exit_code == 1
    file.write_text(GOOD)
    dry = run("--dry-run")
    assert "line 3: new SN-2: installed_version - -> 5.0\n1 new, 0 changed, 1 unchanged, 0 wrong" in dry.output
    assert run().exit_code == 0
    assert "0 new, 0 changed, 2 unchanged" in run("--dry-run").output
