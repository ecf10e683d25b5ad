import logging
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.jobs import service, worker
from portal.jobs.models import Job, JobState
from portal.jobs.worker import LEASE, MAX_ATTEMPTS, run_due, run_one
from tests.portals import START


def queue(portal, name="test.note", **more):
    with portal.sessions.begin() as session:
        service.enqueue(session, name, at=START, **more)


def the_job(portal):
    with portal.sessions() as session:
        return session.scalars(select(Job)).one()


@pytest.fixture
def noted(handle):
    done = []
    handle("test.note", lambda _resources, *, at, **arguments: done.append((at, arguments)))
    return done


def fail(*_arguments, **_more):
    raise RuntimeError("the disk is on fire")


def test_a_job_is_run_once_with_its_arguments(portal, noted):
    queue(portal, subject="x")
    assert portal.work() == 1
    assert portal.work() == 0
    assert noted == [(START, {"subject": "x"})]
    job = the_job(portal)
    assert (job.state, job.attempts, job.finished_at, job.leased_until) == (JobState.DONE, 1, START, None)


def test_a_job_exists_exactly_when_what_it_follows_from_does(portal, noted):
    with portal.sessions() as session:
        service.enqueue(session, "test.note", at=START)
        session.rollback()
    assert portal.work() == 0


def test_a_job_waits_for_its_time(portal, noted):
    queue(portal, run_at=START + timedelta(hours=1))
    assert portal.work() == 0
    portal.clock.advance(minutes=59, seconds=59)
    assert portal.work() == 0
    portal.clock.advance(seconds=1)
    assert portal.work() == 1


def test_the_oldest_due_job_runs_first(portal, noted):
    for hours in (3, 1, 2):
        queue(portal, run_at=START - timedelta(hours=hours), hours=hours)
    portal.work()
    assert [arguments["hours"] for _at, arguments in noted] == [3, 2, 1]


def test_a_key_is_queued_once_even_after_it_ran(portal, noted):
    queue(portal, key="publish:1")
    queue(portal, key="publish:1")
    assert portal.work() == 1
    queue(portal, key="publish:1")
    assert portal.work() == 0


def test_two_who_queue_a_key_at_once_queue_it_once(portal, noted):
    start, failures = threading.Barrier(4), []

    def enqueue():
        start.wait()
        try:
            queue(portal, key="publish:1")
        except Exception as error:  # noqa: BLE001 - the database says it in its own words
            failures.append(type(error).__name__)

    at_once([enqueue] * 4)
    assert set(failures) <= {"IntegrityError"}
    assert portal.work() == 1


def test_a_failed_job_comes_back_later_and_later(portal, handle, caplog):
    caplog.set_level(logging.CRITICAL)
    handle("test.note", fail)
    queue(portal)
    pauses = []
    for _ in range(MAX_ATTEMPTS - 1):
        assert portal.work() == 1
        assert portal.work() == 0
        job = the_job(portal)
        assert job.state is JobState.QUEUED
        pauses.append(int((job.run_at - portal.clock()).total_seconds()))
        portal.clock.at = job.run_at
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120]
    assert portal.work() == 1
    job = the_job(portal)
    assert (job.state, job.attempts, job.last_error) == (JobState.DEAD, 12, "RuntimeError: the disk is on fire")
    portal.clock.advance(days=365)
    assert portal.work() == 0


def test_a_failure_does_not_stop_the_others(portal, handle, noted, caplog):
    caplog.set_level(logging.CRITICAL)
    handle("test.fail", fail)
    queue(portal, "test.fail", run_at=START - timedelta(hours=1))
    queue(portal)
    assert portal.work() == 2
    assert len(noted) == 1


def test_a_job_without_a_handler_fails_visibly(portal, handle, caplog):
    caplog.set_level(logging.CRITICAL)
    queue(portal, "test.unknown")
    assert portal.work() == 1
    assert "KeyError" in the_job(portal).last_error


def test_what_a_failed_handler_wrote_is_undone(portal, handle, caplog):
    caplog.set_level(logging.CRITICAL)

    def write_and_fail(resources, *, at):
        with resources.sessions.begin() as session:
            service.enqueue(session, "test.never", at=at)
            session.flush()
            fail()

    handle("test.note", write_and_fail)
    queue(portal)
    portal.work()
    assert the_job(portal).name == "test.note"


def test_a_dead_workers_job_is_taken_over_when_its_lease_ends(portal, noted):
    queue(portal)
    claimed = worker._claim(portal.resources, START)  # and then this worker dies
    assert claimed is not None
    assert not run_one(portal.resources, START + LEASE - timedelta(seconds=1))
    assert run_one(portal.resources, START + LEASE)
    assert len(noted) == 1
    assert the_job(portal).attempts == 2


def at_once(calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_workers_at_once_run_each_job_once(portal, handle):
    """Four real workers, forty jobs: none is run twice and none is left."""
    ran, lock, start = [], threading.Lock(), threading.Barrier(4)

    def run(_resources, *, at, number):
        with lock:
            ran.append(number)

    def work():
        start.wait()
        while run_one(portal.resources, START):
            pass

    handle("test.note", run)
    with portal.sessions.begin() as session:
        for number in range(40):
            service.enqueue(session, "test.note", at=START, number=number)
    at_once([work] * 4)
    while run_one(portal.resources, START):
        pass
    assert sorted(ran) == list(range(40))


def test_one_job_is_claimed_by_one_of_two_workers(portal, noted):
    queue(portal)
    claims, start = [], threading.Barrier(2)

    def claim():
        start.wait()
        claims.append(worker._claim(portal.resources, START))

    at_once([claim] * 2)
    assert sorted(claim is None for claim in claims) == [False, True]


def test_a_recurring_job_is_queued_once_per_span(portal, handle):
    ran = []
    handle("test.daily", lambda _resources, *, at: ran.append(at), every=timedelta(days=1))
    at_once([lambda: run_due(portal.resources)] * 3)
    assert len(ran) == 1
    portal.clock.advance(hours=11, minutes=59)
    portal.work()
    assert len(ran) == 1
    portal.clock.advance(minutes=1)  # midnight
    portal.work()
    assert len(ran) == 2


def test_two_modules_can_not_handle_one_name(handle):
    def stranger(*_arguments):
        """A handler of another module."""

    stranger.__module__ = "somewhere.else"
    handle("test.note", fail)
    with pytest.raises(RuntimeError, match="two handlers"):
        handle("test.note", stranger)


def test_the_workers_life_survives_a_database_that_is_away(portal, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    stop, looks = threading.Event(), []

    def look(_resources):
        looks.append(1)
        if len(looks) == 3:
            stop.set()
        raise RuntimeError("no database")

    monkeypatch.setattr(worker, "run_due", look)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0)
    worker.run_until(stop, portal.resources)
    assert len(looks) == 3


def test_a_job_whose_worker_never_comes_back_is_dead_in_the_end(portal, noted):
    queue(portal)
    with portal.sessions.begin() as session:
        job = session.scalars(select(Job)).one()
        job.state, job.attempts, job.leased_until = JobState.RUNNING, MAX_ATTEMPTS, START + LEASE
    portal.clock.at = START + LEASE
    assert portal.work() == 0
    assert noted == []
    assert the_job(portal).state is JobState.DEAD
