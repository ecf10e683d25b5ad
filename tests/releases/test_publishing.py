"""Publication as one step: state, counter and signatures together, once."""

import subprocess
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.actors import PORTAL_COMMAND, Via
from portal.audit.models import AuditEvent
from portal.config import LANGUAGES
from portal.jobs.models import Job, JobState
from portal.permissions import OrganisationKind
from portal.releases import queries, service
from portal.releases.errors import AlreadyPublished, BadAudience, BadReplacement, SigningFailed, UnderEmbargo
from portal.releases.models import Publication, Release, ReleaseState
from signing import verify_release
from signing.errors import KeyServiceUnavailable
from signing.release import SignedRelease
from tests.factories import make_artifact, make_notes, make_organisation, make_product, make_published, make_release
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


def test_of_two_publishers_at_once_exactly_one_publishes(portal):
    release_id = approved(portal)
    loaded, ends = threading.Barrier(2), []

    def press():
        try:
            with portal.sessions.begin() as session:
                if portal.resources.engine.dialect.name == "postgresql":  # SQLite lets in one writer at a time anyway
                    queries.get(session, release_id, visible_to=PORTAL_COMMAND)
                loaded.wait(10) if portal.resources.engine.dialect.name == "postgresql" else None
                publish(portal, session, release_id)
            ends.append("published")
        except AlreadyPublished as refusal:
            ends.append(refusal.code)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ends) == ["already-published", "published"]
    with portal.sessions() as session:
        assert len(session.scalars(select(Publication)).all()) == 1
        assert session.get_one(Release, release_id).counter == 1


def test_the_counter_rises_with_each_publication_of_a_product(portal):
    with portal.sessions.begin() as session:
        product, other = make_product(session), make_product(session)
        counters = [
            make_published(portal.resources, session, make_release(session, of, version)).counter
            for of, version in ((product, "1.0"), (product, "1.1"), (other, "1.0"), (product, "1.2"))
        ]
    assert counters == [1, 2, 1, 3]


def test_what_can_not_be_signed_is_not_published(portal):
    class Broken:
        key_id = public_pem = ""

        def sign(self, data):
            raise KeyServiceUnavailable(address="hsm:1", reason="no token")

    release_id = approved(portal)
    with pytest.raises(SigningFailed), portal.sessions.begin() as session:
        publish(portal, session, release_id, signer=Broken())
    with portal.sessions() as session:
        release = session.get_one(Release, release_id)
        assert (release.state, release.published_at, release.counter) == (ReleaseState.APPROVED, None, None)
        assert queries.publication(session, release_id) is None
        assert queries.get(session, release_id, visible_to=PORTAL_COMMAND).product.release_counter == 0


def test_an_audience_left_alone_is_everyone_from_publication_on(portal):
    release_id = approved(portal)
    with portal.sessions.begin() as session:
        publish(portal, session, release_id)
    with portal.sessions() as session:
        assert session.get_one(Release, release_id).open_from == START


def test_pilots_keep_a_release_from_everyone_else(portal):
    release_id = approved(portal)
    with portal.sessions.begin() as session:
        release = queries.get(session, release_id, visible_to=PORTAL_COMMAND)
        pilots = service.Audience(named=((make_organisation(session).id, START),))
        service.set_audience(session, release, pilots, by=PORTAL_COMMAND, at=START)
        publish(portal, session, release_id)
        assert release.open_from is None


@pytest.mark.parametrize("named", ["vendor", "twice", "nobody"])
def test_an_audience_names_customers_each_once(portal, named):
    release_id = approved(portal)
    with portal.sessions() as session:
        customer, vendor = make_organisation(session), make_organisation(session, OrganisationKind.VENDOR)
        ids = {"vendor": [vendor.id], "twice": [customer.id] * 2, "nobody": [release_id]}[named]
        release = queries.get(session, release_id, visible_to=PORTAL_COMMAND)
        audience = service.Audience(named=tuple((one, START) for one in ids))
        with pytest.raises(BadAudience):
            service.set_audience(session, release, audience, by=PORTAL_COMMAND, at=START)


def test_an_embargo_holds_publication_and_ends_it_by_itself(portal, vendor):
    until = START + timedelta(hours=2)
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0", embargo_until=until)
        make_artifact(session, portal.store, release)
        make_notes(session, release)
        service.submit(session, release, languages=LANGUAGES, by=vendor.by, at=START)
        service.approve(session, release, languages=LANGUAGES, second_person=True, by=vendor.second, at=START)
    with pytest.raises(UnderEmbargo), portal.sessions.begin() as session:
        publish(portal, session, release.id, at=until - timedelta(seconds=1))
    portal.work()
    portal.clock.advance(hours=2)
    portal.work()
    portal.work()
    with portal.sessions() as session:
        published = session.get_one(Release, release.id)
        assert (published.state, published.published_at) == (ReleaseState.PUBLISHED, until)
        assert published.published_by == vendor.approver.id
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == "release.publish")).one()
        assert (event.via, event.person_name) == (Via.JOB, vendor.approver.name)


def test_a_release_returned_to_draft_is_not_published_by_an_embargo_of_yesterday(portal):
    until = START + timedelta(hours=2)
    release_id = approved(portal, embargo_until=until)
    with portal.sessions.begin() as session:
        release = queries.get(session, release_id, visible_to=PORTAL_COMMAND)
        service.return_to_draft(session, release, reason="Wrong", by=PORTAL_COMMAND, at=START)
    portal.clock.advance(hours=3)
    portal.work()
    with portal.sessions() as session:
        assert session.get_one(Release, release_id).state is ReleaseState.DRAFT
        assert session.scalar(select(Job.state).where(Job.name == "releases.publish_due")) is JobState.DONE


def test_the_newest_recommendation_speaks_until_its_release_is_withdrawn(portal):
    with portal.sessions.begin() as session:
        product = make_product(session)
        old, new = (
            make_published(portal.resources, session, make_release(session, product, v)) for v in ("1.0", "1.1")
        )
        service.recommend(session, old, reason="Stable", by=PORTAL_COMMAND, at=START)
        service.recommend(session, new, reason="Better", by=PORTAL_COMMAND, at=START + timedelta(days=1))
        assert queries.recommended(session, product.id)[None].release_id == new.id
        service.withdraw(session, new, reason="It burns", replacement=old, by=PORTAL_COMMAND, at=START)
        assert queries.recommended(session, product.id) == {}
        jobs = session.scalars(select(Job).where(Job.name == "releases.withdrawn")).all()
        assert [job.arguments for job in jobs] == [{"release_id": str(new.id)}]


@pytest.mark.parametrize("which", ["itself", "draft", "other product"])
def test_a_replacement_is_another_published_release_of_the_product(portal, which):
    with portal.sessions() as session:
        product = make_product(session)
        release = make_published(portal.resources, session, make_release(session, product, "1.0"))
        elsewhere = make_published(portal.resources, session, make_release(session, make_product(session), "2.0"))
        chosen = {"itself": release, "draft": make_release(session, product, "2.0"), "other product": elsewhere}[which]
        with pytest.raises(BadReplacement):
            service.withdraw(session, release, reason="It burns", replacement=chosen, by=PORTAL_COMMAND, at=START)
        assert release.is_published
