"""The clock against an independent simulation that walks minute by minute, and against cases written by hand."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from portal.tickets.clock import Happening, Moment, Standing, TicketFacts, in_order, readings
from portal.tickets.models import TicketChannel, TicketEvent, TicketEventKind, TicketSeverity, TicketState
from portal.tickets.programmes import EXPERT_24X7, Calendar, Hours, Measure, Programme
from portal.tickets.timing import moments_of

MINUTE = timedelta(minutes=1)
HISTORIES = 10_000
NIGHT_CALL = TicketFacts(TicketChannel.TELEPHONE, TicketSeverity.CRITICAL)
OPEN_STATES = [s for s in TicketState if s not in (TicketState.RESOLVED, TicketState.CLOSED)]
ENDED = (TicketState.RESOLVED, TicketState.CLOSED)
WITH_CUSTOMER = (TicketState.WAITING_FOR_CUSTOMER, TicketState.FIX_AVAILABLE)
WEEK = ((time(9), time(18)),) * 4 + ((time(9), time(16, 30)),) + (None, (time(0), time(0)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opened(text: str) -> Moment:
    return Moment(at(text), Happening.OPENED, TicketState.NEW)


def answered(text: str, state: TicketState = TicketState.OPEN) -> Moment:
    return Moment(at(text), Happening.HUMAN_ANSWER, state)


def became(text: str, state: TicketState) -> Moment:
    return Moment(at(text), Happening.STATE, state)


def response(*moments: Moment, now: str, facts: TicketFacts = NIGHT_CALL, programme: Programme = EXPERT_24X7):
    return readings(moments, facts, programme, now=at(now))[Measure.RESPONSE]


@pytest.mark.parametrize(
    ("answer", "now", "standing", "left"),
    [
        ("2026-01-01T03:29", "2026-01-01T04:00", Standing.KEPT, 1),
        ("2026-01-01T03:30", "2026-01-01T04:00", Standing.KEPT, 0),
        ("2026-01-01T03:31", "2026-01-01T04:00", Standing.BROKEN, -1),
        (None, "2026-01-01T03:10", Standing.RUNNING, 20),
        (None, "2026-01-01T03:31", Standing.OVERDUE, -1),
    ],
)
def test_a_call_at_three_on_a_holiday_is_answered_within_thirty_minutes(answer, now, standing, left):
    moments = [opened("2026-01-01T03:00"), *([answered(answer)] if answer else [])]
    reading = response(*moments, now=now)
    assert (reading.standing, reading.left, reading.due_at) == (
        standing,
        left * MINUTE,
        at("2026-01-01T03:30") if left <= 0 or answer is None else None,
    )


def test_changes_of_state_and_waiting_do_not_stop_the_response():
    reading = response(
        opened("2026-01-01T03:00"),
        became("2026-01-01T03:05", TicketState.OPEN),
        became("2026-01-01T03:06", TicketState.WAITING_FOR_CUSTOMER),
        now="2026-01-01T03:31",
    )
    assert reading.standing is Standing.OVERDUE


def test_thirty_minutes_are_thirty_real_minutes_over_a_change_of_the_clocks():
    """In Berlin the night of 2026-03-29 has no hour from 2 to 3, that of 2026-10-25 has it twice."""
    berlin = ZoneInfo("Europe/Berlin")
    for start in (datetime(2026, 3, 29, 1, 45, tzinfo=berlin), datetime(2026, 10, 25, 2, 45, tzinfo=berlin, fold=0)):
        moments = [Moment(start.astimezone(UTC), Happening.OPENED, TicketState.NEW)]
        reading = readings(moments, NIGHT_CALL, EXPERT_24X7, now=start.astimezone(UTC))[Measure.RESPONSE]
        assert reading.due_at == start.astimezone(UTC) + timedelta(minutes=30)


def test_a_calendar_knows_the_day_that_is_an_hour_short():
    calendar = Calendar("Europe/Berlin", (None,) * 6 + ((time(0), time(6)),))
    short, long_ = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert Hours(calendar).between(short, short + timedelta(days=1)) == timedelta(hours=5)
    assert Hours(calendar).between(long_, long_ + timedelta(days=1)) == timedelta(hours=7)


def test_a_host_clock_that_was_set_back_makes_no_answer_early():
    moments = [opened("2026-01-01T03:20"), answered("2026-01-01T03:10")]
    reading = readings(moments, NIGHT_CALL, EXPERT_24X7, now=at("2026-01-01T03:00"))[Measure.RESPONSE]
    assert (reading.standing, reading.used) == (Standing.KEPT, timedelta(0))
    assert in_order(moments)[1].at == at("2026-01-01T03:20")


def test_a_leap_second_takes_nothing_and_gives_nothing():
    """Hosts have no 23:59:60: they show a second twice, or smear it. Both ways thirty minutes stay thirty minutes."""
    called, midnight = at("2016-12-31T23:40"), at("2017-01-01T00:00")
    twice = [opened("2016-12-31T23:40"), answered("2016-12-31T23:59")._replace(at=midnight - timedelta(seconds=1))]
    first = readings(twice, NIGHT_CALL, EXPERT_24X7, now=midnight)[Measure.RESPONSE]
    again = readings([*twice, twice[1]], NIGHT_CALL, EXPERT_24X7, now=midnight)[Measure.RESPONSE]
    assert first == again
    assert (first.standing, first.used) == (Standing.KEPT, timedelta(minutes=19, seconds=59))
    assert response(opened("2016-12-31T23:40"), now="2016-12-31T23:50").due_at == called + timedelta(minutes=30)


def test_two_engineers_at_once_are_one_first_answer():
    moments = [opened("2026-01-01T03:00"), answered("2026-01-01T03:10"), answered("2026-01-01T03:10")]
    assert response(*moments, now="2026-01-01T05:00").stopped_at == at("2026-01-01T03:10")


def test_a_calendar_without_an_hour_never_comes_due():
    never = Programme("Never", Hours(Calendar("UTC", (None,) * 7)), EXPERT_24X7.targets)
    reading = response(opened("2026-01-01T03:00"), now="2036-01-01T03:00", programme=never)
    assert (reading.due_at, reading.standing) == (None, Standing.RUNNING)


def test_a_call_that_its_customer_closed_unanswered_goes_on_where_it_stopped_when_opened_again():
    closed = [opened("2026-01-01T03:00"), became("2026-01-01T03:10", TicketState.CLOSED)]
    assert Measure.RESPONSE not in readings(closed, NIGHT_CALL, EXPERT_24X7, now=at("2026-01-02T03:00"))
    again = [*closed, became("2026-01-02T03:00", TicketState.OPEN)]
    running = response(*again, now="2026-01-02T03:05")
    assert (running.standing, running.left, running.due_at) == (
        Standing.RUNNING, 15 * MINUTE, at("2026-01-02T03:20"),
    )  # fmt: skip
    assert response(*again, answered("2026-01-02T03:20"), now="2026-01-03T00:00").standing is Standing.KEPT
    assert response(*again, answered("2026-01-02T03:21"), now="2026-01-03T00:00").standing is Standing.BROKEN


def test_waiting_for_the_customer_rests_what_the_programme_says():
    moments = [
        opened("2026-01-01T03:00"),
        answered("2026-01-01T03:10"),
        became("2026-01-01T04:00", TicketState.WAITING_FOR_CUSTOMER),
    ]
    found = readings(moments, NIGHT_CALL, EXPERT_24X7, now=at("2026-01-01T23:00"))
    assert found[Measure.RESOLUTION].standing is Standing.RESTING
    assert found[Measure.RESOLUTION].used == timedelta(hours=1)
    assert found[Measure.RESOLUTION].due_at is None
    strict = Programme("Strict", Hours(), EXPERT_24X7.targets, paused_by_customer=frozenset())
    found = readings(moments, NIGHT_CALL, strict, now=at("2026-01-01T23:00"))
    assert found[Measure.RESOLUTION].used == timedelta(hours=20)


# The simulation. It knows nothing of spans: it looks at each minute and asks whether it counts. It reads the events as
# they are on record, so what the clock takes for an answer is simulated too.


def counts(programme: Programme, minute: datetime) -> bool:
    calendar = programme.hours.calendar
    if calendar is None:
        return True
    local = minute.astimezone(ZoneInfo(calendar.time_zone))
    window = calendar.week[local.weekday()]
    if window is None or local.date() in calendar.holidays:
        return False
    clock = local.time().replace(fold=0)
    return window[0] <= clock and (window[1] == time(0) or clock < window[1])


class Past(NamedTuple):
    at: datetime
    is_answer: bool
    state: TicketState
    severity: TicketSeverity


def retold(events: list[TicketEvent], severity: TicketSeverity) -> list[Past]:
    """What moves a clock, with times that never go back, and the state and severity from each of them on."""
    found, latest, state = [], events[0].at, TicketState.NEW
    for event in events:
        is_answer = event.by_staff and not event.is_automatic and event.kind is TicketEventKind.MESSAGE
        if event.kind in (TicketEventKind.MESSAGE, TicketEventKind.NOTE) and not is_answer:
            continue  # a customer reads no notes, and reads the same clock
        latest = max(event.at, latest)
        if event.kind is TicketEventKind.STATE:
            state = TicketState(event.detail)
        elif event.kind is TicketEventKind.ASSESSED:
            severity = TicketSeverity(event.detail.partition(" ")[2])
        found.append(Past(latest, is_answer, state, severity))
    return found


def simulate(ordered: list[Past], programme: Programme, measure: Measure, now: datetime) -> timedelta | None:
    """How much time has counted, by walking every minute; None where the measure promises nothing now."""
    now = max(now, ordered[-1].at)
    answers = [number for number, one in enumerate(ordered) if one.is_answer]
    has_ended = ordered[-1].state in ENDED
    first = 0
    if measure is Measure.RESPONSE:
        if answers:
            now = ordered[answers[0]].at
        elif has_ended:
            return None
    elif measure is Measure.NEXT_UPDATE:
        if not answers or has_ended:
            return None
        first = answers[-1]
    used, minute = timedelta(0), ordered[first].at
    while minute < now:
        state = [one.state for one in ordered[first:] if one.at <= minute][-1]
        rests = state in ENDED or (
            measure is not Measure.RESPONSE
            and (
                (state in WITH_CUSTOMER and measure in programme.paused_by_customer)
                or (state is TicketState.WAITING_FOR_RELEASE and measure in programme.paused_by_release)
            )
        )
        if not rests and counts(programme, minute):
            used += MINUTE
        minute += MINUTE
    return used


KINDS = (
    *[TicketEventKind.MESSAGE] * 4, *[TicketEventKind.STATE] * 5, TicketEventKind.ASSESSED, TicketEventKind.NOTE,
)  # fmt: skip
STARTS = (
    "2026-03-29T00:30", "2026-10-25T00:10", "2026-01-01T02:50", "2026-02-28T22:00", "2026-05-08T13:20",
    "2026-07-05T21:00",
)  # fmt: skip


def history(random: Random) -> tuple[list[TicketEvent], TicketSeverity, datetime]:
    """Events in the order in which they were written, the severity at first, and the present instant."""
    instant = at(random.choice(STARTS)) + random.randrange(240) * MINUTE
    first = severity = random.choice(list(TicketSeverity))
    by_staff = random.random() < 0.5
    events = [entry(instant, TicketEventKind.OPENED, by_staff=by_staff)]
    for _ in range(random.randrange(7)):
        instant += random.choice((0, 0, 1, 7, 29, 30, 31, 90)) * MINUTE
        if random.random() < 0.05:
            instant -= 3 * MINUTE  # the host's clock was set back
        kind, detail = random.choice(KINDS), ""
        if kind is TicketEventKind.STATE:
            detail = random.choice(list(TicketState)).value
        elif kind is TicketEventKind.ASSESSED:
            before, severity = severity, random.choice(list(TicketSeverity))
            detail = f"{before.value} {severity.value}"
        by_staff, is_automatic = random.random() < 0.7, random.random() < 0.2
        events.append(entry(instant, kind, detail, by_staff=by_staff, is_automatic=is_automatic))
    return events, first, instant + random.choice((0, 1, 29, 30, 31, 120, 200)) * MINUTE


def entry(instant: datetime, kind: TicketEventKind, detail: str = "", **facts: bool) -> TicketEvent:
    return TicketEvent(at=instant, kind=kind, detail=detail, **{"is_automatic": False, **facts})


def programmes(random: Random) -> Programme:
    zone = random.choice(("Europe/Berlin", "Pacific/Kiritimati", "Asia/Kathmandu", "America/St_Johns"))
    holidays = frozenset({date(2026, 1, 1), date(2026, 5, 8)}) if random.random() < 0.5 else frozenset()
    hours = Hours(Calendar(zone, WEEK, holidays)) if random.random() < 0.6 else Hours()
    rests = [frozenset(measure for measure in Measure if random.random() < 0.5) for _ in range(2)]
    targets = {key: random.choice((9, 30, 60, 99)) * MINUTE for key in EXPERT_24X7.targets}
    return Programme("Some", hours, targets, *rests)


def test_ten_thousand_histories_agree_with_a_walk_minute_by_minute():
    random = Random(20261123)
    told, seen = 0, set()
    for number in range(HISTORIES):
        (events, first, now), programme = history(random), programmes(random)
        past, channel = retold(events, first), random.choice(list(TicketChannel))
        found = readings(moments_of(events), TicketFacts(channel, past[-1].severity), programme, now=now)
        for measure in Measure:
            used = simulate(past, programme, measure, now)
            reading = found.get(measure)
            assert (reading.used if reading else None) == used, (number, measure, past, now, programme)
            if reading is None:
                continue
            told += 1
            seen.add((measure, reading.standing))
            answer = next((one for one in past if one.is_answer), None)
            met = answer if measure is Measure.RESPONSE and answer else past[-1]
            assert reading.target == programme.targets[measure, channel, met.severity]
            assert (reading.standing in (Standing.BROKEN, Standing.OVERDUE)) == (used > reading.target)
            if reading.standing is Standing.RUNNING:
                for instant, counted in ((reading.due_at, reading.target), (reading.warn_at, reading.target * 2 / 3)):
                    if instant and now < instant < now + timedelta(hours=12):
                        assert simulate(past, programme, measure, instant) == counted, (number, measure)
            if reading.standing is Standing.BROKEN:
                until = [one for one in past if one.at <= reading.due_at and one is not answer]
                assert simulate(until, programme, measure, reading.due_at) == reading.target, (number, measure)
    assert told > HISTORIES
    assert len(seen) == 12  # every standing of every promise; a first answer rests for nobody, nothing stops reports
