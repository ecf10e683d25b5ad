"""Nothing holds a whole backup: a large one goes in sealed and out opened, and the server hardly grows."""

from datetime import UTC, datetime

import pytest

from tests.backups.conftest import build
from tests.deliveries.moving import MIB, download, upload, watched
from tests.servers.granian import served

SIZE, ALLOWED = 192 * MIB, 48 * MIB


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_large_backup_goes_in_and_out_and_the_server_hardly_grows(portal):
    portal.clock.at = datetime.now(UTC)
    world = build(portal)
    token, address = world.token("alpha"), world.address("alpha")
    with served(portal) as server:
        upload(server, token, f"{address}/warm.bin", 8 * MIB)
        with watched(server) as going_in:
            digest = upload(server, token, f"{address}/large.bin", SIZE)
        listed = portal.browser().get(address, headers={"Authorization": f"Bearer {token}"}).json["backups"]
        [backup] = [one for one in listed if one["name"] == "large.bin"]
        with watched(server) as going_out:
            got = download(server, token, f"/api/v1/backups/{backup['id']}/content")
    assert (backup["sha256"], backup["size_bytes"]) == (digest, SIZE)
    assert got == (digest, SIZE)
    print(f"upload {going_in.rise_bytes / MIB:+.1f} MiB, download {going_out.rise_bytes / MIB:+.1f} MiB")
    assert going_in.rise_bytes < ALLOWED
    assert going_out.rise_bytes < ALLOWED
