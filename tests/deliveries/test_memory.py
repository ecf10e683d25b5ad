"""Nothing holds a whole file: a large one goes in and out, and the server hardly grows.

PORTAL_TEST_LARGE_MIB says how large (5120 for the whole proof, also by `python -m benchmarks memory`).
"""

import os
from datetime import UTC, datetime, timedelta

import pytest

from portal.accounts import tokens
from portal.accounts.sign_in import actor_of
from portal.accounts.tokens import NewToken
from portal.actors import PORTAL_COMMAND, Via
from portal.permissions import Scope
from portal.releases import queries as releases
from portal.releases.models import Artifact, Product
from tests.deliveries.conftest import build
from tests.deliveries.moving import MIB, download, upload, watched
from tests.factories import make_published, make_release
from tests.servers.granian import served

SIZE = int(os.environ.get("PORTAL_TEST_LARGE_MIB", "512")) * MIB
ALLOWED = 64 * MIB


def prepared(portal):
    """A draft to upload into, and the publisher's token."""
    portal.clock.at = datetime.now(UTC)
    world = build(portal, b"small")
    with portal.sessions.begin() as session:
        publisher = session.merge(world.people["publisher"])
        new = NewToken("upload", frozenset({Scope.RELEASES_UPLOAD}), timedelta(days=2))
        acting = actor_of(publisher, via=Via.SESSION, address="")
        _, world.tokens["publisher"] = tokens.create_token(session, publisher, new, by=acting, at=portal.clock.at)
        release = make_release(session, session.get_one(Product, world.product.id), "5.0")
        release.open_from = portal.clock.at - timedelta(days=2)
        session.flush()
        return world, release.id


def publish(portal, release_id):
    """The uploaded file's row, once its release is out."""
    with portal.sessions.begin() as session:
        release = releases.get(session, release_id, visible_to=PORTAL_COMMAND)
        [artifact] = releases.artifacts_ever(session, release_id)
        artifact.read_back_at = portal.clock.at
        make_published(portal.resources, session, release, at=portal.clock.at - timedelta(days=1))
        return session.get_one(Artifact, artifact.id)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_large_file_goes_in_and_out_and_the_server_hardly_grows(portal):
    world, release_id = prepared(portal)
    with served(portal) as server:
        upload(server, world.tokens["publisher"], f"/api/v1/releases/{release_id}/artifacts/warm.bin", 8 * MIB)
        download(server, world.tokens["alpha"], world.address)
        portal_draft = f"/api/v1/releases/{release_id}/artifacts"
        forget(portal, release_id)
        with watched(server) as going_in:
            digest = upload(server, world.tokens["publisher"], f"{portal_draft}/large.bin", SIZE)
        artifact = publish(portal, release_id)
        assert (artifact.sha256, artifact.size_bytes) == (digest, SIZE)
        with watched(server) as going_out:
            got = download(server, world.tokens["alpha"], f"/downloads/{artifact.id}/large.bin")
    assert got == (digest, SIZE)
    rises = [f"{way.rise_bytes / MIB:+.1f} MiB" for way in (going_in, going_out)]
    print(f"{SIZE // MIB} MiB: upload {rises[0]}, download {rises[1]}")
    assert going_in.rise_bytes < ALLOWED
    assert going_out.rise_bytes < ALLOWED


def forget(portal, release_id):
    """Take the warming-up file away again."""
    with portal.sessions.begin() as session:
        for artifact in releases.artifacts_ever(session, release_id):
            session.delete(artifact)
