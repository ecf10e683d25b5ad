"""The pages: a device's backups, and the releases that a customer can fall back on."""

from datetime import timedelta

from portal.entitlements import service as entitlements
from portal.releases import service as releases
from tests.factories import make_backup, make_published, make_release
from tests.portals import START


def test_the_page_of_a_devices_backups(world):
    address = f"/devices/{world.devices['alpha'].id}/backups"
    page = world.of("alpha").get(address)
    assert (page.status_code, "upload.js" in page.text) == (200, True)
    with world.portal.sessions.begin() as session:
        backup = make_backup(world.portal.store, session, session.merge(world.devices["alpha"]), b"x", name="<b>.cfg")
    page = world.of("alpha").get(address).text
    assert "&lt;b&gt;.cfg" in page
    assert f"/backups/{backup.id}" in page
    assert backup.sha256 in page
    seen = world.of("tsc").get(address).text
    assert f"/backups/{backup.id}" not in seen
    assert world.of("beta").get(address).status_code == 404
    assert world.of("administrator").get(address).status_code == 403
    assert address in world.of("alpha").get(f"/devices/{world.devices['alpha'].id}").text


def test_our_backup_copies(world):
    with world.portal.sessions.begin() as session:
        good, bad = (make_release(session, session.merge(world.product), v) for v in ("4.9", "4.10"))
        for release in (good, bad):
            make_published(world.portal.resources, session, release)
            entitlements.record_received(session, world.homes["alpha"].id, release.id, START - timedelta(days=3))
        releases.withdraw(session, bad, reason="It fails.", replacement=None, by=world.actors["administrator"],
                          at=START)  # fmt: skip
    page = world.of("alpha").get("/backup-copies").text
    assert "stays available as the backup copy" in page
    assert "It fails." in page
    assert page.index("4.10") < page.index("4.9")
    found = world.of("alpha").get("/backup-copies?q=core+4.9").text
    assert "/products/core/4.9" in found
    assert "4.10" not in found
    assert "4.9" not in world.of("beta").get("/backup-copies").text
    assert world.of("tsc").get("/backup-copies").status_code == 403
