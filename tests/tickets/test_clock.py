"""The clock against an independent simulation that walks minute by minute, and against cases written by hand."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from portal.tickets.clock import Happening, Moment, Standing, TicketFacts, in_order, readings
from portal.tickets.models import TicketChannel, TicketSeverity, TicketState
from portal.tickets.programmes import EXPERT_24X7, Calendar, Hours, Measure, Programme

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


# The simulation. It knows nothing of spans: it looks at each minute and asks whether it counts.


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


def simulate(moments: list[Moment], programme: Programme, measure: Measure, now: datetime) -> timedelta | None:
    """How much time has counted, by walking every minute; None where the measure promises nothing now."""
    ordered, latest = [], None
    for moment in moments:
        latest = max(moment.at, latest) if latest else moment.at
        ordered.append((latest, moment.happening, moment.state))
    now = max(now, latest)
    answers = [number for number, moment in enumerate(ordered) if moment[1] is Happening.HUMAN_ANSWER]
    has_ended = ordered[-1][2] in ENDED
    first = 0
    if measure is Measure.RESPONSE:
        if answers:
            now = ordered[answers[0]][0]
        elif has_ended:
            return None
    elif measure is Measure.NEXT_UPDATE:
        if not answers or has_ended:
            return None
        first = answers[-1]
    used, minute = timedelta(0), ordered[first][0]
    while minute < now:
        state = [entry[2] for entry in ordered[first:] if entry[0] <= minute][-1]
        rests = measure is not Measure.RESPONSE and (
            state in ENDED
            or (state in WITH_CUSTOMER and measure in programme.paused_by_customer)
            or (state is TicketState.WAITING_FOR_RELEASE and measure in programme.paused_by_release)
        )
        if not rests and counts(programme, minute):
            used += MINUTE
        minute += MINUTE
    return used


STARTS = (
    "2026-03-29T00:30", "2026-10-25T00:10", "2026-01-01T02:50", "2026-02-28T22:00", "2026-05-08T13:20",
    "2026-07-05T21:00",
)  # fmt: skip


def history(random: Random) -> tuple[list[Moment], datetime]:
    instant = at(random.choice(STARTS)) + random.randrange(240) * MINUTE
    moments, state = [Moment(instant, Happening.OPENED, TicketState.NEW)], TicketState.NEW
    for _ in range(random.randrange(6)):
        instant += random.choice((0, 0, 1, 7, 29, 30, 31, 90)) * MINUTE
        if random.random() < 0.05:
            instant -= 3 * MINUTE  # the host's clock was set back
        if random.random() < 0.4:
            state = TicketState.OPEN if state is TicketState.NEW else state
            moments.append(Moment(instant, Happening.HUMAN_ANSWER, state))
        else:
            state = random.choice(list(TicketState))
            moments.append(Moment(instant, Happening.STATE, state))
    return moments, instant + random.choice((0, 1, 29, 30, 31, 120, 200)) * MINUTE


def programmes(random: Random) -> Programme:
    zone = random.choice(("Europe/Berlin", "Pacific/Kiritimati", "Asia/Kathmandu", "America/St_Johns"))
    holidays = frozenset({date(2026, 1, 1), date(2026, 5, 8)}) if random.random() < 0.5 else frozenset()
    hours = Hours(Calendar(zone, WEEK, holidays)) if random.random() < 0.6 else Hours()
    rests = [frozenset(measure for measure in Measure if random.random() < 0.5) for _ in range(2)]
    targets = {key: random.choice((10, 30, 60, 100)) * MINUTE for key in EXPERT_24X7.targets}
    return Programme("Some", hours, targets, *rests)


def test_ten_thousand_histories_agree_with_a_walk_minute_by_minute():
    random = Random(20261123)
    told = 0
    for number in range(HISTORIES):
        (moments, now), programme = history(random), programmes(random)
        found = readings(moments, NIGHT_CALL, programme, now=now)
        for measure in Measure:
            used = simulate(moments, programme, measure, now)
            reading = found.get(measure)
            assert (reading.used if reading else None) == used, (number, measure, moments, now, programme)
            if reading is None:
                continue
            told += 1
            assert (reading.standing in (Standing.BROKEN, Standing.OVERDUE)) == (used > reading.target)
            if reading.due_at is not None and reading.standing is Standing.RUNNING:
                more = simulate([*moments], programme, measure, reading.due_at)
                assert more == reading.target or reading.due_at - now > timedelta(hours=12), (number, measure)
    assert told > HISTORIES
