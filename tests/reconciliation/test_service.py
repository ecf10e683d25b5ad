"""What nobody names goes, what somebody names stays, whatever happens at the same moment: over files and over S3."""

import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from secrets import token_hex
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from portal.actors import PORTAL_JOB
from portal.audit import checkpoints
from portal.audit.models import AuditEvent
from portal.audit.service import Tag, record
from portal.jobs.models import Job, JobState
from portal.object_keys import ObjectGone, all_named
from portal.reconciliation import cli, service
from portal.reconciliation.errors import StoreIsAnothers, TooManyUnnamed
from portal.reconciliation.service import examine, tidy
from portal.releases import queries
from portal.releases import service as releases
from portal.releases.models import Artifact, ArtifactRole
from storage import S3Settings, S3Store, StoreUnavailable
from tests.factories import make_artifact, make_product, make_release
from tests.portals import open_test_portal
from tests.servers.seaweed import S3Address

LARGE = 9 * 1024 * 1024
"""More than what S3 takes in one request."""
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["files", "s3"])
def portal(request, engine, tmp_path, monkeypatch):
    """Its clock is the store's own, a good month later: everything in the store is older than the time of grace."""
    store = None
    if request.param == "s3":
        server = S3Address.from_environment()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
        bucket = f"reconciling-{token_hex(6)}"
        S3Store(S3Settings(bucket, endpoint=server.endpoint))._client.create_bucket(Bucket=bucket)
        store = f"s3://{bucket}/objects?endpoint={quote(server.endpoint, safe='')}"
    opened = open_test_portal(engine, tmp_path / "portal", store=store)
    opened.clock.at = datetime.now(UTC) + timedelta(days=31)
    return opened


def put(portal, content=b"nobody's bytes", **more):
    return portal.store.receive(BytesIO(content), limit_bytes=len(content), **more)


def tidied(portal):
    return tidy(portal.resources, by=PORTAL_JOB, at=portal.clock())


def is_there(portal, key):
    return [one.key for one in portal.store.list(key)] == [key]


def loaded(session, release):
    return queries.get(session, release.id, visible_to=PORTAL_JOB)


@pytest.fixture
def release(portal):
    with portal.sessions.begin() as session:
        return make_release(session, make_product(session), "1.0")


@pytest.fixture
def artifact(portal, release):
    with portal.sessions.begin() as session:
        return make_artifact(session, portal.store, loaded(session, release))


def attach(portal, release, received, name="image.bin"):
    with portal.sessions.begin() as session:
        file = releases.NewArtifact(name, ArtifactRole.IMAGE, "", received)
        return releases.add_artifact(session, loaded(session, release), file, by=PORTAL_JOB, at=portal.clock())


def test_what_nobody_names_goes_after_the_time_of_grace_and_is_recorded(portal, artifact):
    lost = put(portal)
    portal.clock.advance(days=-2)
    assert tidied(portal) == 0
    assert examine(portal.resources, at=portal.clock()).waiting == 1
    portal.clock.advance(days=2)
    assert tidied(portal) == 1
    assert not is_there(portal, lost.key)
    assert is_there(portal, artifact.key)
    with portal.sessions() as session:
        [noted] = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.OBJECT_REMOVE))
    assert (noted.subject_name, noted.facts["size_bytes"]) == (lost.key, lost.size_bytes)
    assert tidied(portal) == 0


def test_a_file_taken_off_a_draft_is_still_named(portal, release, artifact):
    with portal.sessions.begin() as session:
        session.execute(update(Artifact).values(removed_at=portal.clock()))
    assert tidied(portal) == 0
    assert is_there(portal, artifact.key)


def test_a_row_deleted_lets_its_object_go(portal, artifact):
    with portal.sessions.begin() as session:
        session.execute(delete(Artifact))
    assert tidied(portal) == 1
    assert not is_there(portal, artifact.key)


def test_what_is_no_object_under_its_digest_is_left_alone_and_told(portal):
    portal.store.put("somebody/elses.txt", b"hands off")
    with portal.sessions.begin() as session:
        record(session, Tag.SIGN_IN, by=PORTAL_JOB, at=portal.clock())
    checkpoint = checkpoints.write(portal.resources, by=PORTAL_JOB, at=portal.clock())
    assert tidied(portal) == 0
    assert is_there(portal, "somebody/elses.txt")
    assert is_there(portal, checkpoint)
    assert examine(portal.resources, at=portal.clock()).unknown == ("somebody/elses.txt",)


def test_a_missing_object_is_told_until_it_is_back(portal, artifact, caplog):
    portal.store.delete(artifact.key)
    assert examine(portal.resources, at=portal.clock()).missing == ((artifact.key, "artifacts.key"),)
    portal.work()
    with portal.sessions() as session:
        job = session.scalars(select(Job).where(Job.name == "objects.check")).one()
    assert job.state is JobState.QUEUED
    assert artifact.key in job.last_error
    assert f"artifacts.key names {artifact.key}" in caplog.text
    put(portal, b"bytes")
    portal.clock.advance(minutes=1)
    portal.work()
    with portal.sessions() as session:
        assert session.get_one(Job, job.id).state is JobState.DONE


def test_what_is_lost_and_what_is_not_in_the_store_are_told_apart_by_the_command(portal, artifact, monkeypatch):
    monkeypatch.setattr(cli, "open_for_command", lambda: portal.resources)
    put(portal)
    told = CliRunner().invoke(cli.objects, ["check"])
    assert (told.exit_code, told.stdout) == (
        0, "2 objects; named nowhere: 1 of 14 bytes, 0 of them too young to be removed; missing: 0.\n",
    )  # fmt: skip
    assert CliRunner().invoke(cli.objects, ["tidy"]).stdout == "1 objects removed\n"
    portal.store.delete(artifact.key)
    told = CliRunner().invoke(cli.objects, ["check"])
    assert told.exit_code == 1
    assert told.stderr == f"MISSING  {artifact.key}, named in artifacts.key\n"


# at the same moment


def just_before(monkeypatch, target, name, act):
    """`act` is done once, right before the function is called."""
    function, done = getattr(target, name), []

    def first(*arguments, **more):
        if not done:
            done.append(1)
            act()
        return function(*arguments, **more)

    monkeypatch.setattr(target, name, first)


def test_an_object_named_after_the_tally_stays(portal, release, monkeypatch):
    received = put(portal)
    just_before(monkeypatch, service, "_remove", lambda: attach(portal, release, received))
    assert tidied(portal) == 0
    assert is_there(portal, received.key)


def test_an_object_that_came_anew_after_the_tally_stays(portal, monkeypatch):
    received, limit = put(portal), portal.resources.config.unnamed_objects_for
    first = portal.store.stat(received.key)
    just_before(monkeypatch, portal.store, "delete", lambda: pytest.fail("it was removed"))
    monkeypatch.setattr(portal.store, "stat", lambda _key: replace(first, modified_at=first.modified_at + SECOND))
    assert tidy(portal.resources, by=PORTAL_JOB, at=first.modified_at + limit) == 0


def test_an_upload_that_found_its_bytes_there_and_is_overtaken_is_told_and_may_repeat(portal, release):
    found = put(portal)
    assert tidied(portal) == 1
    with pytest.raises(ObjectGone):
        attach(portal, release, found)
    with portal.sessions() as session:
        assert session.scalars(select(Artifact)).all() == []
    attach(portal, release, put(portal))
    assert tidied(portal) == 0
    assert examine(portal.resources, at=portal.clock()).missing == ()


def test_the_bytes_of_a_long_upload_take_the_place_of_those_that_went_meanwhile(portal, monkeypatch):
    """It had found them there when it began, older than a day, and had declared them."""
    content = token_hex(16).encode() * (LARGE // 32)
    digest = hashlib.sha256(content).hexdigest()
    put(portal, content)
    monkeypatch.setattr(portal.store, "_is_fresh", lambda _key: False)
    monkeypatch.setattr(portal.store, "sweep", lambda **_limit: 0)  # by this clock the upload would last a month

    class Slow:
        """Half-way through, the store is tidied."""

        def __init__(self):
            self.whole, self.removed = BytesIO(content), 0

        def read(self, size):
            if self.whole.tell() > LARGE // 2 and not self.removed:
                self.removed = tidied(portal)
            return self.whole.read(min(size, 1 << 20))

    source = Slow()
    received = portal.store.receive(source, limit_bytes=LARGE, expected_sha256=digest, expected_size=len(content))
    assert source.removed == 1
    assert is_there(portal, received.key)


@pytest.mark.parametrize("turn", range(4))
def test_of_a_row_and_a_removal_at_once_one_gives_way(portal, release, turn):
    """Really at once: whatever the order, no row names an object that is gone."""
    received = [put(portal, f"bytes {turn} {number}".encode()) for number in range(8)]
    gate, outcomes = threading.Barrier(2), []

    def name():
        gate.wait()
        for number, one in enumerate(received):
            try:
                attach(portal, release, one, f"image-{number}.bin")
                outcomes.append("named")
            except ObjectGone:
                outcomes.append("gone")

    thread = threading.Thread(target=name)
    thread.start()
    gate.wait()
    removed = tidied(portal)
    thread.join()
    assert (removed, len(outcomes)) == (outcomes.count("gone"), len(received))
    with portal.sessions() as session:
        assert all(is_there(portal, key) for key, _place in all_named(session))


def test_a_transaction_that_names_an_object_keeps_it_until_it_ends(portal, release, monkeypatch):
    """It has looked and found it; the removal waits for it, and then finds the object named."""
    received, removals = put(portal), []
    remover = threading.Thread(target=lambda: removals.append(tidied(portal)))
    stat = portal.store.stat

    def slow(key):
        found = stat(key)
        if threading.current_thread() is threading.main_thread():
            remover.start()
            remover.join(timeout=0.5)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(portal.store, "stat", slow)
        attach(portal, release, received)
        remover.join()
    assert removals == [0]
    assert is_there(portal, received.key)


def test_a_store_that_does_not_answer_changes_nothing(portal, release, monkeypatch):
    received = put(portal)

    def down(_key):
        raise StoreUnavailable("no route")

    monkeypatch.setattr(portal.store, "delete", down)
    with pytest.raises(StoreUnavailable):
        tidied(portal)
    with portal.sessions() as session:
        assert session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.OBJECT_REMOVE)).all() == []
    monkeypatch.setattr(portal.store, "stat", down)
    with pytest.raises(StoreUnavailable):
        attach(portal, release, received)


# the wrong store, the wrong database


def test_a_database_older_than_the_store_removes_nothing(portal):
    with portal.sessions.begin() as session:
        record(session, Tag.SIGN_IN, by=PORTAL_JOB, at=portal.clock())
    written = checkpoints.write(portal.resources, by=PORTAL_JOB, at=portal.clock())
    lost = put(portal)
    service.require_own(portal.resources)
    with portal.store.open_range(written) as reader:
        content = reader.read()
    later = written.replace("000000000001-", "000000000009-")
    portal.store.put(later, content.replace(b'"sequence": 1', b'"sequence": 9'))
    with pytest.raises(StoreIsAnothers) as refused:
        tidied(portal)
    assert refused.value.facts == {"checkpoint": later}
    assert is_there(portal, lost.key)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_so_many_that_it_must_be_a_mistake_stay(portal, artifact, monkeypatch):
    monkeypatch.setattr(service, "FEW", 3)
    for number in range(4):
        put(portal, f"bytes {number}".encode())
    with pytest.raises(TooManyUnnamed) as refused:
        tidied(portal)
    assert refused.value.facts == {"unnamed": 4, "count": 5}
    assert tidy(portal.resources, by=PORTAL_JOB, at=portal.clock(), however_many=True) == 4
    assert is_there(portal, artifact.key)


def test_what_broken_off_uploads_left_behind_goes_after_a_week(portal):
    swept = []
    portal.store.sweep, sweep = lambda *, older_than: swept.append(sweep(older_than=older_than)), portal.store.sweep
    if hasattr(portal.store, "root"):
        left = portal.store.root / ".incoming" / "left"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half")
    else:
        client, settings = portal.store._client, portal.store.settings
        client.create_multipart_upload(Bucket=settings.bucket, Key=f"{settings.prefix}/.incoming/left")
    portal.clock.at = datetime.now(UTC) + timedelta(days=6)
    tidied(portal)
    portal.clock.advance(days=2)
    tidied(portal)
    assert swept == [0, 1]
