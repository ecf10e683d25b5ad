import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from portal.accounts.models import SignInAttempt
from portal.db import reading
from portal.jobs.models import Job, JobState
from tests.portals import START


def attempt(at):
    return SignInAttempt(email="a@b.example", address="", at=at)


def test_an_instant_comes_back_as_utc(sessions):
    moscow = timezone(timedelta(hours=3))
    instant = datetime(2026, 3, 10, 1, 30, 0, 123456, tzinfo=moscow)
    with sessions.begin() as session:
        session.add(attempt(instant))
    with sessions() as session:
        found = session.scalars(select(SignInAttempt.at)).one()
    assert found == instant
    assert found.tzinfo is UTC
    assert found.microsecond == 123456


def test_instants_of_any_zone_compare_in_sql(sessions):
    kiritimati, west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
    with sessions.begin() as session:
        session.add_all(
            [attempt(START.astimezone(kiritimati)), attempt((START + timedelta(seconds=1)).astimezone(west))]
        )
    with sessions() as session:
        found = session.scalars(select(SignInAttempt).where(SignInAttempt.at <= START.astimezone(west))).all()
    assert len(found) == 1


def test_a_naive_instant_never_reaches_the_database(sessions):
    with sessions() as session:
        session.add(attempt(datetime(2026, 3, 10)))
        with pytest.raises(StatementError, match="time zone"):
            session.flush()


def test_a_word_outside_its_enum_never_reaches_the_database(sessions):
    with sessions() as session:
        session.add(Job(name="x", arguments={}, state="nonsense", created_at=START, run_at=START))
        with pytest.raises(StatementError):
            session.flush()


def test_a_word_is_kept_as_it_is_spoken(sessions):
    with sessions.begin() as session:
        session.add(Job(name="x", arguments={}, state=JobState.DEAD, created_at=START, run_at=START))
    with sessions() as session:
        assert session.execute(text("SELECT state FROM jobs")).scalar_one() == "dead"


def test_a_small_letter_is_found_whatever_its_alphabet(sessions):
    with sessions() as session:
        assert session.execute(text("SELECT lower('МОСТ Ä')")).scalar_one() == "мост ä"


def test_reading_leaves_others_room_to_write(sessions):
    with sessions() as reader:
        reading(reader)
        reader.scalars(select(Job)).all()
        with sessions.begin() as writer:
            writer.add(Job(name="x", arguments={}, created_at=START, run_at=START))
        assert reader.scalars(select(Job.name)).all() in ([], ["x"])


def test_two_who_read_and_then_write_wait_for_each_other(sessions):
    """What SQLite would otherwise refuse at once with "database is locked"."""
    start, errors = threading.Barrier(6), []

    def write(number):
        start.wait()
        try:
            for _ in range(5):
                with sessions.begin() as session:
                    session.scalars(select(Job)).all()
                    session.add(Job(name=str(number), arguments={}, created_at=START, run_at=START))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must show it
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with sessions() as session:
        assert len(session.scalars(select(Job)).all()) == 30
