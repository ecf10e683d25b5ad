"""Publication as one step: state, counter and signatures together, once."""

import subprocess

from portal.actors import PORTAL_COMMAND
from portal.config import LANGUAGES
from portal.releases import queries, service
from signing import verify_release
from signing.release import SignedRelease
from tests.factories import make_artifact, make_notes, make_product, make_release
from tests.portals import START


def approved(portal, **facts):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0", **facts)
        make_artifact(session, portal.store, release, "образ.bin", b"firmware")
        make_notes(session, release)
        service.submit(session, release, languages=LANGUAGES, by=PORTAL_COMMAND, at=START)
        service.approve(session, release, languages=LANGUAGES, second_person=False, by=PORTAL_COMMAND, at=START)
        return release.id


def publish(portal, session, release_id, at=START, signer=None):
    release = queries.get(session, release_id, visible_to=PORTAL_COMMAND)
    signer = signer or portal.resources.signer()
    return service.publish(session, release, languages=LANGUAGES, signer=signer, by=PORTAL_COMMAND, at=at)


def test_openssl_and_sha256sum_verify_what_publishing_signed(portal, tmp_path):
    release_id = approved(portal)
    with portal.sessions.begin() as session:
        publication = publish(portal, session, release_id)
    (tmp_path / "SHA256SUMS").write_text(publication.sums)
    (tmp_path / "SHA256SUMS.sig").write_bytes(publication.sums_signature)
    (tmp_path / "образ.bin").write_bytes(b"firmware")
    (tmp_path / "key.pem").write_text(portal.resources.keys.active().public.pem)
    verify = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "SHA256SUMS.sig", "SHA256SUMS"]
    assert subprocess.run(verify, cwd=tmp_path, check=True, capture_output=True, text=True).stdout == "Verified OK\n"
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    signed = SignedRelease(publication.sums.encode(), publication.sums_signature, publication.manifest.encode())
    manifest = verify_release(signed, portal.resources.keys.ring())
    assert (manifest.version, manifest.counter, manifest.published_at) == ("1.0", 1, START)
