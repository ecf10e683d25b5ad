"""The record is attacked in every way that whoever owns the database has; the first bad row is named."""

import json
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from portal.actors import PORTAL_JOB
from portal.audit import chain, checkpoints
from portal.audit.chain import Fault, Kind, Whole, verify
from portal.audit.models import AuditEvent, AuditHead
from portal.audit.service import GENESIS, Tag, hash_of, record
from tests.audit.conftest import ANNA, fill, past_the_triggers
from tests.portals import START


def outcome(sessions, found=()):
    with sessions() as session:
        return verify(session, found)


def test_an_empty_record_is_whole(sessions):
    assert outcome(sessions) == Whole(0, GENESIS)


def test_each_event_follows_from_the_one_before(filled):
    whole = outcome(filled.sessions)
    assert isinstance(whole, Whole)
    assert whole.sequence == 9
    with filled.sessions() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
    assert [row.sequence for row in rows] == list(range(1, 10))
    assert [row.previous_hash for row in rows] == [GENESIS, *(row.hash for row in rows[:-1])]
    assert len({row.hash for row in rows}) == 9


def test_what_is_rolled_back_was_never_recorded(sessions):
    with sessions() as session:
        record(session, Tag.SIGN_IN, by=ANNA, at=START)
        session.rollback()
        session.commit()
    fill(sessions, 1)
    assert outcome(sessions).sequence == 1


def test_events_of_one_transaction_keep_their_order(sessions):
    with sessions.begin() as session:
        for number in range(5):
            record(session, Tag.SIGN_IN, by=ANNA, at=START, number=number)
    with sessions() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
    assert [row.facts["number"] for row in rows] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "text_", ["", "\0", "a\0b", "Мост «Юг»", "=1+1", "\u202egnp.exe", "x" * 1000, "\n\r\t", '"\\', "😀"]
)
def test_any_name_and_fact_is_kept_and_verified(sessions, text_):
    with sessions.begin() as session:
        record(session, Tag.SIGN_IN, by=ANNA, at=START, named=text_, fact=text_, nested={"a": [1, 2.5, None, text_]})
    assert outcome(sessions).sequence == 1


def test_the_database_itself_refuses_to_change_or_remove_a_row(filled):
    for statement in ("UPDATE audit_events SET person_name = 'x' WHERE sequence = 3", "DELETE FROM audit_events"):
        with pytest.raises(Exception, match="audit events are never changed"), filled.resources.engine.begin() as c:
            c.execute(text(statement))
    assert outcome(filled.sessions).sequence == 9


ALTERATIONS = {
    "the person": ("person_name = 'Boris'", Kind.ALTERED),
    "the tag": ("tag = 'token.create'", Kind.ALTERED),
    "how they came": ("via = 'token'", Kind.ALTERED),
    "how they came, by a word that is none": ("via = 'nonsense'", Kind.ALTERED),
    "the address": ("address = '203.0.113.9'", Kind.ALTERED),
    "the subject": ("subject_name = 'event 55'", Kind.ALTERED),
    "the subject's kind": ("subject_kind = 'people'", Kind.ALTERED),
    "the subject's id": ("subject_id = '1'", Kind.ALTERED),
    "the facts": ("""facts = '{"number": 500}'""", Kind.ALTERED),
    "the facts, to nothing": ("facts = 'null'", Kind.ALTERED),
    "the instant": ("at = '2026-03-10 12:00:01.000000'", Kind.ALTERED),
    "the hash": (f"hash = '{'1' * 64}'", Kind.ALTERED),
    "the link": (f"previous_hash = '{'1' * 64}'", Kind.ALTERED),
    "the organisation": ("organisation_id = '00000000000000000000000000000001'", Kind.ALTERED),
}


@pytest.mark.parametrize("change", ALTERATIONS)
def test_an_altered_row_is_named(filled, change):
    assignment, kind = ALTERATIONS[change]
    with past_the_triggers(filled.resources.engine) as connection:
        connection.execute(text(f"UPDATE audit_events SET {assignment} WHERE sequence = 5"))
    fault = outcome(filled.sessions)
    assert isinstance(fault, Fault)
    assert (fault.sequence, fault.kind) == (5, kind)
    assert "row 5" in str(fault)


def remove(sequence):
    return lambda c: c.execute(text("DELETE FROM audit_events WHERE sequence = :n"), {"n": sequence})


def remove_and_close_the_gap(connection):
    connection.execute(text("DELETE FROM audit_events WHERE sequence = 5"))
    for number in range(6, 10):
        connection.execute(text(f"UPDATE audit_events SET sequence = {number - 1} WHERE sequence = {number}"))


def swap(connection):
    for before, after in ((5, 100), (6, 5), (100, 6)):
        connection.execute(text(f"UPDATE audit_events SET sequence = {after} WHERE sequence = {before}"))


def move_to_the_end(connection):
    connection.execute(text("UPDATE audit_events SET sequence = 10 WHERE sequence = 5"))


def insert_past_the_head(connection):
    connection.execute(text(
        "INSERT INTO audit_events (sequence, at, tag, via, person_name, address, subject_kind, subject_id, "
        "subject_name, facts, previous_hash, hash) SELECT 10, at, tag, via, person_name, address, subject_kind, "
        "subject_id, subject_name, facts, previous_hash, hash FROM audit_events WHERE sequence = 9"
    ))  # fmt: skip


def insert_before_the_beginning(connection):
    insert_past_the_head(connection)
    connection.execute(text("UPDATE audit_events SET sequence = 0 WHERE sequence = 10"))


def cut(connection):
    connection.execute(text("DELETE FROM audit_events WHERE sequence > 6"))


def cut_everything(connection):
    connection.execute(text("DELETE FROM audit_events"))


def alter_the_head(connection):
    connection.execute(text(f"UPDATE audit_head SET hash = '{'2' * 64}'"))


def put_the_head_back(connection):
    connection.execute(
        text("UPDATE audit_head SET sequence = 6, hash = (SELECT hash FROM audit_events WHERE sequence = 6)")
    )


SURGERY = {
    "a row removed": (remove(5), 5, Kind.MISSING),
    "the first row removed": (remove(1), 1, Kind.MISSING),
    "a row removed and the gap closed": (remove_and_close_the_gap, 5, Kind.REORDERED),
    "two rows swapped": (swap, 5, Kind.REORDERED),
    "a row moved to the end": (move_to_the_end, 5, Kind.MISSING),
    "a copy put in past the head": (insert_past_the_head, 10, Kind.UNCHAINED),
    "a copy put in before the beginning": (insert_before_the_beginning, 0, Kind.UNCHAINED),
    "the tail cut, the head forgotten": (cut, 7, Kind.CUT_TAIL),
    "everything removed, the head forgotten": (cut_everything, 1, Kind.CUT_TAIL),
    "the last row removed": (remove(9), 9, Kind.CUT_TAIL),
    "the head altered": (alter_the_head, 9, Kind.HEAD_ALTERED),
    "the head put back": (put_the_head_back, 7, Kind.UNCHAINED),
}


@pytest.mark.parametrize("name", SURGERY)
def test_surgery_is_noticed_and_the_first_bad_row_named(filled, name):
    operate, sequence, kind = SURGERY[name]
    with past_the_triggers(filled.resources.engine) as connection:
        operate(connection)
    fault = outcome(filled.sessions)
    assert isinstance(fault, Fault)
    assert (fault.sequence, fault.kind) == (sequence, kind)
    with filled.resources.engine.begin() as connection:  # the head's row outlives the test on PostgreSQL
        connection.execute(text(f"UPDATE audit_head SET sequence = 0, hash = '{GENESIS}'"))


def test_a_head_that_is_gone_is_named(filled):
    with filled.resources.engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET id = 2"))
    fault = outcome(filled.sessions)
    with filled.resources.engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET id = 1"))
    assert fault == Fault(0, Kind.HEAD_ALTERED, "the head is missing")


def forge(portal, *, keep: int) -> None:
    """Rewrite the chain from scratch with other content, every hash recomputed, the head too."""
    with portal.sessions() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
        session.expunge_all()
    previous = GENESIS
    with past_the_triggers(portal.resources.engine) as connection:
        connection.execute(text("DELETE FROM audit_events"))
        for row in rows[:keep]:
            row.person_name, row.previous_hash = "Nobody in particular", previous
            row.hash = previous = hash_of(row)
            values = {c.key: getattr(row, c.key) for c in AuditEvent.__table__.columns}
            connection.execute(AuditEvent.__table__.insert().values(values))
        connection.execute(AuditHead.__table__.update().values(sequence=keep, hash=previous))


def test_one_row_rewritten_with_its_hash_is_betrayed_by_the_next(filled):
    with filled.sessions() as session:
        row = session.get_one(AuditEvent, 5)
        session.expunge(row)
    row.person_name = "Boris"
    with past_the_triggers(filled.resources.engine) as connection:
        connection.execute(
            text("UPDATE audit_events SET person_name = 'Boris', hash = :hash WHERE sequence = 5"),
            {"hash": hash_of(row)},
        )
    fault = outcome(filled.sessions)
    assert (fault.sequence, fault.kind) == (6, Kind.BROKEN_LINK)


def kept(portal):
    good, bad = checkpoints.read_all(portal.store, portal.resources.keys.ring())
    assert not bad
    return good


def test_a_chain_rewritten_whole_is_betrayed_by_a_checkpoint(filled):
    checkpoints.write(filled.resources, by=PORTAL_JOB, at=START)
    forge(filled, keep=9)
    assert isinstance(outcome(filled.sessions), Whole)  # by itself it looks perfect
    fault = outcome(filled.sessions, kept(filled))
    assert (fault.sequence, fault.kind) == (9, Kind.REWRITTEN)


def test_a_tail_cut_with_its_head_is_betrayed_by_a_checkpoint(filled):
    checkpoints.write(filled.resources, by=PORTAL_JOB, at=START)
    with past_the_triggers(filled.resources.engine) as connection:
        connection.execute(text("DELETE FROM audit_events WHERE sequence > 6"))
        put_the_head_back(connection)
    assert isinstance(outcome(filled.sessions), Whole)
    fault = outcome(filled.sessions, kept(filled))
    assert (fault.sequence, fault.kind) == (7, Kind.CUT_TAIL)


def test_a_record_emptied_with_its_head_is_betrayed_by_a_checkpoint(filled):
    checkpoints.write(filled.resources, by=PORTAL_JOB, at=START)
    with past_the_triggers(filled.resources.engine) as connection:
        cut_everything(connection)
        connection.execute(text(f"UPDATE audit_head SET sequence = 0, hash = '{GENESIS}'"))
    fault = outcome(filled.sessions, kept(filled))
    assert (fault.sequence, fault.kind) == (1, Kind.CUT_TAIL)


def test_a_long_chain_is_walked_in_pages(filled, monkeypatch):
    monkeypatch.setattr(chain, "PAGE_ROWS", 4)
    assert outcome(filled.sessions).sequence == 9
    with past_the_triggers(filled.resources.engine) as connection:
        connection.execute(text("UPDATE audit_events SET via = 'nonsense' WHERE sequence = 8"))
    assert outcome(filled.sessions).sequence == 8


def test_events_that_come_in_while_it_is_verified_are_no_fault(filled):
    """Sessions that write go on while other sessions verify again and again."""
    seen, stop, outcomes = kept(filled), threading.Event(), []

    def keep_verifying():
        while not stop.is_set():
            outcomes.append(outcome(filled.sessions, seen))

    reader = threading.Thread(target=keep_verifying)
    reader.start()
    fill(filled.sessions, 40)
    stop.set()
    reader.join()
    assert outcomes
    assert [one for one in outcomes if isinstance(one, Fault)] == []
    assert outcome(filled.sessions).sequence == 49


def test_many_writers_at_once_keep_one_chain(sessions):
    errors = []

    def write(worker):
        try:
            for number in range(10):
                with sessions.begin() as session:
                    record(session, Tag.SIGN_IN, by=replace(ANNA, name=f"worker {worker}"), at=START, number=number)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must show it
            errors.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert outcome(sessions).sequence == 80
    with sessions() as session:
        rows = session.scalars(select(AuditEvent)).all()
    assert {(row.person_name, json.dumps(row.facts)) for row in rows} == {
        (f"worker {worker}", json.dumps({"number": number})) for worker in range(8) for number in range(10)
    }
