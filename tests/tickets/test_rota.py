from datetime import timedelta

import pytest

from portal.authority.errors import BadPhone
from portal.errors import Forbidden
from portal.tickets import rota
from portal.tickets.errors import BadShift, NotAnEngineer, NoteIsYours
from portal.tickets.rota import ShiftFacts, Span
from portal.tickets.rota_models import DutyRole, DutyShift, ShiftNote
from tests.portals import START

HOUR = timedelta(hours=1)


def shift(world, who, first, last, role=DutyRole.ON_DUTY, by="dispatcher", **facts):
    with world.begin() as session:
        given = ShiftFacts(world.people[who].id, role, START + first * HOUR, START + last * HOUR, **facts)
        return rota.add_shift(session, given, by=world.actors[by], at=START)


def on(world, hour, role=DutyRole.ON_DUTY):
    with world.portal.sessions() as session:
        return {person.name for person in rota.who_is_on(session, role, START + hour * HOUR)}


def test_who_is_on_and_everybody_where_nobody_is(world):
    everybody = {"Person of tsc", "Person of tsc2"}
    assert on(world, 0) == everybody
    shift(world, "tsc", 0, 8)
    shift(world, "dispatcher", 4, 8, DutyRole.SHIFT_LEAD)
    assert [on(world, hour) for hour in (0, 7.99, 8)] == [{"Person of tsc"}, {"Person of tsc"}, everybody]
    assert on(world, 3, DutyRole.SHIFT_LEAD) == everybody
    assert on(world, 4, DutyRole.SHIFT_LEAD) == {"Person of dispatcher"}


def test_somebody_disabled_is_not_on_duty(world):
    shift(world, "tsc", 0, 8)
    with world.begin() as session:
        session.merge(world.people["tsc"]).disable(START)
    assert on(world, 1) == {"Person of tsc2"}


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        (("tsc", 8, 8), BadShift),
        (("tsc", 8, 7), BadShift),
        (("tsc", 0, 24 * 32), BadShift),
        (("alpha", 0, 8), NotAnEngineer),
        (("publisher", 0, 8), NotAnEngineer),
    ],
)
def test_shifts_that_make_no_sense(world, facts, error):
    with pytest.raises(error):
        shift(world, *facts)


def test_a_telephone_is_one_and_only_the_rota_is_run_by_dispatchers(world):
    with pytest.raises(BadPhone):
        shift(world, "tsc", 0, 8, phone="ask Anna")
    with pytest.raises(Forbidden):
        shift(world, "tsc", 0, 8, by="tsc")


def spans(*pairs):
    return [DutyShift(role=DutyRole.ON_DUTY, starts_at=START + a * HOUR, ends_at=START + b * HOUR) for a, b in pairs]


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ([], [(0, 24)]),
        ([(0, 24)], []),
        ([(-5, 8), (8, 30)], []),
        ([(2, 8), (4, 6), (10, 12)], [(0, 2), (8, 10), (12, 24)]),
        ([(10, 12), (2, 8)], [(0, 2), (8, 10), (12, 24)]),
    ],
)
def test_gaps(shifts, expected):
    found = rota.gaps(spans(*shifts), START, START + 24 * HOUR)
    assert found == [Span(START + a * HOUR, START + b * HOUR) for a, b in expected]


def test_overlaps_within_one_role(world):
    one, two = shift(world, "tsc", 0, 8), shift(world, "tsc2", 7, 12)
    three, lead = shift(world, "tsc", 12, 20), shift(world, "tsc", 0, 20, DutyRole.SHIFT_LEAD)
    assert rota.overlapping([one, two, three, lead]) == {one.id, two.id}


def test_a_note_stands_until_the_next_shift_has_read_it(world):
    with world.begin() as session:
        note = rota.leave_note(session, "Node 7 is **watched**.", by=world.actors["tsc"], at=START)
    with pytest.raises(NoteIsYours), world.begin() as session:
        rota.take_note(session, note.id, by=world.actors["tsc"], at=START + HOUR)
    for later, who in ((1, "tsc2"), (2, "dispatcher")):
        with world.begin() as session:
            rota.take_note(session, note.id, by=world.actors[who], at=START + later * HOUR)
    with world.portal.sessions() as session:
        kept = session.get(ShiftNote, note.id)
        assert (kept.read_at, kept.read_by_name) == (START + HOUR, "Person of tsc2")
        assert rota.open_notes(session) == []
